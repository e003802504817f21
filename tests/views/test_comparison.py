"""Two messages or calls beside one another: what is found, and the rows that tell it."""

from __future__ import annotations

import pytest
from capture_files import SAMPLES
from hypothesis import given
from hypothesis import strategies as st

from inspector import limits, session
from inspector.model.call import Call, Message
from inspector.schema import Schema
from inspector.transcode.compare import Difference
from inspector.views import diff_rows
from inspector.views.comparison import CallOperand, Operand, Section, compare_calls, compare_messages
from inspector.views.widths import cells_of
from inspector.wire.encode import length_delimited, tag, varint

PROTOS = str(SAMPLES.parent / "protos")


def go_on() -> None:
    pass


def of_messages(left: Operand, right: Operand) -> Section:
    (section,) = compare_messages(left, right, go_on)
    return section


def of_calls(left: CallOperand, right: CallOperand, **options: object) -> dict[str, Section]:
    return {each.title: each for each in compare_calls(left, right, go_on, lambda _: None, **options)}


def call_of(name: str, number: int) -> CallOperand:
    """A call of a sample, with its messages."""
    schema = Schema.from_source(PROTOS)
    opened = session.open(SAMPLES / name, schema=schema)
    events = list(opened.events())
    (call,) = [each for each in events if isinstance(each, Call) and each.number == number]
    messages = [each for each in events if isinstance(each, Message) and each.call == number]
    sides = {"request": [], "response": []}
    for place, each in enumerate(messages):
        name = f"{each.direction} {each.index}"
        sides[each.direction].append(Operand(each.data, name, opened.type_of(each), schema, place=place))
    return CallOperand(call, tuple(sides["request"]), tuple(sides["response"]), opened.decode_details)


def differing(section: Section) -> list[tuple[str, str]]:
    return [(each.change, each.path) for each in section.found if each.change != "same"]


def texts(sections: list[Section], width: int, **options: object) -> list[str]:
    """The rows as they are read."""
    is_unified = width < 120
    shown = diff_rows.unified_line if is_unified else diff_rows.line
    found = diff_rows.rows(sections, is_unified=is_unified, **options)
    return ["".join(text for _, text in shown(row, width)).rstrip() for row in found]


# --- messages ----------------------------------------------------------------------------------------------------


def test_messages_of_a_type_are_compared_by_the_names_of_its_fields():
    left, right = call_of("predict.pcapng", 2), call_of("predict.pcapng", 3)
    section = of_messages(left.requests[0], right.requests[0])
    assert section.title == "Request 0  vision.v1.PredictRequest"
    assert ("changed", "context.requestId") in differing(section)
    assert ("added", "options.seed") in differing(section)
    assert (section.left, section.right) == (0, 0)
    assert section.notes == ()


def test_without_a_schema_they_are_compared_by_number():
    section = of_messages(Operand(b"\x08\x01\x12\x02ab"), Operand(b"\x08\x02\x12\x02ab"))
    assert differing(section) == [("changed", "1")]
    assert [each.path for each in section.found if each.change == "same"] == ["2"]
    assert "guessed" in section.title


def test_of_two_types_it_is_said_that_names_are_compared():
    left = call_of("predict.pcapng", 2)
    section = of_messages(left.requests[0], left.responses[0])
    assert section.notes == ("vision.v1.PredictRequest left, vision.v1.PredictResponse right: compared by field name",)
    assert ("same", "model") in [(each.change, each.path) for each in section.found]


def test_of_a_damaged_message_what_can_be_read_is_compared_and_the_damage_told():
    left = call_of("predict.pcapng", 2).requests[0]
    cut = left._replace(data=left.data[:100])
    section = of_messages(left, cut)
    assert section.notes[0].startswith("right: damaged at 0x")
    assert section.notes[-1] == "552 bytes left, 100 right; they differ from 0x64 on"
    assert differing(section)
    assert of_messages(cut, cut).notes[-1] == "equal byte for byte, 100 B"


def test_what_could_not_be_decompressed_is_told_by_its_bytes():
    bad = Operand(b"\x1f\x8b\x00", problem="gzip: the data is cut off", is_compressed=True)
    section = of_messages(Operand(b"\x08\x01"), bad)
    assert section.notes == ("right: gzip: the data is cut off", "2 bytes left, 3 right; they differ from 0x0 on")
    assert differing(section) == [("changed", "")]


def test_the_same_values_in_other_bytes_are_told():
    section = of_messages(Operand(b"\x08\x01\x10\x02"), Operand(b"\x10\x02\x08\x01"))
    assert differing(section) == []
    assert section.notes[0].startswith("the values are the same, their bytes are not")


def test_a_message_that_is_too_large_is_compared_by_its_bytes():
    data = length_delimited(1, bytes(limits.MAX_COMPARED_GUESSED // 2 + 1))
    section = of_messages(Operand(data), Operand(data[:-1] + b"\x01"))
    assert differing(section) == [("changed", "")]
    assert section.notes[0] == "too large to be compared field by field"
    assert f"differ from 0x{len(data) - 1:x} on" in section.notes[1]


def test_a_comparison_ends_where_it_is_told_to():
    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        compare_messages(Operand(b"\x08\x01"), Operand(b"\x08\x02"), stop)


# --- calls -------------------------------------------------------------------------------------------------------


def test_of_two_calls_status_times_headers_and_messages_are_told():
    left, right = call_of("predict.pcapng", 2), call_of("errors.pcapng", 1)
    found = of_calls(left, right)
    assert ("changed", "status.code") in differing(found["Call"])
    assert found["Timing"].differences == 0
    assert {each.path for each in found["Timing"].found} >= {"started", "took", "first response after"}
    assert ("changed", "x-request-id") in differing(found["Request headers"])
    assert not any('["' in each.path for each in found["Request headers"].found)
    assert "Response 0, only left  vision.v1.PredictResponse" in found


def test_messages_of_streams_go_together_by_what_is_in_them():
    left = call_of("predict.pcapng", 10)
    right = left._replace(requests=left.requests[1:])
    found = of_calls(left, right)
    assert [title for title in found if title.startswith("Request")] == [
        "Request headers",
        "Request 0, only left  vision.v1.ConverseRequest",
        "Request 1  vision.v1.ConverseRequest",
        "Request 2  vision.v1.ConverseRequest",
        "Request 3  vision.v1.ConverseRequest",
    ]
    assert sum(each.differences for title, each in found.items() if title.startswith("Request ")) == 1


@pytest.mark.parametrize("show_secrets", [False, True])
def test_credentials_are_masked_but_that_they_differ_is_told(show_secrets):
    left = call_of("hpack.pcapng", 1)
    other = tuple((name, "Bearer another-one" if name == "authorization" else value)
                  for name, value in left.call.request_headers)  # fmt: skip
    right = left._replace(call=left.call._replace(request_headers=other))
    section = of_calls(left, right, show_secrets=show_secrets)["Request headers"]
    assert differing(section) == [("changed", "authorization")]
    told = diff_rows.as_text([section], "a", "b") + "\n".join(texts([section], 160, shows_equal=True))
    assert ("example-token" in told) == show_secrets
    assert ("another-one" in told) == show_secrets
    assert ("example-session" in told) == show_secrets
    if not show_secrets:
        assert "<masked>" in told
        assert "(another one)" in told


# --- rows --------------------------------------------------------------------------------------------------------

SECTION = Section(
    "Request 0",
    (
        Difference("a", "same", {"x": 1, "y": [2, 3]}, {"x": 1, "y": [2, 3]}),
        Difference("name", "changed", "fox", "fog"),
        Difference("tags[1]", "changed", 1, 2, "tags[2]"),
        Difference("box", "removed", {"left": 1, "right": 2}, None),
        Difference("more", "added", None, "new"),
        Difference("tags[0]", "reordered", 7, 7, "tags[3]"),
    ),
    left=0,
    right=0,
)


def test_values_stand_beside_one_another_each_difference_with_a_sign():
    found = texts([SECTION], 120)
    assert found[0].startswith("── Request 0  5 differences ──")
    assert found[1] == "  ▸ 3 equal fields"
    signs = [(line[:2], *[part.strip() for part in line[2:].split("│")]) for line in found[2:]]
    assert signs == [
        ("~ ", "name", '"fox"', '"fog"'),
        ("~ ", "tags[1] → tags[2]", "1", "2"),
        ("- ", "box.left", "1", ""),
        ("- ", "box.right", "2", ""),
        ("+ ", "more", "", '"new"'),
        ("> ", "tags[0]", "7", "moved to tags[3]"),
    ]


def test_on_80_columns_they_stand_above_one_another():
    assert texts([SECTION], 80)[1:] == [
        "  ▸ 3 equal fields",
        '- name: "fox"',
        '+ name: "fog"',
        "- tags[1]: 1",
        "+ tags[2]: 2",
        "- box.left: 1",
        "- box.right: 2",
        '+ more: "new"',
        "> tags[0]: moved to tags[3]",
    ]


def test_what_is_equal_is_opened_one_by_one_or_all_at_once():
    opened = texts([SECTION], 80, opened={(0, 0)})
    assert opened[1:5] == ["  ▾ 3 equal fields", "  a.x: 1", "  a.y[0]: 2", "  a.y[1]: 3"]
    assert texts([SECTION], 80, shows_equal=True)[1:4] == ["  a.x: 1", "  a.y[0]: 2", "  a.y[1]: 3"]


@pytest.mark.parametrize("width", [80, 160])
def test_of_long_texts_the_part_that_differs_is_shown(width):
    before, after = "x" * 5_000 + "left" + "y" * 5_000, "x" * 5_000 + "right" + "y" * 5_000
    found = "\n".join(texts([Section("m", (Difference("text", "changed", before, after),))], width))
    assert "left" in found
    assert "right" in found


def test_what_came_in_a_message_cannot_move_the_terminal():
    nasty = Difference("k\x1b[2J", "changed", "a\x1b[31m\u202e", {"\x9b1m": "\r"})
    section = Section("Request\x1b", (nasty,), ("note\x07",))
    for width in (80, 160):
        for line in (*texts([section], width), *diff_rows.as_text([section], "l\x1b", "r").split("\n")):
            assert line.isprintable()


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=60) | st.lists(st.integers(), max_size=3)),
       st.sampled_from([40, 80, 121, 160]))  # fmt: skip
def test_no_line_is_wider_than_its_room(value, width):
    section = Section("m", (Difference("", "removed", value, None), Difference("p" * 200, "changed", value, "é" * 300)))
    assert all(cells_of(line) <= width for line in texts([section], width))


def test_large_values_are_cut_and_counted():
    many = Difference("list", "added", None, list(range(limits.MAX_COMPARED_LEAVES + 7)))
    found = texts([Section("m", (many,))], 80)
    assert len(found) == limits.MAX_COMPARED_LEAVES + 2
    assert found[-1] == "   ... and 7 more fields of it"


def test_as_text_and_records_it_is_what_inspector_diff_prints():
    assert diff_rows.as_text([SECTION], "call 1", "call 2").split("\n") == [
        "--- call 1",
        "+++ call 2",
        "@@ Request 0 @@",
        '~ name: "fox" -> "fog"',
        "~ tags[1] (there tags[2]): 1 -> 2",
        '- box: {"left": 1, "right": 2}',
        '+ more: "new"',
        "> tags[0]: moved to tags[3]: 7",
    ]
    first = diff_rows.as_records([SECTION]).split("\n")[0]
    assert first == '{"section": "Request 0", "path": "name", "change": "changed", "before": "fox", "after": "fog"}'


def test_numbers_of_a_wire_are_told_apart_by_their_wire_type():
    section = of_messages(Operand(tag(1, 5) + b"\x00\x00\x80?"), Operand(tag(1, 0) + varint(1)))
    assert differing(section)
