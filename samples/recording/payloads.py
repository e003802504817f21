"""Single payloads: what is inside calls, without the network around it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from google.protobuf import json_format
from google.protobuf.message import Message
from media.v1.text_pb2 import Text
from vision.v1.prediction_pb2 import Detections, Label, PredictResponse

from recording import data


def write_payloads(folder: Path) -> None:
    """Writes the payloads and, beside each, its content as JSON."""
    folder.mkdir(exist_ok=True)
    request = data.ask_image(1)
    _write(folder / "predict_request.binpb", request.SerializeToString(deterministic=True), _json(request))
    answers = _answers()
    delimited = b"".join(_varint(message.ByteSize()) + message.SerializeToString() for message in answers)
    _write(folder / "responses.delimited", delimited, [_json(message) for message in answers])
    frames = b"".join(_frame(message, packed=number == 1) for number, message in enumerate(answers))
    _write(folder / "stream.grpc", frames, [_json(message) for message in answers])


def _answers() -> list[Message]:
    label = Label(title="fox", score=0.9375, **{"class": 1})
    found = Detections(things=[Detections.Thing(label=label, heading=-12.5)], counts={True: 1, False: 4})
    text = "Ein Fuchs trinkt am Teich. " * 8
    return [
        PredictResponse(name="predictions/1", model=data.WILDLIFE, labels=[label], detections=found),
        PredictResponse(name="predictions/2", model=data.TRANSLATOR, text=Text(content=text, language="de")),
        PredictResponse(),
        PredictResponse(name="predictions/3", finished_at=data.moment(1.5), duration=data.span(0.125)),
    ]


def _write(path: Path, payload: bytes, content: object) -> None:
    path.write_bytes(payload)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def _json(message: Message) -> object:
    return json_format.MessageToDict(message)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _frame(message: Message, *, packed: bool) -> bytes:
    body = message.SerializeToString()
    body = gzip.compress(body, mtime=0) if packed else body
    return bytes([packed]) + len(body).to_bytes(4) + body
