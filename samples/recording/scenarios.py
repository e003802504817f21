"""The captures, one function each. Each leaves a capture and its log in `samples/`."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from models.v1.model_pb2 import Model
from models.v1.model_service_pb2 import (
    DeleteModelRequest,
    GetModelRequest,
    ListModelsRequest,
    UpdateModelRequest,
)
from vision.v1.prediction_service_pb2 import (
    DeletePredictionRequest,
    FrameResult,
    GetPredictionRequest,
    WatchVideoRequest,
)

from recording import data
from recording.client import Client
from recording.dumpcap import Recording, Trouble
from recording.failing import FailingPredictions
from recording.journal import Journal
from recording.packets import Packet, ended_by, segment, write_pcap, write_pcapng
from recording.service import Predictions, Server

PREDICTION = "/vision.v1.PredictionService"
FEEDBACK = "/vision.v1.FeedbackService"
MODELS = "/models.v1.ModelService"


@dataclass
class Stage:
    """What a scenario needs: where its files go, which port, and the journal."""

    folder: Path
    port: int
    journal: Journal = field(default_factory=Journal)

    def save(self, name: str, packets: list[Packet], captures: tuple[str, ...] = ()) -> None:
        """Writes `NAME.pcapng` and the log, once both sides are found to agree."""
        self.journal.check()
        write_pcapng(self.folder / f"{name}.pcapng", packets)
        self.journal.write(self.folder / f"{name}.log.json", captures or (f"{name}.pcapng",), self.port)


def predict(stage: Stage) -> None:
    """The four kinds of calls; the same as classic pcap, compressed, and cut off in the middle of a packet."""
    with (
        Recording(stage.port) as recording,
        Server(stage.journal, stage.port) as server,
        Client(server.target, stage.journal, "demo") as client,
    ):
        last = _conversation(client)
    stage.save("predict", recording.packets, ("predict.pcapng", "predict.pcap", "predict.pcap.gz"))
    write_pcap(stage.folder / "predict.pcap", recording.packets)
    content = (stage.folder / "predict.pcap").read_bytes()
    (stage.folder / "predict.pcap.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    _truncate(stage, recording.packets, last)


def _conversation(client: Client) -> bytes:
    client.call(f"{MODELS}/GetModel", GetModelRequest(name=data.WILDLIFE))
    client.call(f"{PREDICTION}/Predict", data.ask_image(1), metadata=[("x-client", "trailcam/4.2")], timeout=10)
    client.call(f"{PREDICTION}/Predict", data.ask_text(2), timeout=10)
    client.call(f"{PREDICTION}/WatchVideo", data.ask_video(3, 4))
    client.call(f"{PREDICTION}/UploadDataset", *data.upload(4, 4))
    client.call(f"{FEEDBACK}/SubmitAnnotation", data.annotation())
    client.call(f"{FEEDBACK}/ReportTelemetry", *[data.measurement(number) for number in range(3)])
    client.call(f"{PREDICTION}/Predict", data.ask_tensors(5))
    client.call(f"{PREDICTION}/GetPrediction", GetPredictionRequest(name="predictions/00000000"))
    dialogue = client.converse(f"{PREDICTION}/Converse", [("x-client", "trailcam/4.2")])
    dialogue.say(data.setup(), 1)
    dialogue.say(data.say("What was that in the hedge?"), 2)
    dialogue.say(data.look(6), 1)
    dialogue.say(data.say("goodbye"), 2)
    return dialogue.end().responses[3].SerializeToString()


def _truncate(stage: Stage, packets: list[Packet], last: bytes) -> None:
    """Cuts the file in the middle of the packet with the answer `last` of the last call."""
    place = next(index for index, packet in enumerate(packets) if last in packet.data)
    path = stage.folder / "truncated.pcapng"
    write_pcapng(path, packets[: place + 1])
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(last) + len(last) // 2])
    call = stage.journal.calls[-1]
    del call.requests[3:], call.responses[3:]
    call.status, call.trailing, call.complete, call.ended_by = None, [], False, "end_of_capture"
    call.status_in_capture = False
    call.note = "the file ends in the middle of the packet with the fourth response"
    stage.journal.write(stage.folder / "truncated.log.json", ["truncated.pcapng"], stage.port)


def concurrent(stage: Stage) -> None:
    """Three connections with three workers each, whose streams are interleaved."""
    with Recording(stage.port) as recording, Server(stage.journal, stage.port) as server:
        clients = [Client(server.target, stage.journal, f"conn{number}") for number in range(1, 4)]
        together = threading.Barrier(9, timeout=15)
        workers = [
            threading.Thread(target=_worker, args=(clients[number % 3], number, together)) for number in range(9)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for client in clients:
            client.channel.close()
        if together.broken:
            raise Trouble("a worker of the concurrent sample failed")
    stage.save("concurrent", recording.packets)


def _worker(client: Client, number: int, together: threading.Barrier) -> None:
    seed = number * 100
    tag = [("x-worker", f"w{number}")]
    jobs: list[Callable[[], object]] = [
        lambda: client.call(f"{PREDICTION}/Predict", data.ask_image(seed + 1), metadata=tag),
        lambda: client.call(f"{PREDICTION}/WatchVideo", data.ask_video(seed + 2, 5), metadata=tag),
        lambda: client.call(f"{PREDICTION}/UploadDataset", *data.upload(seed + 3, 3), metadata=tag),
        lambda: _talk(client, seed, tag, together),
    ]
    try:
        for turn in range(3):
            together.wait()
            jobs[(number + turn) % 3]()
        together.wait()
        jobs[3]()
    except BaseException:
        together.abort()
        raise


def _talk(client: Client, seed: int, tag: list[tuple[str, str | bytes]], together: threading.Barrier) -> None:
    dialogue = client.converse(f"{PREDICTION}/Converse", tag)
    dialogue.say(data.setup(), 1)
    for turn in range(2):
        together.wait()
        dialogue.say(data.say(f"Question {turn} of {seed}"), 2)
    dialogue.end()


class _Squeezed(Predictions):
    """Leaves one message of each stream as it is."""

    def WatchVideo(self, request: WatchVideoRequest, context: grpc.ServicerContext) -> Iterator[FrameResult]:
        for number, result in enumerate(super().WatchVideo(request, context)):
            if number == 1:
                context.disable_next_message_compression()
            yield result


class _Deflated(Predictions):
    """Answers with deflate whatever the server's own compression is."""

    def WatchVideo(self, request: WatchVideoRequest, context: grpc.ServicerContext) -> Iterator[FrameResult]:
        context.set_compression(grpc.Compression.Deflate)
        yield from super().WatchVideo(request, context)


def compressed(stage: Stage) -> None:
    """gzip and deflate both ways; some messages are sent as they are."""
    text = " ".join(f"{data.REPORT} ({number})" for number in range(12))
    with Recording(stage.port) as recording:
        with (
            Server(stage.journal, stage.port, predictions=_Squeezed(), compression=grpc.Compression.Gzip) as server,
            Client(server.target, stage.journal, "gzip") as client,
        ):
            _gzip(client, text)
        with (
            Server(stage.journal, stage.port, predictions=_Deflated()) as server,
            Client(server.target, stage.journal, "deflate") as client,
        ):
            _deflate(client, text)
    stage.save("gzip", recording.packets)


def _gzip(client: Client, text: str) -> None:
    packed: dict[str, Any] = {"compression": grpc.Compression.Gzip, "encodings": ("gzip", "gzip")}
    client.call(f"{PREDICTION}/Predict", data.ask_text(1, text), **packed)
    client.call(f"{PREDICTION}/Predict", data.ask_tensors(2, 64), encodings=("identity", "gzip"))
    note = "the second response is not compressed although the stream is"
    client.call(f"{PREDICTION}/WatchVideo", data.ask_video(3, 4), note=note, **packed)
    client.call(f"{PREDICTION}/UploadDataset", *data.upload(4, 3), **packed)
    client.call(f"{FEEDBACK}/ReportTelemetry", *[data.measurement(number, 200) for number in range(3)], **packed)
    note = "messages that gzip makes no smaller are sent as they are"
    dialogue = client.converse(f"{PREDICTION}/Converse", note=note, **packed)
    dialogue.say(data.setup(), 1)
    dialogue.say(data.say(text), 2)
    dialogue.say(data.say("short"), 2)
    dialogue.end()


def _deflate(client: Client, text: str) -> None:
    deflate = grpc.Compression.Deflate
    client.call(f"{PREDICTION}/WatchVideo", data.ask_video(5, 3), compression=deflate, encodings=("deflate", "deflate"))
    client.call(f"{PREDICTION}/Predict", data.ask_text(6, text), compression=deflate, encodings=("deflate", "identity"))


def errors(stage: Stage) -> None:
    """Every way in which a call ends badly."""
    with (
        Recording(stage.port) as recording,
        Server(stage.journal, stage.port, predictions=FailingPredictions()) as server,
        Client(server.target, stage.journal, "err") as client,
    ):
        _fail(client)
        _give_up(client)
        client.call(f"{PREDICTION}/GetPrediction", GetPredictionRequest(name="predictions/2"))
    for number, call in enumerate(stage.journal.calls):
        call.ended_by = ended_by(recording.packets, stage.port, 2 * number + 1)
        if call.ended_by == "both":
            raise Trouble(f"{call.id}: client and server gave up in the same moment; record errors again")
    stage.save("errors", recording.packets)


def _fail(client: Client) -> None:
    path = f"{PREDICTION}/Predict"
    client.call(path, data.ask_image(501, "models/strict"))
    client.call(path, data.ask_text(502, model="models/busy"))
    client.call(path, data.ask_text(503, model="models/late"))
    client.call(path, data.ask_text(504, model="models/nowhere"))
    client.call(path, data.ask_text(505, model="models/private"))
    client.call(f"{PREDICTION}/ExplainPrediction", GetPredictionRequest(name="predictions/1"))
    client.unknown("/vision.v2.OracleService/Foretell", note="a service that no schema has")
    client.call(f"{PREDICTION}/WatchVideo", data.ask_video(508, 2, "models/damaged"))
    note = "the server ends the call while the client's side is open"
    client.call(f"{PREDICTION}/UploadDataset", data.upload(509, 0)[0], keep_open=True, note=note)
    note = "the server sees that the deadline is too near"
    client.call(path, data.ask_text(510, model="models/hurried"), timeout=5, note=note)


def _give_up(client: Client) -> None:
    # Client and server both watch the deadline. gRPC rounds what it tells the server up, by 10 ms in this order of
    # magnitude and by 1 ms below a second: with less than a second, it would be open who is first.
    deadline = 1.2
    note = "the deadline passes before there is an answer"
    client.call(f"{PREDICTION}/Predict", data.ask_text(511, model="models/slow"), timeout=deadline, note=note)
    note = "the deadline passes after two responses"
    endless = data.ask_video(512, 2, "models/endless")
    client.call(f"{PREDICTION}/WatchVideo", endless, timeout=deadline, note=note)
    note = "the client cancels after two responses"
    client.call(f"{PREDICTION}/WatchVideo", endless, cancel_after=2, note=note)
    dialogue = client.converse(f"{PREDICTION}/Converse", note="the client cancels between two turns")
    dialogue.say(data.setup(), 1)
    dialogue.say(data.say("never mind"), 2)
    dialogue.cancel()


FRAMES = [("grpc.http2.max_frame_size", 16_384), ("grpc.http2.bdp_probe", 0)]
"""Frames as short as with most servers; grpcio by itself allows 4 MiB, and takes no other number while it probes."""


def large(stage: Stage) -> None:
    """A message of 1.1 MB in many DATA frames; and the same with the first part of the capture missing."""
    request = data.ask_image(2)
    request.image.CopyFrom(data.raw_image(640, 576))
    with (
        Recording(stage.port) as recording,
        Server(stage.journal, stage.port, options=FRAMES) as server,
        Client(server.target, stage.journal, "large") as client,
    ):
        client.call(f"{PREDICTION}/Predict", data.ask_text(1))
        client.call(f"{PREDICTION}/Predict", request, note="the request has 1.1 MB")
        client.call(f"{PREDICTION}/Predict", data.ask_image(3))
        client.call(f"{MODELS}/ListModels", ListModelsRequest(page={"size": 2}))
        client.call(f"{PREDICTION}/Predict", data.ask_text(4))
    stage.save("large", recording.packets)
    _cut_front(stage, recording.packets)


def _cut_front(stage: Stage, packets: list[Packet]) -> None:
    """Keeps about the last 300 kB of the large message and all that follows."""
    left, place = 0, len(packets)
    while left < 300_000:
        place -= 1
        found = segment(packets[place])
        left += len(found.payload) if found else 0
    write_pcapng(stage.folder / "midmessage.pcapng", packets[place:])
    calls = stage.journal.calls = stage.journal.calls[1:]
    calls[0].started_in_capture = calls[0].complete = False
    calls[0].requests.clear()
    calls[0].note = "the capture begins in the middle of the request"
    for call in calls:
        call.path_in_capture, call.status_in_capture = call.method.startswith(MODELS), False
    stage.journal.write(stage.folder / "midmessage.log.json", ["midmessage.pcapng"], stage.port)


def ipv6(stage: Stage) -> None:
    """A server on [::1]."""
    with (
        Recording(stage.port) as recording,
        Server(stage.journal, stage.port, host="[::1]") as server,
        Client(server.target, stage.journal, "six") as client,
    ):
        client.call(f"{PREDICTION}/Predict", data.ask_image(1))
        client.call(f"{PREDICTION}/WatchVideo", data.ask_video(2, 2))
        client.call(f"{PREDICTION}/DeletePrediction", DeletePredictionRequest(name="predictions/1"))
    stage.save("ipv6", recording.packets)


def midstream(stage: Stage) -> None:
    """The capture begins when the connection has long been in use, and one of its calls is half done."""
    with Server(stage.journal, stage.port) as server:
        client = Client(server.target, stage.journal, "mid")
        _warm_up(client)
        note = "was open when the capture began; only what came after is listed"
        dialogue = client.converse(f"{PREDICTION}/Converse", note=note)
        dialogue.say(data.setup(), 1)
        dialogue.say(data.say("before the capture"), 2)
        with Recording(stage.port) as recording:
            stage.journal.capture_begins()
            client.call(f"{PREDICTION}/Predict", data.ask_text(10))
            dialogue.say(data.say("after the capture began"), 2)
            client.call(f"{PREDICTION}/WatchVideo", data.ask_video(11, 2), metadata=[("x-client", "trailcam/4.2")])
            client.call(f"{MODELS}/ListModels", ListModelsRequest(page={"size": 2}), metadata=[("x-new", "never seen")])
            client.call(f"{MODELS}/ListModels", ListModelsRequest(page={"size": 1}))
            client.call(f"{PREDICTION}/Predict", data.ask_image(12), timeout=5)
            unknown = GetPredictionRequest(name="predictions/1")
            client.call(f"{PREDICTION}/ExplainPrediction", unknown, ended_by="trailers_only")
            dialogue.say(data.look(13), 1)
            dialogue.end()
            client.channel.close()
    stage.save("midstream", recording.packets)


def _warm_up(client: Client) -> None:
    tag: list[tuple[str, str | bytes]] = [("x-client", "trailcam/4.2")]
    client.call(f"{PREDICTION}/Predict", data.ask_text(1), metadata=tag)
    client.call(f"{PREDICTION}/Predict", data.ask_image(2), timeout=5)
    client.call(f"{PREDICTION}/WatchVideo", data.ask_video(3, 1), metadata=tag)


def every_model_method(client: Client, metadata: list[tuple[str, str | bytes]]) -> None:
    """One call to each method of the catalogue."""
    name = data.WILDLIFE
    changed = UpdateModelRequest(model=Model(name=name, title="Wildlife"), update_mask={"paths": ["title", "tasks"]})
    client.call(f"{MODELS}/GetModel", GetModelRequest(name=name), metadata=metadata)
    client.call(f"{MODELS}/ListModels", ListModelsRequest(page={"size": 1, "token": "a"}), metadata=metadata)
    client.call(f"{MODELS}/UpdateModel", changed, metadata=metadata)
    client.call(f"{MODELS}/WatchModel", GetModelRequest(name=name), metadata=metadata)
    client.call(f"{MODELS}/DeleteModel", DeleteModelRequest(name=name), metadata=metadata)
