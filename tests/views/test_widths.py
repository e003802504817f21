import pytest

from inspector.views.widths import cells, clip


@pytest.mark.parametrize(
    ("character", "width"),
    [("a", 1), ("ä", 1), ("画", 2), ("🦊", 2), ("\u0301", 0), ("\xad", 1), ("\u0600", 1), ("\u0378", 1), ("\u200b", 0)],
)
def test_cells_are_those_of_a_terminal(character, width):
    assert cells(character) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("fox", 3, "fox"),
        ("foxes", 4, "fox…"),
        ("画像です", 8, "画像です"),
        ("画像です", 7, "画像で…"),
        ("画像です", 6, "画像…"),
        ("foxes", 1, "…"),
        ("foxes", 0, ""),
        ("", 0, ""),
    ],
)
def test_text_is_cut_to_cells(text, width, shown):
    assert clip(text, width) == shown
    assert sum(map(cells, shown)) <= width
