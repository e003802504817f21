from __future__ import annotations

from command import ROOT, run

PROTOS = ROOT / "protos"


def test_services_are_listed_a_name_a_line():
    result = run("list", "-s", PROTOS)
    assert (result.code, result.err) == (0, "")
    services = ("kitchen.v1.KitchenService", "models.v1.ModelService", "vision.v1.FeedbackService")
    assert result.out.decode().split() == [*services, "vision.v1.PredictionService"]


def test_methods_of_a_service_are_listed_with_their_kinds():
    out = run("list", "models.v1.ModelService", "-l", "-s", PROTOS).out.decode()
    rows = {line.split()[0]: line.split("  ")[1:] for line in out.splitlines()}
    assert [each.strip() for each in rows["models.v1.ModelService.WatchModel"] if each] == [
        "server streaming", "models.v1.GetModelRequest", "models.v1.ModelEvent"
    ]  # fmt: skip


def test_a_kind_of_a_package_is_listed():
    assert run("list", "legacy.v1", "--kind", "extension", "-s", PROTOS).out.splitlines() == [
        b"legacy.v1.Review.review", b"legacy.v1.effort", b"legacy.v1.keywords"
    ]  # fmt: skip
    rows = run("list", "--kind", "method", "--output", "json", "-s", PROTOS).rows
    assert "/models.v1.ModelService/DeleteModel" in [row["path"] for row in rows]


def test_mistakes_say_what_to_do():
    assert "did you mean vision.v1.PredictionService" in run("list", "vision.v1.PredictionServce", "-s", PROTOS).err
    assert "-s grpc://localhost:50051" in run("list", "localhost:50051").err
    assert run("list").code == 2


def test_an_always_known_package_is_listed_where_it_is_asked_for():
    assert run("list", "google.longrunning").out == b"google.longrunning.Operations\n"
    assert b"google.rpc.Status\n" in run("list", "google.rpc", "--kind", "message").out
