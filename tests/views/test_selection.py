import pytest

from inspector.views.selection import Selection, matches


@pytest.mark.parametrize(
    "glob",
    [
        "pkg.Svc/Do",
        "pkg.Svc.Do",
        "pkg.*",
        "*/Do",
        "*.Do",
        "*",
        "pkg.Svc/?o",
        "pkg.Svc/[A-D]o",
        "*Svc*",
        "Do",
        "Svc/Do",
        "Svc.Do",
        "D?",
    ],
)
def test_globs_that_match(glob):
    assert matches(glob, "/pkg.Svc/Do")


@pytest.mark.parametrize("glob", ["", "o", "vc/Do", "pkg.Svc", "pkg.Svc/do", "pkg.Svc/"])
def test_globs_that_do_not_match(glob):
    assert not matches(glob, "/pkg.Svc/Do")


def test_a_method_that_is_not_known_matches_nothing():
    assert not matches("*", None)


def test_a_selection_counts_what_it_takes():
    selection = Selection(call=2, method="/pkg.Svc/*")
    taken = [selection.takes(call, method) for call in (1, 2) for method in ("/pkg.Svc/A", "/pkg.Tvc/A", None)]
    assert taken == [False, False, False, True, False, False]
    assert selection.taken == 1
    assert selection.describe() == "call 2 and a method like pkg.Svc/*"


def test_a_selection_of_everything_has_nothing_to_describe():
    selection = Selection()
    assert selection.takes(1, None)
    assert selection.describe() == ""
