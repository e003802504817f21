"""Questions to a model and its answers, as `protos/vision` has them: the everyday payload, of about 1 kB."""

from __future__ import annotations

from random import Random

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

WORDS = (
    "bicycle", "bridge", "café", "crossing", "dog", "evening", "façade", "garden",
    "house", "lantern", "market", "night", "river", "roof", "square", "tram",
)  # fmt: skip
MODEL = "models/street/versions/3"


def fill_request(message: Message, source: Random) -> None:
    """A vision.v1.PredictRequest of some 80 bytes."""
    words = " ".join(source.choice(WORDS) for _ in range(4))
    ParseDict({"model": MODEL, "text": {"content": words, "language": "en"}}, message)


def fill_response(message: Message, source: Random, labels: int = 31) -> None:
    """A vision.v1.PredictResponse: of some 1,000 bytes with 31 labels."""
    answer = {
        "name": f"predictions/{source.randrange(1 << 60):015x}",
        "model": MODEL,
        "labels": [_label(number, source) for number in range(labels)],
        "finishedAt": "2026-11-23T09:03:11.123456789Z",
        "duration": "0.012s",
    }
    ParseDict(answer, message)


def _label(number: int, source: Random) -> dict[str, object]:
    return {
        "title": f"{source.choice(WORDS)} {source.choice(WORDS)}",
        "score": source.random(),
        "class": number,
        "spans": [{"begin": number, "end": number + source.randrange(1, 300)}],
    }
