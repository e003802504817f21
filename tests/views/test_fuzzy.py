"""Names found by some of their letters."""

from __future__ import annotations

import pytest

from inspector.views.fuzzy import ranked

NAMES = ["shop.v1.Orders/Get", "shop.v1.Orders/List", "shop.v1.Search/GetOrder", "a.(b+c)*", "Ångström/Mess"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", NAMES),
        ("list", ["shop.v1.Orders/List"]),
        ("ORDERS get", ["shop.v1.Orders/Get"]),
        ("slst", ["shop.v1.Orders/List"]),
        ("order", ["shop.v1.Orders/Get", "shop.v1.Orders/List", "shop.v1.Search/GetOrder"]),
        ("getorder", ["shop.v1.Search/GetOrder"]),
        (".*", ["a.(b+c)*"]),
        ("ång", ["Ångström/Mess"]),
        ("zz", []),
    ],
)
def test_names_with_all_words_are_found_best_first(query, found):
    assert ranked(query, NAMES, str) == found


def test_whole_words_come_before_scattered_letters():
    assert ranked("get", ["a/GrEaT", "a/Get", "b/Target"], str) == ["a/Get", "b/Target", "a/GrEaT"]
