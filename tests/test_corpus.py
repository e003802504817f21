"""The corpus: the same bytes each time, and messages on which json_format agrees."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import corpus
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from inspector.schema import Schema
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.wire.scan import scan

DIGEST = """
import hashlib, corpus
print(hashlib.sha256(b"".join(b"".join(shape.messages) for shape in corpus.shapes())).hexdigest())
"""


@pytest.fixture(scope="module", params=corpus.NAMES)
def shape(request):
    return corpus.shape(request.param)


@pytest.fixture(scope="module")
def decoder():
    return MessageDecoder(corpus.schema())


@pytest.fixture(scope="module")
def encoder():
    return MessageEncoder(corpus.schema())


def theirs(shape, data):
    """What json_format prints, as a value."""
    message = corpus.schema().message_class(shape.type_name).FromString(data)
    return json_format.MessageToDict(message, descriptor_pool=corpus.schema().pool)


def canonical(value):
    return json.dumps(value, sort_keys=True)


def test_another_process_makes_the_same_bytes():
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", DIGEST]
    found = subprocess.run(command, env=environment, cwd=Path(__file__).parent, capture_output=True, check=True)
    here = b"".join(b"".join(shape.messages) for shape in corpus.shapes())
    assert found.stdout.decode().strip() == hashlib.sha256(here).hexdigest()


def test_messages_are_of_the_size_that_is_said(shape):
    assert all(900 <= len(data) <= 100_000 for data in shape.messages)
    assert len(set(shape.messages)) == len(shape.messages)


def test_a_message_decodes_to_what_json_format_prints(shape, decoder):
    for data in shape.messages:
        decoded = decoder.decode_json(shape.type_name, data)
        assert decoded.error is None
        assert canonical(json.loads(decoded.json)) == canonical(theirs(shape, data))


def test_its_json_encodes_to_the_same_message(shape, decoder, encoder):
    kind = corpus.schema().message_class(shape.type_name)
    for data in shape.messages:
        text = decoder.decode_json(shape.type_name, data).json
        written = encoder.encode_json(shape.type_name, text)
        assert canonical(theirs(shape, written)) == canonical(theirs(shape, data))
        expected = json_format.Parse(text, kind(), descriptor_pool=corpus.schema().pool).SerializeToString()
        assert canonical(theirs(shape, expected)) == canonical(theirs(shape, written))


def test_only_one_shape_has_unknown_fields(shape, decoder):
    unknown = [decoder.decode_json(shape.type_name, data).unknown_bytes for data in shape.messages]
    assert all(unknown) if shape.name == "unknown fields" else not any(unknown)


def test_oneofs_come_after_fields_with_higher_numbers():
    for data in corpus.shape("oneofs last").messages:
        numbers = [field.number for field in scan(data)]
        assert numbers != sorted(numbers)
        assert numbers[-1] in (8, 9)


def test_the_large_message_has_the_size_asked_for(decoder):
    large = corpus.large(3 * corpus.MEGABYTE)
    assert 2_900_000 < large.size <= 3_000_000
    assert decoder.decode_json(large.type_name, large.messages[0]).error is None


def test_the_descriptor_set_suffices_alone(tmp_path):
    path = tmp_path / "corpus.binpb"
    path.write_bytes(corpus.descriptor_set())
    assert len(FileDescriptorSet.FromString(path.read_bytes()).file) > 15
    shape = corpus.shape("OTLP traces")
    decoded = MessageDecoder(Schema.from_files(path)).decode(shape.type_name, shape.messages[0])
    assert decoded.value == theirs(shape, shape.messages[0])
