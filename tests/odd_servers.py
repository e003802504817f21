"""Servers that are none of gRPC, or a bad one: each takes connections until the test ends."""

from __future__ import annotations

import contextlib
import socket
import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


def of_http1(peer):
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def silent(peer):
    while peer.recv(4096):
        pass


met = threading.Event()
"""A client has come to `waiting`, which is for one of them."""


def waiting(peer):
    met.set()
    silent(peer)


def closing(peer):
    peer.recv(4096)


def junk(peer):
    peer.recv(4096)
    peer.sendall(SETTINGS + b"\xff" * 5000)
    peer.recv(4096)


def refusing(peer):
    """Answers 401, with a page."""
    connection, stream = _request(peer)
    connection.send_headers(stream, [(":status", "401"), ("content-type", "text/html")])
    connection.send_data(stream, b"<h1>log in\x1b[31m</h1>", end_stream=True)
    peer.sendall(connection.data_to_send())
    peer.recv(4096)


def boasting(peer):
    """Begins a message of 4 GiB."""
    connection, stream = _request(peer)
    connection.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    connection.send_data(stream, b"\0\xff\xff\xff\xff")
    peer.sendall(connection.data_to_send())
    peer.recv(4096)


def dying(peer):
    """Answers with one message, and is gone."""
    connection, stream = _request(peer)
    connection.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    connection.send_data(stream, bytes(5))
    peer.sendall(connection.data_to_send())


def mute(peer):
    """Ends the response without a status."""
    connection, stream = _request(peer)
    connection.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    connection.send_data(stream, bytes(5), end_stream=True)
    peer.sendall(connection.data_to_send())
    peer.recv(4096)


def _request(peer):
    """The connection, and the stream of its first request."""
    connection = H2Connection(H2Configuration(client_side=False))
    connection.initiate_connection()
    peer.sendall(connection.data_to_send())
    while data := peer.recv(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, RequestReceived):
                return connection, event.stream_id
        peer.sendall(connection.data_to_send())
    raise ConnectionError


@contextlib.contextmanager
def serving(behave):
    """Where the server listens."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listening.accept()
                with peer, contextlib.suppress(Exception):
                    behave(peer)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def answering(*bodies, trailers=(("grpc-status", "0"),)):
    """A server that answers with these messages, and ends with these trailers."""

    def behave(peer):
        connection, stream = _request(peer)
        connection.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        for body in bodies:
            connection.send_data(stream, b"\0" + len(body).to_bytes(4, "big") + body)
        connection.send_headers(stream, list(trailers), end_stream=True)
        peer.sendall(connection.data_to_send())
        peer.recv(4096)

    return behave
