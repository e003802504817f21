"""The comments of a file's declarations, by their place in its descriptor.

Source: SourceCodeInfo in google/protobuf/descriptor.proto. Invariant: all comments of a place come out, in their order.
"""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import SourceCodeInfo

from inspector.schema.proto_source_text import NO_COMMENT, Comment
from inspector.schema.wording import text

Path = tuple[int, ...]


class Comments:
    """Comments by path: field numbers and indexes, from the file down."""

    def __init__(self, info: SourceCodeInfo) -> None:
        self._found: dict[Path, Comment] = {}
        for location in info.location:
            detached = tuple(text(each) for each in location.leading_detached_comments)
            comment = Comment(detached, text(location.leading_comments), text(location.trailing_comments))
            if comment != NO_COMMENT:
                path = tuple(location.path)
                self._found[path] = _joined(self._found.get(path, NO_COMMENT), comment)

    def at(self, *paths: Path) -> Comment:
        """The comments of a declaration, which may have more than one place (a group is a field and a message)."""
        comment = NO_COMMENT
        for path in paths:
            comment = _joined(comment, self._found.get(path, NO_COMMENT))
        return comment


def _joined(first: Comment, second: Comment) -> Comment:
    """Both. (Several statements can have one place, as those with `reserved`.)"""
    before = [*first.detached]
    if first.leading and second.leading:
        before.append(first.leading)
    if first.trailing and second.trailing:
        before.append(first.trailing)
    return Comment((*before, *second.detached), second.leading or first.leading, second.trailing or first.trailing)
