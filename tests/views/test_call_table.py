import pytest

from inspector.model.call import Call, Status
from inspector.model.problem import Problem
from inspector.views.call_table import InOrder, heading, row
from inspector.views.widths import cells

OK = Status(0, "OK", "")


def call(number, method="/pkg.Svc/Do", status=OK, problems=(), requests=1):
    return Call(
        number, method, "grpc", "127.0.0.1:4000", "127.0.0.1:50051", 1, 1, 0, 1_500_000, None, None, (), (), (),
        status, requests, 1, 100, 200, True, tuple(problems),
    )  # fmt: skip


def text(line):
    return "".join(part for _, part in line)


def numbers(calls):
    return [each.number for each in calls]


def test_calls_are_put_in_the_order_in_which_they_began():
    order = InOrder()
    assert numbers(order.feed([call(2), call(3)])) == []
    assert numbers(order.feed([call(1)])) == [1, 2, 3]
    assert numbers(order.feed([call(5)])) == []
    assert numbers(order.close()) == [5]


def test_no_more_calls_are_held_back_than_the_window_allows():
    order = InOrder(window=2)
    assert numbers(order.feed([call(4), call(3)])) == []
    assert numbers(order.feed([call(2)])) == [2, 3, 4]
    assert numbers(order.feed([call(1)])) == [1]


def test_without_a_window_calls_pass_at_once():
    order = InOrder(window=0)
    assert numbers(order.feed([call(2), call(1)])) == [2, 1]


@pytest.mark.parametrize("width", [80, 99, 100, 120, 160, 250])
@pytest.mark.parametrize(
    "one",
    [
        call(1),
        call(9999, "/a.very.long.package.name.with.many.parts.LongServiceName/LongMethodName" * 3),
        call(1, None, None, [Problem("started_late", "the beginning is missing " * 9)]),
        call(1, status=Status(9, "FAILED_PRECONDITION", "状態" * 60)),
    ],
)
def test_rows_are_no_wider_than_the_terminal(one, width):
    assert sum(map(cells, text(row(one, width)).rstrip())) <= width
    assert len(text(heading(width))) <= width


@pytest.mark.parametrize("width", [80, 120, 200])
def test_rows_stand_under_the_heading(width):
    line, title = text(row(call(1), width)), text(heading(width))
    assert line.index("pkg.Svc/Do") == title.index("method")
    assert line.index("OK") == title.index("status")
    assert line.rindex("1.5 ms") + len("1.5 ms") == title.index("took") + len("took")


def test_a_long_method_loses_its_package_first():
    assert "  Service/Method  " in text(row(call(1, "/some.long.package.Service/Method"), 80))
    assert "  some.long.package.Service/Method  " in text(row(call(1, "/some.long.package.Service/Method"), 120))


def test_a_problem_is_marked_and_told_where_there_is_room():
    lost = call(1, problems=[Problem("hpack_unknown", "not known"), Problem("bytes_lost", "bytes are lost")])
    assert text(row(lost, 80)).endswith(" !")
    assert text(row(lost, 160)).endswith(" ! bytes are lost")
    assert ("bad", " !") in row(lost, 80)
    assert ("dim", " !") in row(call(1, problems=[Problem("hpack_unknown", "not known")]), 80)


def test_the_style_tells_good_from_bad():
    def style(status):
        return next(style for style, part in row(call(1, status=status), 80) if part.strip() in ("OK", "ABORTED", "?"))

    assert (style(OK), style(Status(10, "ABORTED", "")), style(None)) == ("good", "bad", "dim")
