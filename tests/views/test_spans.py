import json

from hypothesis import given
from hypothesis import strategies as st

from inspector.views.spans import json_lines

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_each_part_of_json_has_its_style():
    [_, first, second, third, _] = json_lines('{\n  "a\\"b": "c: 1",\n  "n": -1.5e-7,\n  "t": true\n}')
    assert first == [("", "  "), ("key", '"a\\"b"'), ("", ":"), ("", " "), ("string", '"c: 1"'), ("", ",")]
    assert ("number", "-1.5e-7") in second
    assert ("word", "true") in third


@given(values)
def test_the_text_stays_as_it_is(value):
    text = json.dumps(value, indent=2)
    assert "\n".join("".join(part for _, part in line) for line in json_lines(text)) == text
