"""The encoder against json_format, over random schemas."""

from __future__ import annotations

import json
import re

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import EncodeError as ProtobufEncodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.errors import EncodeError
from inspector.transcode.decode import MessageDecoder
from inspector.transcode.encode import MessageEncoder
from inspector.wire.scan import scan

thorough = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))

DELIBERATE = (
    r"expected .*, found (true|false)$",  # json_format: true is 1.0 and the enum value 1
    r"expected an object .*, found (an array|the string)",  # json_format: a message is made of [] and ""
    r"expected an integer .*, found the number",  # json_format: 1.5 is the enum value 1
    r"expected a (number|time|duration|string|bytes) ",  # json_format: what Python reads, as `1_0` and `nan`
    r"is not base64|padding",  # json_format: foreign characters are passed over
    r"is there too, of the same oneof",  # json_format: a null that is a value counts for nothing
    r"is there twice|the same key as",  # json_format: the last one counts
    r"has no value with the number -?[0-9]{10,}$",  # json_format: of the number of an enum, the lowest 32 bits count
    r"out of the range of (float|double)",  # json_format: "1e400" is infinity
)
"""Refusals of what json_format takes."""

NO_ANSWER = "-"
"""json_format does not read the largest float that it prints, and fails at null in the place of a repeated Value."""


@thorough
@given(data=st.data(), proto_names=st.booleans(), enum_numbers=st.booleans(), emit_defaults=st.booleans())
def test_encodes_what_is_printed(random_examples, data, proto_names, enum_numbers, emit_defaults):
    resolver, message = data.draw(random_examples)
    decoder = MessageDecoder(resolver, proto_names=proto_names, enum_numbers=enum_numbers, emit_defaults=emit_defaults)
    wire = serialized(message)
    name = message.DESCRIPTOR.full_name
    printed = decoder.decode_json(name, wire)
    written = MessageEncoder(resolver).encode_json(name, printed.json)
    assert decoder.decode_json(name, written) == printed
    numbers = [field.number for field in scan(written)]
    assert numbers == sorted(numbers)
    # A Value without a kind is null too, one of NaN a string, a mask of an empty path
    # is none, and the bytes in an Any are of maps in any order.
    if not any(each in printed.json for each in (b"@type", b"NaN", b"Infinity", b"null", b'""')):
        assert serialized(type(message).FromString(written)) == wire
        assert len(written) == len(wire)


@thorough
@given(data=st.data())
def test_encodes_what_json_format_encodes(random_examples, data):
    resolver, message = data.draw(random_examples)
    value = MessageToDict(message, descriptor_pool=resolver.pool)
    written = MessageEncoder(resolver, strict=True).encode(message.DESCRIPTOR.full_name, value)
    theirs = oracle(resolver, type(message), value, False)
    assert theirs in (NO_ANSWER, printed(resolver, type(message).FromString(written)))


ODD_VALUES = st.one_of(
    st.sampled_from([None, True, False, [], {}, [None], {"a": 1}, {"": None}, [[1]], {"@type": "x/t.M0"}]),
    st.sampled_from([0, 1, -1, 2**31, -(2**31), 2**32, 2**63, -(2**63) - 1, 2**64, 1.5, 1e5, 1e18, 3.5e38, -1e300]),
    st.sampled_from(["", "a", "1", "-1", "1.0", "1e5", "1.5", "NaN", "Infinity", "ZERO", "UNO", "true", "AQI=", "-_"]),
    st.sampled_from(["1970-01-01T00:00:00Z", "2020-02-29T23:59:59.5+01:30", "-1.5s", "1s", "a,bC"]),
)


@thorough
@given(data=st.data(), ignore_unknown=st.booleans())
def test_odd_values_are_taken_where_json_format_takes_them(random_examples, data, ignore_unknown):
    resolver, message = data.draw(random_examples)
    value = MessageToDict(message, descriptor_pool=resolver.pool)
    places = list(leaves(value))
    if places:
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = data.draw(ODD_VALUES)
    theirs = oracle(resolver, type(message), value, ignore_unknown)
    written, refusal = ours(resolver, message.DESCRIPTOR.full_name, value, ignore_unknown)
    if theirs == NO_ANSWER:
        return
    if refusal:
        assert theirs is None or any(re.search(each, refusal) for each in DELIBERATE)
    else:
        assert printed(resolver, type(message).FromString(written)) == theirs


def serialized(message):
    return message.SerializeToString(deterministic=True)


def ours(resolver, type_name, value, ignore_unknown):
    """The bytes of a value, or why it is refused."""
    try:
        return MessageEncoder(resolver, ignore_unknown=ignore_unknown, strict=True).encode(type_name, value), ""
    except EncodeError as error:
        return b"", error.message


def oracle(resolver, message_class, value, ignore_unknown):
    """What json_format makes of a value, as text; None where it refuses."""
    if "3.4028235e+38" in json.dumps(value):
        return NO_ANSWER
    try:
        message = ParseDict(value, message_class(), ignore_unknown_fields=ignore_unknown, descriptor_pool=resolver.pool)
        message.SerializeToString()
    except (ParseError, ProtobufEncodeError, ValueError, TypeError, KeyError):
        return None
    except AttributeError:
        return NO_ANSWER
    return printed(resolver, message)


def printed(resolver, message):
    return json.dumps(MessageToDict(message, descriptor_pool=resolver.pool), sort_keys=True)


def leaves(value):
    """Where values stand: each container with a key or index in it."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(item, dict | list):
            yield from leaves(item)
