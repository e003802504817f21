"""What the sample service is asked about: a wildlife camera in a garden. The same in each recording."""

from __future__ import annotations

import random
import struct
import zlib

from common.v1.context_pb2 import RequestContext
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from legacy.v1 import annotation_pb2 as legacy
from media.v1.image_pb2 import Image, ImageFormat
from media.v1.text_pb2 import Text
from media.v1.video_pb2 import VideoSegment
from models.v1.model_pb2 import Model, ModelState, Task
from models.v1.tensor_pb2 import Tensor, TensorStatistics
from telemetry.v1.telemetry_pb2 import Measurement
from vision.v1.prediction_pb2 import FrameFault, PredictOptions, PredictRequest
from vision.v1.prediction_service_pb2 import ConverseRequest, UploadDatasetRequest, WatchVideoRequest

EPOCH = 1_773_468_000
"""2026-03-14T06:00:00Z: the clock of all messages starts here."""

CLASSES = {1: "fox", 2: "hedgehog", 3: "badger", 4: "tawny owl", 5: "cat", 6: "beech marten"}
WILDLIFE = "models/wildlife/versions/7"
TRANSLATOR = "models/babel/versions/3"
REPORT = "Two foxes crossed the garden at dawn; the smaller one stopped at the pond, drank, and looked at the camera."


def moment(seconds: float) -> Timestamp:
    """So long after the epoch of the samples."""
    return Timestamp(seconds=EPOCH + int(seconds), nanos=round(seconds % 1 * 1e9))


def span(seconds: float) -> Duration:
    """A length of time."""
    return Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


def struct_of(**values: object) -> Struct:
    """A Struct."""
    made = Struct()
    made.update(values)
    return made


def png(width: int, height: int, seed: int) -> bytes:
    """A small picture of noise in few shades, as a PNG file."""
    rng = random.Random(seed)
    rows = b"".join(b"\0" + bytes(rng.choice((16, 64, 160, 240)) for _ in range(width)) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(name, body) for name, body in parts)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def image(seed: int, size: int = 12) -> Image:
    """A small picture with its camera's notes."""
    content = png(size, size, seed)
    return Image(
        content=content,
        format=ImageFormat.IMAGE_FORMAT_PNG,
        width=size,
        height=size,
        perceptual_hash=random.Random(seed).getrandbits(64),
        crc32=zlib.crc32(content),
        taken_at=moment(seed * 60 + 0.25),
        exif=struct_of(Model="TrailCam 4", ISO=800, FNumber=2.8, Flash=False, GPS=None, Lens=["f/2.8", "6 mm"]),
    )


def raw_image(width: int, height: int) -> Image:
    """A large picture of noise, which no compression makes smaller."""
    content = random.Random(1).randbytes(width * height * 3)
    kind = ImageFormat.IMAGE_FORMAT_RAW_RGB
    return Image(content=content, format=kind, width=width, height=height, crc32=zlib.crc32(content))


def context(number: int, priority: int | None = None) -> RequestContext:
    """Who asks."""
    tags = {"team": "wildlife", "site": "garden-north"}
    made = RequestContext(request_id=f"req-{number:04d}", locale="en-GB", sent_at=moment(number), tags=tags)
    made.budget.CopyFrom(span(2.5))
    if priority is not None:
        made.priority = priority
    return made


def ask_image(number: int, model: str = WILDLIFE) -> PredictRequest:
    """What is on this picture?"""
    options = PredictOptions(max_labels=3, threshold=0.25, label_weights={"fox": 1.5, "cat": 0.5}, explain=True)
    options.parameters.update({"beam": 4, "mode": "night", "regions": ["pond", "hedge"]})
    request = PredictRequest(context=context(number, -2), model=model, image=image(number), options=options)
    request.fields.paths.extend(["labels", "detections.things", "usage"])
    return request


def ask_text(number: int, content: str = REPORT, model: str = TRANSLATOR) -> PredictRequest:
    """What is this in German?"""
    text = Text(content=content, language="en", direction=Text.DIRECTION_LEFT_TO_RIGHT)
    request = PredictRequest(context=context(number), model=model, text=text)
    request.options.seed = 18_446_744_073_709_551_557
    request.options.max_labels = 0
    request.options.stop.extend(["\n\n", "END"])
    return request


def ask_tensors(number: int, length: int = 6) -> PredictRequest:
    """Numbers of every kind."""
    rng = random.Random(number)
    tensors = [
        Tensor(name="pixels", shape=[1, length], floats=Tensor.Floats(values=[n / 8 for n in range(length)])),
        Tensor(name="depth", shape=[length], doubles=Tensor.Doubles(values=[rng.gauss(0, 1) for _ in range(length)])),
        Tensor(name="offsets", shape=[-1], int32s=Tensor.Int32s(values=[-(2**31), -1, 0, 1, 2**31 - 1])),
        Tensor(name="ticks", shape=[3], int64s=Tensor.Int64s(values=[-(2**63), -1, 2**63 - 1])),
        Tensor(name="ids", shape=[4], uint32s=Tensor.UInt32s(values=[101, 7592, 2088, 2**32 - 1])),
        Tensor(name="hashes", shape=[2], uint64s=Tensor.UInt64s(values=[0, 2**64 - 1])),
        Tensor(name="mask", shape=[4], bools=Tensor.Bools(values=[True, True, False, True])),
        Tensor(name="tokens", shape=[3], strings=Tensor.Strings(values=["Fuchs", "", "キツネ🦊"])),
        Tensor(name="half", shape=[2], raw=b"\x00\x3c\x00\xc0"),
    ]
    request = PredictRequest(context=context(number), model="models/embed/versions/1")
    request.tensors.tensors.extend(tensors)
    return request


def ask_video(number: int, frames: int, model: str = WILDLIFE) -> WatchVideoRequest:
    """What is on this film? The sample service looks at one frame a second."""
    video = VideoSegment(uri="store:garden/dawn.mp4", start=span(12.5), length=span(frames), frame_rate=1.0)
    video.skip_tracks.extend([1, 2])
    options = PredictOptions(threshold=0.5)
    return WatchVideoRequest(context=context(number), model=model, video=video, options=options)


def upload(number: int, examples: int) -> list[UploadDatasetRequest]:
    """A header and some pictures."""
    header = UploadDatasetRequest.Header(context=context(number), dataset="datasets/garden-2026", classes=CLASSES)
    parts = [UploadDatasetRequest(header=header)]
    for index in range(examples):
        example = UploadDatasetRequest.Example(image=image(number + index, 8), classes=[1 + index % 6, 5])
        example.hold_back = index % 4 == 3
        parts.append(UploadDatasetRequest(example=example))
    return parts


def setup() -> ConverseRequest:
    """The first turn of a conversation."""
    options = PredictOptions(max_labels=2, seed=7)
    return ConverseRequest(setup=ConverseRequest.Setup(model=WILDLIFE, options=options, idle_timeout=span(30)))


def say(text: str) -> ConverseRequest:
    """A turn in words."""
    return ConverseRequest(text=text)


def look(seed: int) -> ConverseRequest:
    """A turn with a picture."""
    return ConverseRequest(image=image(seed, 8))


def model(name: str = WILDLIFE) -> Model:
    """A model with something in each of its fields."""
    statistics = TensorStatistics(mean=0.4375, deviation=0.25, count=2**40, not_a_number=3, balance=-77, version=9)
    statistics.smallest, statistics.largest, statistics.zero_point, statistics.scale_exponent = -128, 127, -4, -7
    statistics.checksum = 0xFEDC_BA98_7654_3210
    statistics.histogram.update({-2: 10, -1: 200, 0: 4000, 1: 180})
    made = Model(name=name, title="Wildlife, Europe", state=ModelState.MODEL_STATE_READY, classes=CLASSES)
    made.tasks.extend([Task.TASK_DETECT, Task.TASK_CLASSIFY])
    made.trained_at.CopyFrom(moment(-86_400.5))
    made.signatures["pixels"].shape.extend([-1, 3, 640, 640])
    made.signatures["pixels"].type = Model.Signature.TYPE_FLOAT16
    made.signatures["caption"].unit = "token"
    made.evaluation.update({True: 9_412, False: 588})
    _override(made.overrides)
    made.training.update({"epochs": 90, "schedule": {"kind": "cosine", "warmup": 0.05}, "augment": True})
    made.statistics["pixels"].CopyFrom(statistics)
    made.weights.Pack(statistics)
    made.parent.name, made.parent.state = "models/wildlife/versions/6", ModelState.MODEL_STATE_BROKEN
    return made


def _override(overrides: Model.Overrides) -> None:
    overrides.temperature.value = 0.7
    overrides.threshold.value = 0.5
    overrides.max_input_bytes.value = 2**33
    overrides.seed.value = 2**64 - 1
    overrides.batch_size.value = 0
    overrides.replicas.value = 4
    overrides.cache.value = False
    overrides.region.value = "eu-central"
    overrides.watermark.value = b"\x00\xff\xfe"
    overrides.timeout.CopyFrom(span(1.5))


def annotation() -> legacy.Annotation:
    """A proto2 message with groups and extensions."""
    made = legacy.Annotation(picture="IMG_0042.jpg", author=17, quality=legacy.Annotation.EXCELLENT)
    region = made.region.add(title="fox", corners=[120, -4, 300, 260])
    region.stroke.width, region.stroke.color = 3.5, 0xFF8800
    made.region.add(title="pond", corners=[0, 400, 640, 400, 640, 480])
    made.Extensions[legacy.Review.review].reviewer = "Zoë"
    made.Extensions[legacy.Review.review].agreed = True
    made.Extensions[legacy.keywords].extend(["night", "pond"])
    return made


def measurement(number: int, buckets: int = 3) -> Measurement:
    """A message of an edition, with delimited fields."""
    made = Measurement(client="trailcam-4", sequence=number, value=12.5 * number, kind=Measurement.LATENCY)
    made.origin.component, made.origin.line = "shutter", 100 + number
    made.origin.caller.component = "motion"
    made.buckets.extend(range(1, buckets + 1))
    made.samples.extend([0.5, -0.25, 1e-3])
    made.taken_at.CopyFrom(moment(number))
    made.related["lens"].component = "focus"
    return made


def fault(frame: int) -> FrameFault:
    """Detail of an error, of a type of our own."""
    return FrameFault(frame=frame, reason="slice header damaged", excerpt=b"\x00\x00\x01\x65\x88")
