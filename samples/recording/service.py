"""The sample server: answers as a real one might, and always the same."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import grpc
from common.v1.geometry_pb2 import Box, Point, Polygon
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from media.v1.image_pb2 import Image
from media.v1.text_pb2 import Text, TextSpan
from media.v1.video_pb2 import VideoFrame
from models.v1 import model_service_pb2 as models
from models.v1.model_pb2 import Model, ModelState
from models.v1.model_service_pb2_grpc import ModelServiceServicer, add_ModelServiceServicer_to_server
from models.v1.tensor_pb2 import Tensor, TensorStatistics
from telemetry.v1.telemetry_pb2 import Measurement, Receipt
from vision.v1 import feedback_service_pb2 as _feedback  # noqa: F401  (so that its methods are found by name)
from vision.v1 import prediction_pb2 as prediction
from vision.v1 import prediction_service_pb2 as service
from vision.v1.feedback_service_pb2_grpc import FeedbackServiceServicer, add_FeedbackServiceServicer_to_server
from vision.v1.prediction_service_pb2_grpc import PredictionServiceServicer, add_PredictionServiceServicer_to_server

from recording import data
from recording.dumpcap import Trouble
from recording.journal import Journal

Context = grpc.ServicerContext


def label(number: int, score: float, *spans: tuple[int, int]) -> prediction.Label:
    """A word for class `number`."""
    found = [TextSpan(begin=begin, end=end) for begin, end in spans]
    return prediction.Label(title=data.CLASSES[number], score=score, spans=found, **{"class": number})


def thing(rng: random.Random) -> prediction.Detections.Thing:
    """Something found on a picture."""
    left, top, right, bottom = (rng.randrange(64) / 128 + shift for shift in (0, 0, 0.5, 0.5))
    corners = [Point(x=left, y=top), Point(x=right, y=top), Point(x=right, y=bottom)]
    found = prediction.Detections.Thing(
        label=label(rng.randint(1, 6), rng.randrange(64, 128) / 128),
        box=Box(min=corners[0], max=corners[2]),
        outline=Polygon(points=corners),
    )
    if rng.random() < 0.5:
        found.heading = rng.randrange(-1800, 1800) / 10
    return found


def detections(seed: int, things: int) -> prediction.Detections:
    """What is on a picture."""
    rng = random.Random(seed)
    found = prediction.Detections(things=[thing(rng) for _ in range(things)], counts={True: things, False: seed % 5})
    for number, item in enumerate(found.things[:1], 1):
        found.tracks[number].CopyFrom(item)
    return found


def usage(request: Message) -> prediction.Usage:
    """What a request costs."""
    size = request.ByteSize()
    costs = {"credits": size / 1024}
    compute = data.span(size / 4096)
    return prediction.Usage(input_tokens=size // 4, output_tokens=21, input_bytes=size, compute=compute, costs=costs)


def wait_for_end(context: Context) -> None:
    """Returns when the client has given up or its deadline has passed."""
    over = threading.Event()
    if context.add_callback(over.set):
        over.wait(30)


class Predictions(PredictionServiceServicer):
    """Knows six animals."""

    def Predict(self, request: prediction.PredictRequest, context: Context) -> prediction.PredictResponse:
        """Answers in the form that fits the input."""
        context.send_initial_metadata((("x-served-by", "replica-2"),))
        digest = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
        response = prediction.PredictResponse(name=f"predictions/{digest[:8]}", model=request.model)
        _ANSWERS[request.WhichOneof("input")](request, response)
        response.finished_at.CopyFrom(data.moment(request.context.sent_at.seconds - data.EPOCH + 0.375))
        response.duration.CopyFrom(data.span(0.375))
        response.usage.CopyFrom(usage(request))
        context.set_trailing_metadata((("x-compute-ms", "375"), ("x-trace-bin", bytes.fromhex(digest[:32]))))
        return response

    def GetPrediction(self, request: service.GetPredictionRequest, _: Context) -> prediction.PredictResponse:
        """An answer from the archive."""
        labels = [label(1, 0.875), label(5, 0.0625)]
        return prediction.PredictResponse(name=request.name, model=data.WILDLIFE, labels=labels)

    def DeletePrediction(self, _request: service.DeletePredictionRequest, _: Context) -> Empty:
        """There is no archive."""
        return Empty()

    def WatchVideo(self, request: service.WatchVideoRequest, context: Context) -> Iterator[service.FrameResult]:
        """One result for each second asked for; `models/endless` gives two and then waits for the end of the call."""
        context.send_initial_metadata((("x-served-by", "replica-1"),))
        frames = request.video.length.seconds
        for number in range(frames):
            yield _frame(number, frames)
        if request.model == "models/endless":
            wait_for_end(context)

    def UploadDataset(self, parts: Iterator[service.UploadDatasetRequest], _: Context) -> service.UploadDatasetResponse:
        """Stores nothing."""
        response = service.UploadDatasetResponse(dataset=next(parts).header.dataset, stored_at=data.moment(900))
        for place, part in enumerate(parts, 1):
            if part.example.hold_back:
                response.refused[place] = "too dark"
            else:
                response.stored += 1
        return response

    def Converse(
        self, turns: Iterator[service.ConverseRequest], context: Context
    ) -> Iterator[service.ConverseResponse]:
        """A turn in words is answered with two parts, a picture with what is on it, a setup with a greeting."""
        context.send_initial_metadata((("x-conversation", "c-77"),))
        for number, turn in enumerate(turns, 1):
            yield from _reply(number, turn)


def _frame(number: int, frames: int) -> service.FrameResult:
    frame = VideoFrame(number=number, presentation_ticks=90_000 * number - 3_003, tick_delta=-3 if number % 2 else 3)
    frame.key_frame = number % 3 == 0
    if frame.key_frame:
        frame.thumbnail.CopyFrom(Image(uri=f"store:garden/dawn/{number:04d}.webp", format=3, width=160, height=90))
    found = detections(number, 1 + number % 2)
    return service.FrameResult(frame=frame, detections=found, progress=(number + 1) / frames)


def _reply(number: int, turn: service.ConverseRequest) -> Iterator[service.ConverseResponse]:
    kind = turn.WhichOneof("turn")
    if kind == "setup":
        yield service.ConverseResponse(turn=number, text="Hello. Show me a picture.", usage=usage(turn))
    elif kind == "image":
        yield service.ConverseResponse(turn=number, detections=detections(number, 1), usage=usage(turn))
    else:
        yield service.ConverseResponse(turn=number, text=f"You said “{turn.text}”.")
        yield service.ConverseResponse(turn=number, text="It is most likely a fox. 🦊", usage=usage(turn))


def _answer_image(request: prediction.PredictRequest, response: prediction.PredictResponse) -> None:
    response.labels.extend([label(1, 0.9375), label(6, 0.03125)])
    response.detections.CopyFrom(detections(request.image.width, 2))
    response.extra.Pack(TensorStatistics(mean=0.5, count=request.image.width * request.image.height, histogram={-1: 7}))
    if request.options.explain:
        regions = ["ears", "tail"]
        response.explanation.struct_value.update({"method": "saliency", "regions": regions, "seed": None})


def _answer_text(request: prediction.PredictRequest, response: prediction.PredictResponse) -> None:
    response.labels.append(label(1, 0.75, (4, 9), (46, 57)))
    german = "Zwei Füchse liefen im Morgengrauen durch den Garten; der kleinere blieb am Teich stehen."
    response.text.CopyFrom(Text(content=german, language="de", direction=request.text.direction))
    response.explanation.number_value = 0.25


def _answer_tensors(request: prediction.PredictRequest, response: prediction.PredictResponse) -> None:
    values = [len(tensor.name) / 4 for tensor in request.tensors.tensors]
    values += [float("inf"), float("-inf"), float("nan")]
    response.tensor.CopyFrom(Tensor(name="logits", shape=[len(values)], doubles=Tensor.Doubles(values=values)))


def _answer_nothing(_request: prediction.PredictRequest, response: prediction.PredictResponse) -> None:
    response.error.code, response.error.message = 3, "nothing to look at"


_ANSWERS: dict[str | None, Callable[[prediction.PredictRequest, prediction.PredictResponse], None]] = {
    "image": _answer_image,
    "text": _answer_text,
    "tensors": _answer_tensors,
    "video": _answer_nothing,
    None: _answer_nothing,
}


class Models(ModelServiceServicer):
    """Two models, which cannot be changed."""

    def GetModel(self, request: models.GetModelRequest, _: Context) -> Model:
        """The model, whatever its name."""
        return data.model(request.name)

    def ListModels(self, request: models.ListModelsRequest, _: Context) -> models.ListModelsResponse:
        """One page of models."""
        found = [Model(name=f"models/wildlife/versions/{number + 1}") for number in range(request.page.size)]
        return models.ListModelsResponse(models=found, next_token="bmV4dA")

    def UpdateModel(self, request: models.UpdateModelRequest, _: Context) -> Model:
        """The model as it would be."""
        return request.model

    def DeleteModel(self, _request: models.DeleteModelRequest, _: Context) -> Empty:
        """Nothing is withdrawn."""
        return Empty()

    def WatchModel(self, request: models.GetModelRequest, _: Context) -> Iterator[models.ModelEvent]:
        """A model's life in short."""
        for state in (ModelState.MODEL_STATE_TRAINING, ModelState.MODEL_STATE_SERVING, ModelState.MODEL_STATE_BROKEN):
            yield models.ModelEvent(name=request.name, state=state, reason="schedule")


class Feedback(FeedbackServiceServicer):
    """Thanks for everything."""

    def SubmitAnnotation(self, _request: Message, _: Context) -> Empty:
        """Takes it."""
        return Empty()

    def ReportTelemetry(self, parts: Iterator[Measurement], _: Context) -> Receipt:
        """Adds up."""
        values = [part.value for part in parts]
        return Receipt(accepted=len(values), span=data.span(len(values)), sums={"LATENCY": sum(values)})


class Witness(grpc.ServerInterceptor):
    """Writes down each message that the server reads and writes."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def intercept_service(self, continuation: Callable[[Any], Any], details: grpc.HandlerCallDetails) -> Any:
        """Wraps the handler's serializers."""
        handler = continuation(details)
        request_id = dict(details.invocation_metadata).get("x-request-id")
        if handler is None or request_id is None:
            return handler
        served = self._journal.served(request_id)

        def read(message: bytes) -> Any:
            served.requests.append(message)
            return handler.request_deserializer(message)

        def write(message: Any) -> bytes:
            served.responses.append(handler.response_serializer(message))
            return served.responses[-1]

        return handler._replace(request_deserializer=read, response_serializer=write)


class Server:
    """A grpcio server on loopback with the three sample services."""

    def __init__(
        self,
        journal: Journal,
        port: int,
        *,
        host: str = "127.0.0.1",
        predictions: PredictionServiceServicer | None = None,
        options: Sequence[tuple[str, Any]] = (),
        compression: grpc.Compression | None = None,
    ) -> None:
        self.target = f"{host}:{port}"
        self._server = grpc.server(
            ThreadPoolExecutor(24),
            interceptors=[Witness(journal)],
            options=[("grpc.so_reuseport", 0), *options],
            compression=compression,
        )
        add_PredictionServiceServicer_to_server(predictions or Predictions(), self._server)
        add_ModelServiceServicer_to_server(Models(), self._server)
        add_FeedbackServiceServicer_to_server(Feedback(), self._server)
        try:
            self._server.add_insecure_port(self.target)
        except RuntimeError as error:
            raise Trouble(f"{self.target} is not free; choose another with --port") from error

    def __enter__(self) -> Server:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(None).wait()
