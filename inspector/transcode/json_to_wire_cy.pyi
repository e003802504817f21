from collections.abc import Callable

from google.protobuf.descriptor import Descriptor

from inspector.transcode.wire_tables import TypeRow

class WireEncoder:
    def __init__(
        self,
        describe: Callable[[Descriptor], TypeRow],
        find: Callable[[str], Descriptor | None],
    ) -> None: ...
    def read(self, descriptor: Descriptor, text: bytes, start: int = 0) -> tuple[bytes, int] | None: ...
