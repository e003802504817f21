"""Names of methods as people and captures write them, and names that are near to one that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inspector.errors import SchemaError
from inspector.schema.wording import one_line

MAX_SUGGESTIONS = 3
"""Names that a hint offers."""

MAX_COMPARED = 5_000
"""Names compared letter by letter (about 50 ms); of a larger schema only those that begin alike."""


def split_method(path: str) -> tuple[str, str]:
    """The service and the method of `pkg.Svc/Method`, `/pkg.Svc/Method` or `pkg.Svc.Method`."""
    bare = path.removeprefix("/").removeprefix(".")
    service, _, method = bare.rpartition("/" if "/" in bare else ".")
    return service, method


def near(name: str, known: Iterable[str]) -> list[str]:
    """Known names that may be meant: those with the same last component, else those that are spelled alike."""
    names = list(known)
    last = _last(name).casefold()
    same = [each for each in names if _last(each).casefold() == last]
    return same[:MAX_SUGGESTIONS] or _alike(name, last, names)


def did_you_mean(names: Sequence[str]) -> str:
    *others, final = names
    return f"did you mean {', '.join(others)} or {final}?" if others else f"did you mean {final}?"


def unknown(kind: str, name: str, *known: Iterable[str]) -> SchemaError:
    """The error for a name that is not there. A group of `known` counts if those before it have no near name."""
    suggestions = next(filter(None, (near(name, names) for names in known)), [])
    if suggestions:
        hint = did_you_mean([one_line(each) for each in suggestions])
    else:
        hint = "check the spelling, and what -s names"
    return SchemaError(f"no {kind} {one_line(name)} in the schema", hint=hint)


def _alike(name: str, last: str, names: Sequence[str]) -> list[str]:
    if len(names) > MAX_COMPARED:
        names = [each for each in names if _last(each)[:2].casefold() == last[:2]][:MAX_COMPARED]
    import difflib  # noqa: PLC0415  # takes milliseconds to load, and serves mistakes only

    whole = difflib.get_close_matches(name[:200], names, MAX_SUGGESTIONS, 0.75)
    by_last: dict[str, str] = {}
    for each in names:
        by_last.setdefault(_last(each).casefold(), each)
    return whole or [by_last[each] for each in difflib.get_close_matches(last[:200], by_last, MAX_SUGGESTIONS, 0.75)]


def _last(name: str) -> str:
    return name.rpartition(".")[2]
