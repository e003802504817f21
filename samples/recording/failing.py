"""A service in which things go wrong, in each of the ways gRPC has for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from google.rpc import status_pb2
from vision.v1 import prediction_pb2 as prediction
from vision.v1 import prediction_service_pb2 as service

from recording import data
from recording.service import Context, Predictions, wait_for_end

EMPTY_IMAGE = "Das Bild ist leer – 画像が空です 🙈 (100 % sicher)"


def abort(context: Context, code: grpc.StatusCode, message: str, *reasons: Message) -> NoReturn:
    """Ends the call with a google.rpc.Status in `grpc-status-details-bin`, as the package grpcio-status does it."""
    status = status_pb2.Status(code=code.value[0], message=message)
    for reason in reasons:
        status.details.add().Pack(reason)
    if reasons:
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)
    raise AssertionError


class FailingPredictions(Predictions):
    """The name of the model says what goes wrong."""

    def Predict(self, request: prediction.PredictRequest, context: Context) -> prediction.PredictResponse:
        """Fails before anything is sent, except for `models/late`."""
        if request.model == "models/late":
            context.send_initial_metadata((("x-served-by", "replica-3"),))
        if request.model == "models/slow":
            wait_for_end(context)
            abort(context, grpc.StatusCode.CANCELLED, "nobody waits any more")
        code, message, reasons = _FAULTS[request.model]
        abort(context, code, message, *reasons)

    def WatchVideo(self, request: service.WatchVideoRequest, context: Context) -> Iterator[service.FrameResult]:
        """Fails after the frames, for `models/damaged`."""
        yield from super().WatchVideo(request, context)
        if request.model == "models/damaged":
            abort(context, grpc.StatusCode.DATA_LOSS, "the film is damaged", data.fault(2))

    def UploadDataset(
        self, parts: Iterator[service.UploadDatasetRequest], context: Context
    ) -> service.UploadDatasetResponse:
        """Refuses after the header, while the client still has its side open."""
        next(parts)
        violation = details.PreconditionFailure.Violation(
            type="STATE", subject="datasets/garden-2026", description="closed"
        )
        reason = details.PreconditionFailure(violations=[violation])
        abort(context, grpc.StatusCode.FAILED_PRECONDITION, "the dataset is closed", reason)


def _bad_request() -> details.BadRequest:
    made = details.BadRequest()
    violation = made.field_violations.add(field="image.content", description="must not be empty", reason="EMPTY")
    violation.localized_message.locale = "de"
    violation.localized_message.message = "darf nicht leer sein"
    made.field_violations.add(field="options.threshold", description="must be between 0 and 1")
    return made


def _quota() -> details.QuotaFailure:
    violation = details.QuotaFailure.Violation(subject="project:garden", description="60 requests a minute")
    return details.QuotaFailure(violations=[violation])


_INFO = details.ErrorInfo(
    reason="IMAGE_EMPTY", domain="vision.example", metadata={"model": data.WILDLIFE, "limit": "1"}
)
_RETRY = details.RetryInfo(retry_delay=data.span(1.5))
_TRACE = ["predict.py:88 in forward", "tensor.py:12 in reshape: [1, 3, 640] → [3, 640]"]
_LINK = details.Help.Link(description="Quotas", url="https://vision.example/docs/quotas")

_FAULTS: dict[str, tuple[grpc.StatusCode, str, list[Message]]] = {
    "models/strict": (
        grpc.StatusCode.INVALID_ARGUMENT,
        EMPTY_IMAGE,
        [_bad_request(), _INFO, details.LocalizedMessage(locale="ja", message="画像が空です")],
    ),
    "models/busy": (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "too many requests",
        [_RETRY, _quota(), details.Help(links=[_LINK])],
    ),
    "models/late": (
        grpc.StatusCode.INTERNAL,
        "shape mismatch",
        [
            details.DebugInfo(stack_entries=_TRACE, detail="line one\nline two"),
            details.RequestInfo(request_id="req-0503", serving_data="c2FtcGxl"),
        ],
    ),
    "models/nowhere": (
        grpc.StatusCode.NOT_FOUND,
        "no such model: models/nowhere\n(50% of the names are near: models/now_here?)",
        [],
    ),
    "models/hurried": (grpc.StatusCode.DEADLINE_EXCEEDED, "6 s are needed", [_RETRY]),
    "models/private": (grpc.StatusCode.PERMISSION_DENIED, "", []),
}
