"""All layers together: packets in, calls out, and what was passed over."""

from __future__ import annotations

import gc

import benchmark_modules
import kernels
import made_capture
import packets
import pytest

from inspector.model.call import Call
from inspector.model.packet import Packet
from inspector.model.problem import Problem
from inspector.net.pcap_cy import PcapParser
from inspector.net.pcapng_cy import PcapngParser

capture = kernels.fixture("inspector.net.capture_cy")


def packets_of(file):
    parser = PcapParser()
    return parser.feed(file) + parser.close()


@pytest.fixture
def decoder(capture):
    return capture.CaptureDecoder()


def test_calls_come_out_and_are_counted(decoder):
    found = packets_of(made_capture.capture())
    events = decoder.feed(found) + decoder.close()
    assert len([event for event in events if isinstance(event, Call)]) == 1
    assert decoder.summary.describe() == f"{len(found)} packets, 1 HTTP/2 connection, 1 call"


def test_problems_of_the_file_keep_their_place(decoder):
    problem = Problem("capture_damaged", "somewhere")
    assert decoder.feed([problem]) == [problem]


def test_what_is_passed_over_is_told(decoder):
    tls = b"\x16\x03\x01\x02\x00" + bytes(100)
    others = [
        packets.ethernet(packets.ipv4(packets.tcp(flags=packets.SYN, seq=1))),
        packets.ethernet(packets.ipv4(packets.tcp(tls, seq=2))),
        packets.ethernet(packets.ipv4(bytes(20), protocol=packets.UDP)),
        packets.ethernet(bytes(40), kind=0x0806),
    ]
    decoder.feed([Packet(number, 0, packets.ETHERNET, data, len(data)) for number, data in enumerate(others, start=1)])
    decoder.close()
    assert decoder.summary.describe() == (
        "4 packets, 0 HTTP/2 connections, 0 calls, "
        "passed over: 1 TLS connection, to be captured on the plaintext side, "
        "passed over: 1 packet not TCP, passed over: 1 packet not IP"
    )


def test_connections_of_http1_are_told_apart_from_others(decoder):
    begin = {
        1: b"POST /pkg.Svc/Do HTTP/1.1\r\nContent-Type: application/grpc-web\r\n\r\n",
        2: b"POST /pkg.Svc/Do HTTP/1.1\r\n\r\n",
        3: b"*1\r\n$4\r\nPING\r\n",
    }
    found = []
    for port, first in begin.items():
        for fields in ({"flags": packets.SYN, "seq": 1}, {"payload": first, "seq": 2}):
            found.append(packets.ethernet(packets.ipv4(packets.tcp(sport=port, **fields))))
    answer = b"HTTP/1.1 200 OK\r\n\r\n"  # of a connection whose beginning is not in the capture
    found.append(packets.ethernet(packets.ipv4(packets.tcp(answer, sport=4))))
    decoder.feed([Packet(number, 0, packets.ETHERNET, data, len(data)) for number, data in enumerate(found, start=1)])
    decoder.close()
    assert decoder.summary.describe() == (
        "7 packets, 0 HTTP/2 connections, 0 calls, "
        "passed over: 3 HTTP/1.1 connections, passed over: 1 other TCP connection"
    )


def test_a_snapshot_length_that_cuts_packets_is_a_problem(decoder):
    whole = packets_of(made_capture.capture())
    decoder.feed([packet._replace(data=packet.data[:66]) for packet in whole])
    assert "packets_cut" in [event.code for event in decoder.close() if isinstance(event, Problem)]


def test_without_messages_the_calls_are_the_same(capture):
    found = packets_of(made_capture.capture())
    both = []
    for with_messages in (True, False):
        decoder = capture.CaptureDecoder(with_messages)
        events = decoder.feed(found) + decoder.close()
        both.append([event for event in events if isinstance(event, Call)])
    assert both[0] == both[1]


def test_what_was_held_of_a_connection_that_has_ended_is_let_go(capture, tmp_path):
    path = tmp_path / "short.pcapng"
    benchmark_modules.load("traffic").write_capture(path, 40, connections=20, kind="indexed")
    parser = PcapngParser()
    decoder = capture.CaptureDecoder()
    before = held_connections()
    decoder.feed(parser.feed(path.read_bytes()))
    assert held_connections() == before


def held_connections():
    gc.collect()
    return sum(type(each).__name__ == "ConnectionCalls" for each in gc.get_objects())
