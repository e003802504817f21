"""What becomes of edited calls when the composer is left: they are there again when it is opened. No toolkit in it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from inspector.schema import Schema
from inspector.tui.compose.draft import Draft
from inspector.views.form.in_step import InStep

MOST_EDITED = 100
"""Edited calls that are remembered."""

MOST_MODELS = 10
"""Those of which also what was typed and is no value, and what can be undone, is remembered."""


class Kept(NamedTuple):
    """A request as it was left: `models` are its messages with their history, made with the `schema`; the one at
    `place` was edited."""

    draft: Draft
    schema: Schema | None = None
    models: tuple[InStep, ...] = ()
    place: int = 0


class EditedCalls:
    """By the key of a call; the oldest are forgotten."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Kept] = {}

    def get(self, key: Hashable) -> Kept | None:
        return self._held.get(key)

    def keep(self, key: Hashable, kept: Kept) -> None:
        self._held.pop(key, None)
        self._held[key] = kept
        for oldest in list(self._held)[:-MOST_EDITED]:
            del self._held[oldest]
        for older in list(self._held)[:-MOST_MODELS]:
            self._held[older] = self._held[older]._replace(models=(), place=0)
