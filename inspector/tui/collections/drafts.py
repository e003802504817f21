"""Drafts of what was written, and the other way round. No toolkit in it."""

from __future__ import annotations

from pathlib import Path

from inspector.schema import Schema
from inspector.tui.compose.draft import Draft, MetadataRow
from inspector.views.request_file import body_of, written
from inspector.views.written_request import WrittenField, WrittenRequest, without_secrets


def draft_of_written(request: WrittenRequest, target: str = "") -> Draft:
    """The draft of a request, without its messages; `target` stands where it names none."""
    return Draft(
        request.method,
        (),
        request.target or target,
        request.connect,
        tuple(MetadataRow(*field) for field in request.metadata),
        request.timeout,
        request.compress,
        request.max_message,
        request.notes,
        sources=request.sources,
        import_paths=request.import_paths,
    )


def written_of(draft: Draft) -> WrittenRequest:
    """A draft as what is written, without its messages."""
    return WrittenRequest(
        draft.method,
        draft.target,
        draft.connect,
        tuple(WrittenField(*row) for row in draft.metadata if row.name),
        draft.deadline,
        draft.compress,
        draft.max_message,
        sources=draft.sources,
        import_paths=draft.import_paths,
    )


def file_of(draft: Draft, schema: Schema | None, folder: Path) -> bytes:
    """The text of a request file in the folder."""
    return written(written_of(draft), body_of(draft.messages, schema, draft.method), folder)


def hidden(draft: Draft) -> list[str]:
    """The header fields whose values a file leaves to the environment."""
    fields = written_of(draft).metadata
    return [name for (name, value, _), kept in zip(fields, without_secrets(fields), strict=True) if value != kept.value]
