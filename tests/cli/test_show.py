"""`inspector show`, as a process, over real captures."""

from __future__ import annotations

import re

import pytest
from command import SAMPLES, SCHEMA, on_terminal, run
from http2_traffic import REQUEST
from made_capture import capture

PREDICT = SAMPLES / "predict.pcapng"
ERRORS = SAMPLES / "errors.pcapng"


def text(*arguments):
    result = run("show", *arguments)
    assert (result.code, result.err) == (0, "")
    return result.out.decode()


def test_a_call_is_shown_whole():
    shown = text(PREDICT, 2, "-s", SCHEMA)
    assert shown.startswith("Call 2  /vision.v1.PredictionService/Predict\n  status  OK (0)\n  time    2026-")
    assert " of a deadline of 10.1 s (" in shown
    assert "  sizes   1 request, 552 B; 1 response, 552 B\n" in shown
    places = [
        shown.index(part)
        for part in (
            "\nRequest headers\n  :path: /vision.v1.PredictionService/Predict\n",
            "\n  x-client: trailcam/4.2\n",
            "\nResponse headers\n",
            "\n  x-served-by: replica-2\n",
            "\n→ request 0  vision.v1.PredictRequest  ",
            '\n    "requestId": "req-0001",\n',
            "\n← response 0  vision.v1.PredictResponse  ",
            "\nTrailers\n  grpc-status: 0\n",
        )
    ]
    assert places == sorted(places)
    assert "Problems" not in shown
    assert not shown.endswith("\n\n")


def test_every_message_of_a_stream_is_shown_in_order():
    shown = text(PREDICT, 10, "-s", SCHEMA)
    parts = [line.split("  ")[0] for line in shown.splitlines() if line.startswith(("→", "←"))]
    assert parts[:3] == ["→ request 0", "← response 0", "→ request 1"]
    assert len(parts) == 4 + 6


def test_the_details_of_a_status_are_shown():
    shown = text(ERRORS, 1, "-s", SCHEMA)
    assert "  status  INVALID_ARGUMENT (3)  Das Bild ist leer – 画像が空です 🙈 (100 % sicher)\n" in shown
    assert '"@type": "type.googleapis.com/google.rpc.BadRequest"' in shown.partition("\nStatus details\n")[2]


def test_a_status_that_was_concluded_says_so():
    shown = text(ERRORS, 11)
    assert "DEADLINE_EXCEEDED (4)  the client gave up at its deadline  (concluded: no grpc-status arrived)\n" in shown
    assert " of a deadline of 1.21 s (99 %)\n" in shown


def test_what_is_not_in_the_capture_is_said():
    shown = text(SAMPLES / "midstream.pcapng", 2)
    assert shown.startswith("Call 2  unknown method\n  status  unknown: ")
    assert "  note    not all of this call is in the capture\n" in shown
    assert "\n  1 field not in the capture: sent by reference to earlier ones\n" in shown
    assert "\nProblems\n  the beginning of this call is not in the capture  (packet 17)\n" in shown


def test_a_compressed_message_tells_both_sizes():
    shown = text(SAMPLES / "gzip.pcapng", 1, "-s", SCHEMA)
    assert re.search(r"  \d[\d.]* k?B \(gzip, \d[\d.]* k?B on the wire\)\n", shown)


def test_a_damaged_call_exits_with_3():
    result = run("show", SAMPLES / "truncated.pcapng", 10)
    assert result.code == 3
    assert "\nnot decoded: bytes of this message are not in the capture\n" in result.out.decode()


def test_an_undamaged_call_of_a_truncated_capture_exits_with_0():
    assert run("show", SAMPLES / "truncated.pcapng", 1).code == 0


def test_printing_can_be_changed():
    assert '"request_id": "req-0001"' in text(PREDICT, 2, "-s", SCHEMA, "--proto-names")
    assert '"format": "IMAGE_FORMAT_PNG"' in text(PREDICT, 2, "-s", SCHEMA)
    assert re.search('"format": [0-9]', text(PREDICT, 2, "-s", SCHEMA, "--enum-numbers"))


def test_credentials_are_masked_unless_asked_for(tmp_path):
    path = tmp_path / "secrets.pcap"
    path.write_bytes(capture((*REQUEST, ("authorization", "Bearer s3cr3t"))))
    assert "\n  authorization: Bearer <masked>\n" in text(path, 1)
    assert "\n  authorization: Bearer s3cr3t\n" in text(path, 1, "--show-secrets")


def test_a_call_that_is_not_there_is_told_in_one_line():
    result = run("show", PREDICT, 99)
    words = "there is no call 99: the input has 10 (`inspector calls` lists them)"
    assert result == (1, b"", f"inspector: {PREDICT}: {words}\n")


def test_a_payload_is_refused_in_one_line():
    result = run("show", SAMPLES / "payloads" / "stream.grpc", 1)
    assert (result.code, result.out) == (1, b"")
    assert "this is of the kind grpc: it holds messages, not calls" in result.err


@pytest.mark.parametrize("number", ["0", "x", "-1"])
def test_a_wrong_number_is_told_in_one_line(number):
    result = run("show", PREDICT, "--", number)
    assert (result.code, result.out) == (2, b"")
    assert result.err.startswith("inspector: Invalid value for 'CALL': ")
    assert result.err.count("\n") == 1


def test_a_capture_is_read_from_standard_input():
    assert run("show", "-", 2, stdin=PREDICT.read_bytes()).out == run("show", PREDICT, 2).out


def test_a_call_is_coloured_on_a_terminal_only():
    on = on_terminal("show", PREDICT, 2, "-s", SCHEMA).out
    off = on_terminal("show", PREDICT, 2, NO_COLOR="1").out
    assert b'\x1b[34m"requestId"\x1b[0m' in on
    assert b"\x1b[32m" in on
    assert b"\x1b" not in off
    assert off == run("show", PREDICT, 2).out
