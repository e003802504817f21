"""The printer against json_format, over random schemas."""

from __future__ import annotations

import json

from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.transcode.decode import MessageDecoder
from inspector.transcode.printer import JsonPrinter

thorough = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def canonical(value):
    """Text, so that 1, 1.0 and True differ."""
    return json.dumps(value, sort_keys=True)


@thorough
@given(data=st.data(), emit_defaults=st.booleans(), proto_names=st.booleans(), enum_numbers=st.booleans())
def test_prints_what_json_format_prints(random_examples, data, emit_defaults, proto_names, enum_numbers):
    resolver, message = data.draw(random_examples)
    printer = JsonPrinter(resolver, emit_defaults=emit_defaults, proto_names=proto_names, enum_numbers=enum_numbers)
    expected = MessageToDict(
        message,
        always_print_fields_with_no_presence=emit_defaults,
        preserving_proto_field_name=proto_names,
        use_integers_for_enums=enum_numbers,
        descriptor_pool=resolver.pool,
    )
    assert canonical(printer.to_value(message)) == canonical(expected)


@thorough
@given(data=st.data())
def test_decodes_what_was_serialized_with_nothing_unknown(random_examples, data):
    example = data.draw(random_examples)
    wire = example.message.SerializeToString()
    decoded = MessageDecoder(example.resolver).decode(example.type_name, wire)
    expected = MessageToDict(type(example.message).FromString(wire), descriptor_pool=example.resolver.pool)
    assert canonical(decoded.value) == canonical(expected)
    assert decoded[1:] == (0, "schema", None)
