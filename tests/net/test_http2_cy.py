"""An HTTP/2 connection seen from beside it. The oracles are `h2`, where two connections talk, and `hpack`."""

from __future__ import annotations

import base64
import random
import struct
import tracemalloc

import hpack
import kernels
import pytest
from http2_traffic import (
    ACK,
    CLIENT,
    CLIENT_END,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    REQUEST,
    RESPONSE,
    SERVER,
    SERVER_END,
    SETTINGS,
    TRAILERS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    Conversation,
    Feeder,
    Script,
    codes,
    cut,
    data,
    frame,
    frames_of,
    goaway,
    of,
    opened,
    problems,
    reset,
    settings,
)
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from inspector.limits import DETECT_BYTES, DETECT_LATE_BYTES, MAX_HEADER_BLOCK, MIB
from inspector.model.frames import BytesLost, Data, Ended, GoAway, Headers, Reset

http2 = kernels.fixture("inspector.net.http2_cy")

TABLE_SIZE, FRAME_SIZE = 1, 5


@pytest.fixture
def script(http2):
    return Script(http2.Http2Connection(opened()))


def heads(events):
    """Header blocks as (direction, stream, fields, whether the stream ends)."""
    return [(event.direction, event.stream, tuple(event.fields), event.end) for event in of(Headers, events)]


def bodies(events):
    """Bytes by direction and stream, and whether the stream ended."""
    out = {}
    for event in of(Data, events):
        body, _ = out.get((event.direction, event.stream), (b"", False))
        out[event.direction, event.stream] = (body + event.data, event.end)
    return out


def play(http2, sent, mid=False):
    feeder = Feeder(http2.Http2Connection(opened(mid)))
    for direction, raw in sent:
        feeder.send(direction, raw)
    return feeder


# --- conversations of h2 ------------------------------------------------------------------------------------------

names = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True).map("x-{}".format)
fields = st.lists(
    st.tuples(names, st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)), max_size=5
)


@st.composite
def conversations(draw):
    """A conversation of h2, and what was said in it: header blocks, bodies by direction and stream."""
    made = Conversation(
        draw(st.fixed_dictionaries({}, optional={TABLE_SIZE: st.sampled_from([0, 100, 65_536])})),
        draw(st.fixed_dictionaries({}, optional={TABLE_SIZE: st.sampled_from([0, 100, 65_536])})),
    )
    said, texts = [], {}

    def head(direction, stream, base, end=False):
        block = (*base, *draw(fields))
        made.headers(direction, stream, block, end)
        said.append((direction, stream, block, end))

    def body(direction, stream, end):
        text = draw(st.binary(max_size=60))
        made.data(direction, stream, text, end, draw(st.integers(1, 60)), draw(st.sampled_from([None, 0, 9])))
        texts[direction, stream] = (text, end)

    streams = [1 + 2 * at for at in range(draw(st.integers(1, 4)))]
    for stream in streams:
        head(CLIENT, stream, REQUEST)
        body(CLIENT, stream, True)
    made.flush()
    for stream in draw(st.permutations(streams)):
        head(SERVER, stream, RESPONSE)
        body(SERVER, stream, False)
        head(SERVER, stream, TRAILERS, True)
    made.flush()
    return made, said, texts


@given(conversation=conversations(), places=st.lists(st.integers(0, 1500), max_size=10))
@hypothesis_settings(max_examples=60)
def test_what_h2_says_is_heard_however_it_is_cut(http2, conversation, places):
    made, said, texts = conversation
    feeder = Feeder(http2.Http2Connection(opened()))
    for direction, raw in made.sent:
        for part in cut(raw, places):
            feeder.send(direction, part)
    assert feeder.target.verdict == "http2"
    assert heads(feeder.events) == said
    assert bodies(feeder.events) == texts
    assert problems(feeder.events) == []


def conversation():
    """A typical conversation: header tables in use on both sides, bodies that look like nothing else."""
    source = random.Random(3)
    made = Conversation()
    for stream in (1, 3, 5, 7):
        made.headers(CLIENT, stream, (*REQUEST, ("x-id", f"number {stream // 4}"), ("x-user", "somebody")))
        made.data(CLIENT, stream, source.randbytes(150), end=True)
        made.flush()
        made.headers(SERVER, stream, (*RESPONSE, ("x-server", "somewhere")))
        made.data(SERVER, stream, source.randbytes(250))
        made.headers(SERVER, stream, (*TRAILERS, ("x-cost", f"{stream // 4}")), end=True)
        made.flush()
    return made


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_pieces_of_any_size_give_the_same(http2, size):
    made = conversation()
    whole = play(http2, made.sent)
    pieces = play(http2, [(way, part) for way, raw in made.sent for part in cut(raw, range(0, len(raw), size))])
    assert heads(pieces.events) == heads(whole.events)
    assert bodies(pieces.events) == bodies(whole.events)
    assert len(heads(whole.events)) == 12


def test_padding_and_priority_are_taken_off_headers(script):
    block = script.block(CLIENT, REQUEST)
    payload = b"\3" + struct.pack(">IB", 7, 200) + block + bytes(3)
    flags = END_HEADERS | PADDED | WITH_PRIORITY
    assert heads(script.send(CLIENT, frame(HEADERS, flags, 1, payload))) == [(CLIENT, 1, REQUEST, False)]


@pytest.mark.parametrize("flags", [PADDED, PADDED | WITH_PRIORITY, WITH_PRIORITY])
def test_a_header_frame_with_more_padding_than_bytes_costs_that_block(script, flags):
    payload = {PADDED: b"\7abc", PADDED | WITH_PRIORITY: b"\1abcde", WITH_PRIORITY: b"abc"}[flags]
    assert codes(script.send(CLIENT, frame(HEADERS, END_HEADERS | flags, 1, payload))) == ["http2_padding"]
    assert heads(script.headers(CLIENT, 3, TRAILERS)) == [(CLIENT, 3, TRAILERS, False)]


def test_frames_that_say_nothing_about_streams_are_passed_over(script):
    noise = [
        frame(PING, 0, 0, bytes(8)),
        frame(PING, ACK, 0, bytes(8)),
        frame(SETTINGS, ACK),
        frame(PRIORITY, 0, 9, bytes(5)),
        frame(WINDOW_UPDATE, 0, 0, b"\0\0\1\0"),
        frame(WINDOW_UPDATE, 0, 1, b"\0\0\1\0"),
        frame(0x0A, 0, 1, b"\0\0abc"),
        frame(0x10, 0, 0, b"\0\0\0\1u=3"),
        frame(0x42, 0xFF, 1, b"extension"),
        frame(0xFF, 0, 0, b""),
    ]
    assert script.send(CLIENT, b"".join(noise)) == []
    assert len(script.headers(CLIENT, 1, REQUEST)) == 1


def test_resets_and_goaways_are_told(script):
    assert script.send(SERVER, reset(5, 7)) == [Reset(SERVER, 5, 7, 3, 3_000_000)]
    assert script.send(SERVER, goaway(1 << 31 | 9, 11, b"too_many_pings")) == [
        GoAway(SERVER, 9, 11, b"too_many_pings", 4, 4_000_000)
    ]


def test_ends_are_told(script):
    assert script.close(CLIENT, "rst") == [Ended(CLIENT, "rst", 3, 3_000_000)]


# --- settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("announcer", [CLIENT, SERVER])
def test_a_frame_size_binds_the_other_side(script, announcer):
    script.send(announcer, settings((FRAME_SIZE, 4 * MIB)))
    found = script.send(1 - announcer, data(1, bytes(4 * MIB), end=True))
    assert bodies(found) == {(1 - announcer, 1): (bytes(4 * MIB), True)}
    assert codes(problems(script.send(announcer, data(1, bytes(20_000))))) == ["http2_frame"]


def test_settings_in_pieces_and_twice_are_applied(script):
    raw = settings((2, 0), (FRAME_SIZE, 20_000), (FRAME_SIZE, 30_000), (0xFFFF, 1))
    for part in cut(raw, range(40)):
        script.send(CLIENT, part)
    assert problems(script.send(SERVER, data(1, bytes(30_000)))) == []


def test_a_header_table_grows_as_the_other_side_allows(script):
    script.send(SERVER, settings((TABLE_SIZE, 65_536)))
    script.encoders[CLIENT].header_table_size = 65_536
    big = tuple((f"x-{at}", "v" * 500) for at in range(20))  # more than the default table holds
    for stream in (1, 3):
        found = script.headers(CLIENT, stream, big)
        assert heads(found) == [(CLIENT, stream, big, False)]
    assert of(Headers, script.events)[-1].unknown == 0


def test_a_header_table_that_nobody_allowed_to_grow_is_damage(script):
    script.encoders[CLIENT].header_table_size = 65_536
    found = of(Headers, script.headers(CLIENT, 1, REQUEST))
    assert found[0].problem.code == "hpack_table_size"


def test_a_header_table_shrinks_to_nothing(script):
    script.send(SERVER, settings((TABLE_SIZE, 0)))
    script.encoders[CLIENT].header_table_size = 0
    for stream in (1, 3):
        assert heads(script.headers(CLIENT, stream, REQUEST)) == [(CLIENT, stream, REQUEST, False)]


def test_a_smaller_table_binds_only_once_it_is_acknowledged(http2):
    script = Script(http2.Http2Connection(opened()))
    script.send(SERVER, settings((1, 65_536)))
    script.send(CLIENT, frame(SETTINGS, ACK))
    script.send(SERVER, settings((1, 4_096)))
    script.encoders[CLIENT].header_table_size = 65_536  # on its way when the smaller one was announced
    found = of(Headers, script.headers(CLIENT, 1, REQUEST))[0]
    assert found.problem is None


# --- header blocks across frames ----------------------------------------------------------------------------------


def split_block(stream, block, size, end=False):
    parts = cut(block, range(0, len(block), size))
    out = [frame(HEADERS, END_STREAM if end else 0, stream, parts[0])]
    out += [frame(CONTINUATION, 0, stream, part) for part in parts[1:]]
    return b"".join([*out, frame(CONTINUATION, END_HEADERS, stream, b"")])


@pytest.mark.parametrize("size", [1, 2, 10, 1000])
def test_a_block_across_continuations_is_one_block(script, size):
    raw = split_block(1, script.block(CLIENT, REQUEST), size, end=True)
    assert heads(script.send(CLIENT, raw)) == [(CLIENT, 1, REQUEST, True)]


@pytest.mark.parametrize(
    "between", [frame(PING, 0, 0, bytes(8)), frame(HEADERS, END_HEADERS, 3, b"\x82"), frame(0x42, 0, 1, b"x"), reset(1)]
)
def test_a_block_that_another_frame_breaks_off_is_damage_and_never_wrong_headers(script, between):
    first = script.block(CLIENT, (("x-a", "1"),))
    found = script.send(CLIENT, frame(HEADERS, 0, 1, first) + between + frame(CONTINUATION, END_HEADERS, 1, b"\x82"))
    assert codes(problems(found)) == ["http2_continuation"]
    assert problems(found)[0].message.startswith("the header block of stream 1 ")
    assert all(event.stream == 3 for event in of(Headers, found))
    after = of(Headers, script.headers(CLIENT, 5, (("x-a", "1"),)))[0]
    assert (after.fields, after.unknown) == (((None, None),), 1)


@pytest.mark.parametrize("stream", [1, 3])
def test_a_continuation_without_its_beginning_gives_no_headers_and_the_table_is_forgotten(script, stream):
    script.headers(CLIENT, 1, (("x-a", "1"),))
    begin = frame(HEADERS, 0, 5, b"\x82") if stream == 3 else b""
    assert of(Headers, script.send(CLIENT, begin + frame(CONTINUATION, END_HEADERS, stream, b"\x84"))) == []
    assert of(Headers, script.headers(CLIENT, 7, (("x-a", "1"),)))[0].fields == ((None, None),)


def test_a_hundred_thousand_continuations_without_end_cost_no_memory_beyond_the_limit(script):
    script.send(CLIENT, frame(HEADERS, 0, 1, b"\x82"))
    hundred = frame(CONTINUATION, 0, 1, b"\x40" + b"a" * 99) * 100
    tracemalloc.start()
    try:
        for _ in range(1000):
            assert script.send(CLIENT, hundred) == []
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3 * MAX_HEADER_BLOCK
    found = of(Headers, script.send(CLIENT, frame(CONTINUATION, END_HEADERS, 1, b"")))
    assert [(event.stream, event.fields, event.problem.code) for event in found] == [(1, (), "http2_header_block")]


def test_a_block_over_the_limit_costs_that_block_and_others_are_never_wrong(script):
    script.headers(CLIENT, 1, (("x-old", "entry"),))
    part = frame(CONTINUATION, 0, 3, b"\0\x01a\x7f\x81\x7f" + b"v" * 16_378)
    script.send(CLIENT, frame(HEADERS, 0, 3, b"\x82"))
    script.send(CLIENT, part * (MAX_HEADER_BLOCK // 16_384 + 1))
    found = of(Headers, script.send(CLIENT, frame(CONTINUATION, END_HEADERS, 3, b"")))
    assert codes(event.problem for event in found) == ["http2_header_block"]
    after = of(Headers, script.headers(CLIENT, 5, (*REQUEST, ("x-old", "entry"))))[0]
    assert after.problem is None
    assert set(after.fields) <= {*REQUEST, ("x-old", "entry"), (None, None)}


@pytest.mark.parametrize("block", [b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x80", b"\xfe", b"\x40\x05ab"])
def test_a_damaged_block_is_a_problem_on_its_stream_and_the_next_ones_are_read(script, block):
    found = of(Headers, script.send(CLIENT, frame(HEADERS, END_HEADERS | END_STREAM, 1, block)))
    assert [(event.stream, event.fields, event.end) for event in found] == [(1, (), True)]
    assert found[0].problem.code.startswith("hpack_")
    assert found[0].problem.packet == script.packet
    assert heads(script.headers(CLIENT, 3, REQUEST)) == [(CLIENT, 3, REQUEST, False)]


@pytest.mark.parametrize("padding", [None, 7])
def test_a_push_promise_keeps_the_header_table_right(script, padding):
    block = script.block(SERVER, (("x-pushed", "1"),))
    payload = struct.pack(">I", 2) + block
    flags = END_HEADERS
    if padding is not None:
        payload, flags = bytes((padding,)) + payload + bytes(padding), flags | PADDED
    assert script.send(SERVER, frame(PUSH_PROMISE, flags, 1, payload)) == []
    assert heads(script.headers(SERVER, 1, (("x-pushed", "1"),))) == [(SERVER, 1, (("x-pushed", "1"),), False)]


def test_a_push_promise_across_continuations_keeps_the_header_table_right(script):
    block = script.block(SERVER, (("x-pushed", "1"), ("x-more", "2")))
    raw = frame(PUSH_PROMISE, 0, 1, struct.pack(">I", 2) + block[:5]) + frame(CONTINUATION, END_HEADERS, 1, block[5:])
    assert script.send(SERVER, raw) == []
    assert heads(script.headers(SERVER, 1, (("x-more", "2"),)))[0][2] == (("x-more", "2"),)


# --- which connections are HTTP/2 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(1, len(PREFACE) + 3))
def test_a_preface_in_pieces_is_recognised(http2, size):
    feeder = Feeder(http2.Http2Connection(opened()))
    raw = PREFACE + settings()
    for part in cut(raw, range(0, len(raw), size)):
        assert feeder.target.verdict in ("undecided", "http2")
        feeder.send(CLIENT, part)
    assert feeder.target.verdict == "http2"


def test_what_the_server_says_before_the_preface_counts(http2):
    feeder = Script(http2.Http2Connection(opened()), begin=False)
    feeder.send(SERVER, settings((TABLE_SIZE, 65_536), (FRAME_SIZE, MIB)))
    assert feeder.target.verdict == "undecided"
    feeder.encoders[CLIENT].header_table_size = 65_536
    block = feeder.block(CLIENT, REQUEST)
    raw = PREFACE + settings() + frame(HEADERS, END_HEADERS, 1, block) + data(1, bytes(MIB))
    found = feeder.send(CLIENT, raw)
    assert heads(found) == [(CLIENT, 1, REQUEST, False)]
    assert of(Headers, found)[0].problem is None
    assert bodies(found)[CLIENT, 1][0] == bytes(MIB)


TLS = bytes.fromhex("16030100c8010000c40303") + random.Random(5).randbytes(190)
TLS_DATA = [
    b"\x17\x03\x03" + size.to_bytes(2, "big") + random.Random(size).randbytes(size) for size in (40, 1400, 300, 77)
]
PAGE = b"<html>" + b"hello world, this is a page " * 40 + b"</html>"
GET = b"GET /index.html HTTP/1.1\r\nHost: example.com\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1133\r\n\r\n" + PAGE
FOREIGN = {
    "tls": [(CLIENT, TLS), (SERVER, TLS), *((way, record) for record in TLS_DATA for way in (CLIENT, SERVER))],
    "http1": [(CLIENT, GET), (SERVER, ANSWER)] * 3,
    "ssh": [(SERVER, b"SSH-2.0-OpenSSH_9.2\r\n"), (CLIENT, b"SSH-2.0-libssh\r\n"), (CLIENT, bytes(range(256)) * 3)],
    "random": [(way, random.Random(at).randbytes(1460)) for at in range(20) for way in (CLIENT, SERVER)],
    "zeros": [(CLIENT, bytes(5000)), (SERVER, bytes(5000))],
    "ones": [(CLIENT, b"\xff" * 5000), (SERVER, b"\xff" * 5000)],
    "redis": [(CLIENT, b"*1\r\n$4\r\nPING\r\n"), (SERVER, b"+PONG\r\n")] * 5,
}


@pytest.mark.parametrize("mid", [False, True], ids=["from the start", "late"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_other_traffic_is_passed_over(http2, kind, mid):
    feeder = play(http2, FOREIGN[kind], mid)
    feeder.finish()
    assert feeder.events == []
    assert feeder.target.verdict != "http2"
    assert mid or feeder.target.verdict == "other"


@pytest.mark.parametrize("kind", ["http1", "tls", "random"])
@pytest.mark.parametrize("start", [1, 5, 33])
def test_other_traffic_is_passed_over_from_anywhere(http2, kind, start):
    feeder = play(http2, [(way, raw[start:]) for way, raw in FOREIGN[kind]], mid=True)
    feeder.finish()
    assert feeder.events == []
    assert feeder.target.verdict != "http2"


def test_a_late_connection_is_searched_only_so_far(http2):
    feeder = Feeder(http2.Http2Connection(opened(mid=True)))
    source = random.Random(9)
    for _ in range(DETECT_LATE_BYTES // 65_536 + 1):
        feeder.send(CLIENT, b"\xfe" + source.randbytes(65_535))
    assert feeder.target.verdict == "other"
    assert feeder.send(CLIENT, PREFACE + settings()) == []


def test_a_request_that_never_ends_is_held_only_so_far(http2):
    feeder = Feeder(http2.Http2Connection(opened()))
    for _ in range(DETECT_BYTES // 1000 + 1):
        feeder.send(CLIENT, b"GET / HTTP/1.1\r\n" + b"x" * 984)
    assert feeder.target.verdict == "other"


def test_a_connection_without_bytes_says_nothing(http2):
    feeder = Feeder(http2.Http2Connection(opened()))
    assert feeder.finish() == []
    assert feeder.target.verdict == "other"


def test_nothing_is_said_of_the_events_behind_a_verdict(http2):
    feeder = play(http2, FOREIGN["tls"])
    assert feeder.lose(CLIENT, 10) == []
    assert feeder.send(CLIENT, PREFACE + settings()) == []


# --- behind the handshake of a proxy ------------------------------------------------------------------------------

BLOCK = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)
CONNECT = b"CONNECT a.example:50051 HTTP/1.1\r\nHost: a.example:50051\r\n\r\n"
HANDSHAKES = {
    "proxy 1": [(CLIENT, b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 443\r\n")],
    "proxy 2": [(CLIENT, BLOCK)],
    "proxy 2, long": [(CLIENT, BLOCK[:14] + b"\1\0" + bytes(256))],
    "connect": [(CLIENT, CONNECT), (SERVER, b"HTTP/1.1 200 OK\r\nDate: today\r\n\r\n")],
    "socks 5": [
        (CLIENT, b"\5\1\0"),
        (SERVER, b"\5\0"),
        (CLIENT, b"\5\1\0\3\1a\0\1"),
        (SERVER, b"\5\0\0\1\0\0\0\0\0\0"),
    ],
    "socks 4": [(CLIENT, b"\4\1\0\x50\1\2\3\4\0"), (SERVER, b"\0\x5a" + bytes(6))],
}


def send_cut(feeder, parts, size):
    """Sends bytes of each direction in pieces of a size."""
    for direction, raw in parts:
        for part in cut(raw, range(0, len(raw), size)):
            feeder.send(direction, part)


@pytest.mark.parametrize("size", [1, 5, 10_000])
@pytest.mark.parametrize("name", HANDSHAKES)
def test_http2_behind_the_handshake_of_a_proxy_is_found(http2, name, size):
    feeder = Script(http2.Http2Connection(opened()), begin=False)
    parts = [*HANDSHAKES[name], (CLIENT, PREFACE + settings()), (SERVER, settings((TABLE_SIZE, 0)))]
    send_cut(feeder, parts, size)
    feeder.headers(CLIENT, 1, REQUEST)
    feeder.headers(SERVER, 1, RESPONSE)
    assert feeder.target.verdict == "http2"
    assert heads(feeder.events) == [(CLIENT, 1, REQUEST, False), (SERVER, 1, RESPONSE, False)]
    assert not problems(feeder.events)


def test_a_handshake_and_what_follows_may_come_at_once(http2):
    feeder = Feeder(http2.Http2Connection(opened()))
    feeder.send(CLIENT, BLOCK + PREFACE + settings() + data(1, b"first"))
    assert bodies(feeder.events) == {(CLIENT, 1): (b"first", False)}


@pytest.mark.parametrize("name", HANDSHAKES)
def test_other_traffic_behind_a_handshake_is_passed_over(http2, name):
    feeder = play(http2, [*HANDSHAKES[name], *FOREIGN["tls"], (CLIENT, PREFACE + settings())])
    feeder.finish()
    assert (feeder.target.verdict, feeder.events) == ("other", [])
    assert feeder.target.is_tls


def test_a_preface_somewhere_in_other_traffic_is_not_searched_for(http2):
    for first in (GET, b"EHLO a.example\r\n", b"\5\1\0" + bytes(20), b"PROXY TCP4 nobody\r\n", b"\r\n\r\n\0\r\nQUIT\r"):
        feeder = play(http2, [(CLIENT, first), (CLIENT, PREFACE + settings())])
        feeder.finish()
        assert feeder.events == []
        assert feeder.target.verdict == "other"


# --- upgrade from HTTP/1.1 ----------------------------------------------------------------------------------------

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


def upgrade(body=b"", payload=b""):
    text = base64.urlsafe_b64encode(payload).rstrip(b"=")
    length = f"Content-Length: {len(body)}\r\n".encode() if body else b""
    first = b"POST /pkg.Svc/Do HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    return first + b"Content-Type: application/grpc\r\n" + length + b"HTTP2-Settings: " + text + b"\r\n\r\n" + body


@pytest.mark.parametrize("body", [b"", b"the request's body"])
@pytest.mark.parametrize("size", [7, 10_000])
def test_the_request_that_asks_for_an_upgrade_is_stream_1(http2, body, size):
    feeder = Script(http2.Http2Connection(opened()), begin=False)
    parts = [(CLIENT, upgrade(body)), (SERVER, SWITCH + settings()), (CLIENT, PREFACE + settings())]
    send_cut(feeder, parts, size)
    feeder.headers(SERVER, 1, RESPONSE)
    feeder.headers(CLIENT, 3, REQUEST)
    assert feeder.target.verdict == "http2"
    first, *others = of(Headers, feeder.events)
    assert (first.direction, first.stream, first.end) == (CLIENT, 1, not body)
    assert first.fields[:2] == ((":method", "POST"), (":path", "/pkg.Svc/Do"))
    assert ("content-type", "application/grpc") in first.fields
    assert [(event.direction, event.stream) for event in others] == [(SERVER, 1), (CLIENT, 3)]
    assert bodies(feeder.events) == ({(CLIENT, 1): (body, True)} if body else {})


def test_the_settings_of_an_upgrade_bind_the_server(http2):
    feeder = Feeder(http2.Http2Connection(opened()))
    feeder.send(CLIENT, upgrade(payload=struct.pack(">HI", FRAME_SIZE, 100_000)))
    feeder.send(SERVER, SWITCH + settings())
    feeder.send(CLIENT, PREFACE + settings())
    assert problems(feeder.send(SERVER, data(1, bytes(100_000)))) == []


def test_an_upgrade_that_the_server_declines_is_not_http2(http2):
    feeder = play(http2, [(CLIENT, upgrade()), (SERVER, ANSWER), (CLIENT, GET), (SERVER, ANSWER)])
    feeder.finish()
    assert feeder.events == []
    assert feeder.target.verdict == "other"


def test_an_upgrade_to_websocket_is_not_http2(http2):
    feeder = play(
        http2, [(CLIENT, GET.replace(b"Host", b"Upgrade: websocket\r\nHost")), (SERVER, SWITCH), (CLIENT, b"\x82")]
    )
    feeder.finish()
    assert feeder.target.verdict == "other"


# --- captures that start late -------------------------------------------------------------------------------------


def late(http2, made, starts, first=CLIENT_END, second=SERVER_END):
    """The conversation without the first bytes of each direction."""
    feeder = Feeder(http2.Http2Connection(opened(True, first, second)))
    left = list(starts)
    for direction, raw in made.sent:
        skip = min(left[direction], len(raw))
        left[direction] -= skip
        feeder.offsets[direction] += skip
        if skip < len(raw):
            feeder.send(direction, raw[skip:])
    return feeder


def assert_never_wrong(found, said):
    """Each block is one that was said, once, and each of its fields as it was said or not known."""
    true = {(direction, stream, end): block for direction, stream, block, end in said}
    for direction, stream, block, end in found:
        for mine, theirs in zip(block, true.pop((direction, stream, end)), strict=True):
            assert mine in (theirs, (None, None), (None, theirs[1]))


@pytest.mark.parametrize("way", [CLIENT, SERVER])
def test_a_connection_that_begins_with_any_frame_is_followed_from_there(http2, way):
    made = conversation()
    said = heads(play(http2, made.sent).events)
    raw = made.raw(way)
    for start, _ in list(frames_of(raw))[:-1]:
        feeder = late(http2, made, [start if side == way else 0 for side in (CLIENT, SERVER)])
        found = heads(feeder.events)
        rest = sum(raw[at + 3] == HEADERS for at, _ in frames_of(raw) if at >= start)
        assert feeder.target.verdict == "http2"
        assert sum(head[0] == way for head in found) == rest, start
        assert_never_wrong(found, said)


@pytest.mark.parametrize("way", [CLIENT, SERVER])
def test_a_connection_that_begins_within_a_frame_is_followed_from_the_next_on(http2, way):
    made = conversation()
    said = heads(play(http2, made.sent).events)
    raw = made.raw(way)
    for begin, end in frames_of(raw):
        if raw[begin + 3] == DATA and end - begin > 20 and end < len(raw) - 200:
            feeder = late(http2, made, [begin + 15 if side == way else 0 for side in (CLIENT, SERVER)])
            found = heads(feeder.events)
            rest = sum(raw[at + 3] == HEADERS for at, _ in frames_of(raw) if at >= end)
            assert sum(head[0] == way for head in found) == rest, begin
            assert_never_wrong(found, said)


def test_header_fields_from_before_the_capture_are_counted_as_unknown(http2):
    made = conversation()
    starts = [next(at for at, _ in frames_of(made.raw(way)) if at > 400) for way in (CLIENT, SERVER)]
    found = of(Headers, late(http2, made, starts).events)
    assert any(event.unknown for event in found)
    assert all(event.unknown == sum(name is None for name, _ in event.fields) for event in found)
    assert all(event.problem is None for event in found)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("first", [CLIENT, SERVER])
def test_a_header_block_tells_who_the_client_is(http2, swapped, first):
    ends = (SERVER_END, CLIENT_END) if swapped else (CLIENT_END, SERVER_END)
    for client in (0, 1):
        script = Script(http2.Http2Connection(opened(True, *ends)), begin=False)
        for side in (first, 1 - first):
            direction = client if side == CLIENT else 1 - client
            script.headers(direction, 1, REQUEST if side == CLIENT else RESPONSE)
        assert script.target.client == client


def test_trailers_tell_who_the_client_is(http2):
    script = Script(http2.Http2Connection(opened(True)), begin=False)
    script.headers(0, 1, TRAILERS, end=True)
    assert script.target.client == 1


def test_until_a_header_block_is_seen_the_higher_port_is_the_clients(http2):
    assert http2.Http2Connection(opened(True, CLIENT_END, SERVER_END)).client == 0
    assert http2.Http2Connection(opened(True, SERVER_END, CLIENT_END)).client == 1


def test_who_opened_the_connection_is_the_client_whatever_the_ports(http2):
    assert http2.Http2Connection(opened(False, SERVER_END, CLIENT_END)).client == 0


@pytest.mark.parametrize("way", [CLIENT, SERVER])
def test_a_late_preface_begins_a_connection_of_which_all_is_known(http2, way):
    script = Script(http2.Http2Connection(opened(True)), begin=False)
    script.send(way, PREFACE + settings())
    for stream in (1, 3):
        found = of(Headers, script.headers(way, stream, REQUEST))
        assert (tuple(found[0].fields), found[0].unknown) == (REQUEST, 0)
    assert script.target.client == way


# --- gaps ---------------------------------------------------------------------------------------------------------


def test_a_gap_within_data_keeps_the_header_table(script):
    script.headers(CLIENT, 1, REQUEST)
    raw = data(1, b"x" * 100)
    script.send(CLIENT, raw[:50])
    assert script.lose(CLIENT, 20) == []
    found = script.send(CLIENT, raw[70:])
    assert [(len(event.data), event.missing) for event in of(Data, found)] == [(39, 20)]
    assert heads(script.headers(CLIENT, 3, REQUEST)) == [(CLIENT, 3, REQUEST, False)]


def test_a_gap_across_frames_forgets_the_header_table_of_its_direction_only(script):
    script.headers(CLIENT, 1, (("x-a", "1"),))
    script.headers(SERVER, 1, (("x-b", "2"),))
    assert script.lose(CLIENT, 300) == [BytesLost(CLIENT, 5)]
    assert heads(script.headers(CLIENT, 3, (("x-a", "1"),))) == [(CLIENT, 3, ((None, None),), False)]
    assert heads(script.headers(SERVER, 3, (("x-b", "2"),))) == [(SERVER, 3, (("x-b", "2"),), False)]


def test_what_is_said_anew_after_a_gap_is_known_again(script):
    script.headers(CLIENT, 1, (("x-a", "1"),))
    script.lose(CLIENT, 300)
    script.encoders = hpack.Encoder(), script.encoders[SERVER]
    for stream in (3, 5):
        assert heads(script.headers(CLIENT, stream, REQUEST)) == [(CLIENT, stream, REQUEST, False)]


def test_a_gap_within_a_header_block_never_gives_wrong_headers(script):
    raw = split_block(1, script.block(CLIENT, REQUEST), 8)
    script.send(CLIENT, raw[:20])
    script.lose(CLIENT, 17)
    found = script.send(CLIENT, raw[37:] + data(1, b"abc") + frame(PING, 0, 0, bytes(8)))
    assert of(Headers, found) == []
    assert bodies(found) == {(CLIENT, 1): (b"abc", False)}


@pytest.mark.parametrize("way", [CLIENT, SERVER])
def test_any_gap_leaves_the_rest_never_wrong(http2, way):
    made = conversation()
    said = heads(play(http2, made.sent).events)
    steps = [at for at, (side, _) in enumerate(made.sent) if side == way]
    for lost in steps:
        feeder = Feeder(http2.Http2Connection(opened()))
        for at, (side, raw) in enumerate(made.sent):
            if at == lost:
                feeder.lose(side, len(raw))
            else:
                feeder.send(side, raw)
        assert feeder.target.verdict == "http2"
        assert_never_wrong(heads(feeder.events), said)
        other = [head for head in heads(feeder.events) if head[0] != way]
        assert other == [head for head in said if head[0] != way]


def test_a_gap_at_the_start_is_a_capture_that_starts_late(http2):
    script = Script(http2.Http2Connection(opened()), begin=False)
    script.lose(CLIENT, 60)
    script.headers(CLIENT, 1, REQUEST)
    assert script.target.verdict == "http2"
    assert heads(script.events) == [(CLIENT, 1, REQUEST, False)]


def test_a_gap_in_the_preface_is_a_capture_that_starts_late(http2):
    script = Script(http2.Http2Connection(opened()), begin=False)
    script.send(CLIENT, PREFACE[:10])
    script.lose(CLIENT, 14)
    script.send(CLIENT, settings())
    script.headers(CLIENT, 1, REQUEST)
    assert heads(script.events) == [(CLIENT, 1, REQUEST, False)]


def test_a_connection_within_the_bytes_of_another_begins_anew(script):
    """The port was reused, and the end of the first connection is not in the capture."""
    script.headers(CLIENT, 1, (*REQUEST, ("x-a", "1")))
    script.lose(CLIENT, 500)
    script.encoders = hpack.Encoder(), hpack.Encoder()
    script.send(CLIENT, PREFACE + settings())
    for stream in (1, 3):
        found = of(Headers, script.headers(CLIENT, stream, REQUEST))
        assert (tuple(found[0].fields), found[0].unknown) == (REQUEST, 0)


events = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 1), st.binary(max_size=60)),
    st.tuples(st.just("send"), st.integers(0, 1), st.sampled_from([PREFACE, settings(), data(1, b"abc"), reset(1)])),
    st.tuples(st.just("lose"), st.integers(0, 1), st.integers(1, 200)),
    st.tuples(st.just("close"), st.integers(0, 1), st.sampled_from(["fin", "rst", "end"])),
)


@given(script=st.lists(events, max_size=15), mid=st.booleans(), begin=st.booleans())
def test_any_events_are_taken_without_an_exception(http2, script, mid, begin):
    feeder = Feeder(http2.Http2Connection(opened(mid)))
    if begin:
        feeder.send(CLIENT, PREFACE + settings())
    for step, direction, argument in script:
        getattr(feeder, step)(direction, argument)
    assert feeder.target.verdict in ("undecided", "http2", "other")
