"""The verdict on a field: what all its occurrences together are most likely to be.

What each occurrence saves under a reading (`inspector.wire.content`) adds up, the share of the kind among real
fields comes to it, and an occurrence that a reading does not allow costs what damage costs, so that it does not
overrule all others. Contents that are the same count once.

Invariant: at most limits.MAX_GUESS_OCCURRENCES occurrences are weighed, spread over all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import exp2
from typing import NamedTuple

from inspector.limits import MAX_GUESS_OCCURRENCES
from inspector.wire.content import (
    BYTES_HOLD,
    PRIOR_BYTES,
    PRIOR_MESSAGE,
    PRIOR_PACKED,
    PRIOR_STRING,
    Evidence,
)
from inspector.wire.kinds import PACKED
from inspector.wire.number_likeness import fixed_bits, floating_bits, zigzag_evidence
from inspector.wire.scan import I32
from inspector.wire.tag_likeness import Tags


class Candidate(NamedTuple):
    """A reading, by its name in `inspector.wire.kinds`, and how sure it is, from 0 to 1."""

    kind: str
    confidence: float


Scores = Mapping[str, float]
"""Bits by kind; only their differences mean something."""

_NOT_UTF8 = -14.0
_NOT_A_MESSAGE = -8.0
_NOT_NUMBERS = -14.0
"""What an occurrence costs that a reading does not allow."""

_CLEAR = 100.0
"""Bits by which a reading leads that no further occurrence is asked: each of those seen says several bits for it."""

_READABLE = 0.1
"""By how much text that is printable, and no message, comes before all else at the least."""

_TEMPERATURE = 0.5
"""Savings are not as independent as adding them up takes them to be: confidences are drawn towards each other."""

_LEAST, _MOST = 0.001, 0.999


def rank(scores: Scores) -> tuple[Candidate, ...]:
    """Candidates, best first; their confidences add up to 1 at most."""
    best = max(scores.values())
    weights = {kind: exp2(max(-1000.0, (score - best) * _TEMPERATURE)) for kind, score in scores.items()}
    total = sum(weights.values())
    ranked = sorted(weights.items(), key=lambda item: -item[1])
    shares = [(kind, weight / total) for kind, weight in ranked if weight >= _LEAST * total]
    most = _MOST if len(scores) > 1 else 1.0
    return tuple(Candidate(kind, min(most, int(share * 1000) / 1000)) for kind, share in shares)


def best_of(scores: Scores) -> str:
    """The kind that scores most."""
    return max(scores, key=scores.__getitem__)


def stride(count: int, most: int = MAX_GUESS_OCCURRENCES) -> int:
    """The step that takes at most so many of `count`, evenly."""
    return 1 + max(0, count - 1) // most


def spread(count: int) -> Iterator[int]:
    """All numbers below `count`, in an order in which the first ones lie evenly, however many are taken.

    (The places of van der Corput's sequence: each number with its bits from back to front.)
    """
    size = max(0, count - 1).bit_length()
    for index in range(1 << size if count else 0):
        place = int(f"{index:0{size}b}"[::-1], 2)
        if place < count:
            yield place


def kind_of(evidence: Evidence) -> str:
    """The kind of a LEN field that occurs once."""
    if evidence.kind is None:
        evidence.kind = "string" if _is_text(evidence) else best_of(score_contents([evidence]))
    return evidence.kind


def kind_of_all(found: Sequence[Evidence]) -> str:
    """The kind of a LEN field: what the scores say, which mostly shows sooner."""
    if len(found) == 1:
        return kind_of(found[0])
    if all(map(_is_text, found)):
        return "string"
    if found and all(kind_of(evidence) == "message" for evidence in found):
        return "message"
    return best_of(score_contents(found))


def are_clear(found: Sequence[Evidence]) -> bool:
    """Whether each says the same, and all together so much that more occurrences need not be looked at."""
    scores = score_contents(found)
    best, *others = sorted(scores, key=scores.__getitem__, reverse=True)
    if others and scores[best] - scores[others[0]] < _CLEAR:
        return False
    return all(kind_of(evidence) == best for evidence in found)


def _is_text(evidence: Evidence) -> bool:
    return evidence.is_plain and evidence.tags is None


def score_contents(found: Iterable[Evidence]) -> Scores:
    """The kinds of LEN fields."""
    judged = [evidence for evidence in dict.fromkeys(found) if evidence.size]
    scores = {"string": -PRIOR_STRING, "message": -PRIOR_MESSAGE}
    tags = Tags()
    for evidence in judged:
        scores["string"] += _NOT_UTF8 if evidence.text is None else evidence.text
        scores["message"] += _NOT_A_MESSAGE if evidence.tags is None else evidence.values + tags.saving(evidence.tags)
    scores = {kind: score for kind, score in scores.items() if not judged or any(_allows(one, kind) for one in judged)}
    best = max(scores, key=scores.__getitem__, default="bytes")
    if all(_allows(one, best) for one in judged) and scores.get(best, 0.0) > sum(one.enough for one in judged):
        return scores | {"bytes": scores[best] - BYTES_HOLD * len(judged) - PRIOR_BYTES}
    scores |= _score_numbers(judged) | {"bytes": sum(one.opaque for one in judged) - PRIOR_BYTES}
    if judged and all(map(_is_text, judged)):
        scores["string"] = max(scores.values()) + _READABLE  # as short as it may be: `kind_of` does not weigh it either
    return scores


def _allows(evidence: Evidence, kind: str) -> bool:
    return (evidence.text if kind == "string" else evidence.tags) is not None


def _score_numbers(judged: Sequence[Evidence]) -> dict[str, float]:
    possible = dict.fromkeys(kind for evidence in judged for kind in evidence.packed)
    return {
        PACKED + kind: sum(evidence.packed.get(kind, _NOT_NUMBERS) for evidence in judged) - PRIOR_PACKED[kind]
        for kind in possible
    }


# --- numbers -----------------------------------------------------------------------------------------------------

_LARGE = 1 << 56
"""Numbers of a sign have smaller magnitudes; hashes seldom do."""

_LEAST_INT64 = 1 << 63
"""A number of its own, and the middle of uint64."""

_UNUSUAL = -6.0
_RARE = -9.0
_BOOL = -2.0
_BOTH, _ONE_OF_TWO = 0.5, 0.25
"""What each occurrence says for bool: other fields do not stay at 0 and 1 for long."""

_SEVERAL = 8


def score_varints(values: Sequence[int]) -> Scores:
    """The kinds of varints, `values` in order of appearance."""
    scores = {"int64": 0.0, "uint64": _score_uint64(values), "enum": _score_enum(values)}
    scores["sint64"] = _RARE + zigzag_evidence(values)
    if values and max(values) <= 1:
        scores["bool"] = _BOOL + len(values) * (_BOTH if len(set(values)) == 2 else _ONE_OF_TWO)
    return scores


def _score_uint64(values: Sequence[int]) -> float:
    over = [value for value in values if value >> 63 and value != _LEAST_INT64]
    return 2.0 * len(over) if over and all((1 << 64) - value > _LARGE for value in over) else _UNUSUAL


def _score_enum(values: Sequence[int]) -> float:
    """Few different small numbers, again and again. (They read the same as int64, which stays the likelier one.)"""
    few = len(values) >= _SEVERAL and max(values) < 64 and 4 * len(set(values)) <= len(values)
    return -1.0 if few else _UNUSUAL


@lru_cache(maxsize=4096)
def kind_of_fixed(value: int, wire_type: int) -> str:
    """The kind of a fixed field that occurs once."""
    return best_of(score_fixed([value], wire_type))


_FIXED = -2.0
_SIGNED = -3.0


def score_fixed(values: Sequence[int], wire_type: int) -> Scores:
    """The kinds of fixed numbers."""
    size = 4 if wire_type == I32 else 8
    negative = sum(0 < (1 << (8 * size)) - value < 1 << (4 * size) for value in values)
    fixed = _FIXED - sum(fixed_bits(value, size) for value in values)
    return {
        "float" if size == 4 else "double": -sum(floating_bits(value, size) for value in values),
        f"fixed{8 * size}": fixed,
        f"sfixed{8 * size}": fixed + _SIGNED + 2.0 * negative,
    }
