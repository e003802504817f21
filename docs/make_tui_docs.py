"""Writes what docs/tui.md has of the program itself: the table of keys, and pictures of the samples (`make docs`)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import grpc

from inspector.client import call, transcript
from inspector.schema import Schema
from inspector.tui.actions import ACTIONS, CONTEXTS
from inspector.tui.app import InspectorApp
from inspector.tui.available import shown
from inspector.tui.compose.draft import Draft
from inspector.tui.document import Document
from inspector.tui.export import picture

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tui.md"
BEGIN, END = "<!-- keys: made by docs/make_tui_docs.py -->\n", "<!-- end of keys -->\n"


class Picture(NamedTuple):
    """A screen, and the keys that lead to it. Where it `calls`, a server gives the captured answer."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...]
    theme: str = "textual-dark"
    sample: str = "predict.pcapng"
    calls: bool = False


PICTURES = (
    Picture("tui", (160, 48), ("j", "2", "j", "j")),
    Picture("tui-small", (80, 24), ("j", "2", "j", "j")),
    Picture("tui-copy", (80, 24), ("j", "2", "j", "j", "c")),
    Picture("tui-diff", (160, 48), ("j", "2", "d", "1", "j", "2", "d", "n", "n")),
    Picture("tui-compose", (160, 48), ("j", "e", "j", "j", "f5", "2"), calls=True),
)

SOCKET = "unix:vision.sock"
"""Where the server of pictures is, by a name that is the same each time."""

NOON = 1_795_435_200_000_000_000
"""When calls of pictures are made, in nanoseconds since 1970; they take no time."""


@contextlib.contextmanager
def serving(answer: bytes) -> Iterator[None]:
    """A server that gives this answer to each call, in a folder of its own, which is the current one."""
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: answer)

    class Any(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return handler

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, handlers=(Any(),))
        server.add_insecure_port(SOCKET)
        server.start()
        yield
        server.stop(None).wait()


def key_table() -> str:
    """All actions, by context."""
    parts = []
    for context in CONTEXTS:
        actions = [action for action in ACTIONS if action.context == context]
        rows = [f"| {_keys(action.keys)} | {action.title} | `{action.id}` |\n" for action in actions]
        if rows:
            parts.append(f"**{CONTEXTS[context]}**\n\n| key | does | id |\n| --- | --- | --- |\n{''.join(rows)}")
    return "\n".join(parts)


def _keys(keys: str) -> str:
    return " ".join(f"`{_written(key)}`" for key in keys.split(",") if key)


def _written(key: str) -> str:
    """A key as it is written in `[keys]` too."""
    *modifiers, last = key.split("+")
    name = shown(last)
    is_plain = len(name) == 1 and name.isascii()
    return "+".join([*modifiers, name.replace("|", "\\|") if is_plain else last])


def with_table(page: str) -> str:
    """The page with the table as it is now."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{key_table()}\n{END}", page, flags=re.DOTALL)


async def take(wanted: Picture) -> str:
    """The screen as SVG."""
    document = Document(
        str(ROOT / "samples" / wanted.sample), schema=Schema.from_source(str(ROOT / "protos")), sources=("protos",)
    )
    app = InspectorApp([document], theme=wanted.theme)
    app.animation_level = "none"
    with contextlib.ExitStack() as stack:
        async with app.run_test(size=wanted.size) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            if wanted.calls:
                answer = document.message(2, 1)
                assert answer is not None
                assert answer.data is not None
                stack.enter_context(serving(answer.data))
                app.draft = Draft(target=SOCKET)
            for key in wanted.keys:
                await pilot.press(key)
                await app.workers.wait_for_complete()
            await pilot.pause()
            text = picture(app)
    document.close()
    return text


def main() -> None:
    os.environ["INSPECTOR_STATE"] = "off"
    os.environ.pop("NO_COLOR", None)
    call.now = transcript.now = lambda: NOON
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for wanted in PICTURES:
        path = ROOT / "docs" / "images" / f"{wanted.name}.svg"
        path.write_text(asyncio.run(take(wanted)), encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
