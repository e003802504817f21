"""The process of `sample_server`: listens, says on which port, and ends when its standard input does."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from recording import failing, service


class Changed(service.Predictions):
    """A score and a time are others, a frame is missing, a method fails."""

    def Predict(self, request, context):
        response = super().Predict(request, context)
        for label in response.labels[:1]:
            label.score += 0.0625
        response.finished_at.seconds += 60
        context.set_trailing_metadata((("x-compute-ms", "376"), ("x-token", "t-1")))
        return response

    def WatchVideo(self, request, context):
        yield from list(super().WatchVideo(request, context))[:-1]

    def GetPrediction(self, request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "gone")


OPTIONS = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_metadata_size", 65_536),
    ("grpc.absolute_max_metadata_size", 65_536),
]
KINDS = {"plain": service.Predictions, "failing": failing.FailingPredictions, "changed": Changed}


def main(kind):
    server = grpc.server(ThreadPoolExecutor(24), options=OPTIONS)
    service.add_PredictionServiceServicer_to_server(KINDS[kind](), server)
    service.add_ModelServiceServicer_to_server(service.Models(), server)
    service.add_FeedbackServiceServicer_to_server(service.Feedback(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None).wait()


main(sys.argv[1])
