from inspector.model.call import Call, Message, Status
from inspector.model.problem import Problem
from inspector.session import DecodedMessage
from inspector.views.conversation import call_lines, message_lines, status_line

MESSAGE = Message(3, 1, "response", "/pkg.Svc/Do", 1_500_000_000, "identity", b"\x08\x05", b"\x08\x05", None, ())
CALL = Call(
    3, "/pkg.Svc/Do", "grpc", "127.0.0.1:4000", "127.0.0.1:50051", 1, 5, 0, 1_500_000, None, 3_000_000,
    ((":path", "/pkg.Svc/Do"), ("x-api-key", "abc")), (), (("grpc-status", "0"),), Status(0, "OK", ""),
    1, 1, 2, 2, True, (),
)  # fmt: skip


def decoded(message=MESSAGE, json=b'{"code":5}', by="schema", unknown=0, problem=None):
    return DecodedMessage(message, "google.rpc.Status" if by == "schema" else None, json, by, unknown, problem)


def text(lines):
    return "\n".join("".join(part for _, part in line) for line in lines)


def no_details(_):
    return []


def test_a_message_is_headed_by_what_it_is():
    heading, body = text(message_lines(decoded())).split("\n", 1)
    assert heading == "#3 ← response 1  /pkg.Svc/Do  google.rpc.Status  00:00:01.500  2 B"
    assert body == '{\n  "code": 5\n}\n'


def test_a_guess_says_so():
    assert "(guessed)" in text(message_lines(decoded(by="guess")))


def test_bytes_unknown_to_the_schema_are_told():
    assert "7 bytes unknown to the schema" in text(message_lines(decoded(unknown=7)))


def test_a_bare_message_has_no_heading():
    assert text(message_lines(decoded(), bare=True)) == '{\n  "code": 5\n}'


def test_a_message_that_is_not_decoded_says_why():
    lines = message_lines(decoded(json=b"null", problem=Problem("wire", "it is\x1b damaged")))
    assert "not decoded: it is\\x1b damaged" in text(lines)


def test_a_call_tells_its_deadline_beside_its_duration():
    assert "took 1.5 ms of a deadline of 3 ms (50 %)" in text(call_lines(CALL, [decoded()], no_details))


def test_a_deadline_of_nothing_is_no_division():
    assert "took 1.5 ms of a deadline of 0 ns\n" in text(call_lines(CALL._replace(deadline=0), [], no_details))


def test_a_call_masks_its_credentials():
    assert "x-api-key: <masked>" in text(call_lines(CALL, [], no_details))
    assert "x-api-key: abc" in text(call_lines(CALL, [], no_details, show_secrets=True))


def test_problems_are_listed_with_their_packets():
    shown = text(call_lines(CALL._replace(problems=(Problem("bytes_lost", "gone", 17),)), [], no_details))
    assert shown.endswith("\nProblems\n  gone  (packet 17)")


def test_details_that_are_damaged_are_told():
    call = CALL._replace(status=Status(3, "INVALID_ARGUMENT", "", b"bad"))
    assert text(call_lines(call, [], lambda _: None)).endswith("\nStatus details are damaged")


def test_status_lines_tell_where_a_status_is_from():
    assert text([status_line(CALL)]) == "OK (0)"
    reset = Status(1, "CANCELLED", "the client reset the stream", None, "reset")
    shown = text([status_line(CALL._replace(status=reset))])
    assert shown == "CANCELLED (1)  the client reset the stream  (concluded: no grpc-status arrived)"
    assert text([status_line(CALL._replace(status=None))]).startswith("unknown: ")
