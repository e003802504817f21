"""Maps in the order of their keys."""

from __future__ import annotations

import orjson
from fuzz import target_wire_to_json


def test_a_map_with_a_key_that_is_not_utf_8_comes_by_key_too():
    keys = b"kcaxhgzbdqm\xf0"
    body = b"".join(b"\xaa\x01\x05\x0a\x01%c\x10\x01" % key for key in keys)
    value = orjson.loads(target_wire_to_json.run(b"\x01\x00" + body).json)
    assert list(value["closed"]) == [*"abcdghkmqxz", "\N{REPLACEMENT CHARACTER}"]
