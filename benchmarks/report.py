"""Figures as a table, and the table in docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import paths

REPORT = paths.ROOT / "docs" / "performance.md"
MARK = "<!-- figures -->"


class Figure(NamedTuple):
    """One row: what was measured, and what it is to be. `value` and `aim` are times as fast, or in the `unit`."""

    job: str
    against: str
    ours: str
    theirs: str
    value: float | None
    aim: float | None = None
    unit: str = ""
    at_most: bool = False
    why_not: str = ""
    """Why there is no value."""

    @property
    def verdict(self) -> str:
        """Whether the aim is reached, in words."""
        if self.value is None:
            return "not measured"
        if self.aim is None:
            return ""
        reached = self.value <= self.aim if self.at_most else self.value >= self.aim
        return "reached" if reached else "**missed**"

    def row(self) -> str:
        """A row of a Markdown table."""
        value = self.why_not if self.value is None else f"{_short(self.value)}{self.unit}"
        wanted = "" if self.aim is None else f"{'≤' if self.at_most else '≥'} {self.aim:g}{self.unit}"
        return f"| {self.job} | {self.against} | {self.ours} | {self.theirs} | {value} | {wanted} | {self.verdict} |"


class Group(NamedTuple):
    """A table and what stands above it."""

    title: str
    figures: Sequence[Figure]


def seconds(value: float) -> str:
    """A time as people write it."""
    if value >= 1:
        return f"{_short(value)} s"
    return f"{_short(value * 1e3)} ms" if value >= 1e-3 else f"{_short(value * 1e6)} µs"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def markdown(groups: Iterable[Group]) -> list[str]:
    """All tables."""
    lines: list[str] = []
    for group in groups:
        lines += [
            f"### {group.title}", "",
            "| job | against | inspector | peer | measured | aim | |", "| --- | --- | --: | --: | --: | --: | --- |",
            *(figure.row() for figure in group.figures), "",
        ]  # fmt: skip
    return lines


def missed(groups: Iterable[Group]) -> list[str]:
    """The aims that are missed, a line for each."""
    return [
        f"{group.title}: {figure.job}: {_short(figure.value or 0)}{figure.unit}, the aim is {figure.aim:g}{figure.unit}"
        for group in groups
        for figure in group.figures
        if figure.verdict == "**missed**"
    ]


def write(about: str, groups: Iterable[Group]) -> None:
    """Puts the tables into the report, each in the place of the one with its title; `about` stands above them."""
    text = REPORT.read_text(encoding="utf-8")
    before, figures, after = text.split(MARK)
    tables = {part.partition("\n")[0]: part for part in figures.split("### ")[1:]}
    for group in groups:
        tables[group.title] = "\n".join(markdown([group])).removeprefix("### ") + "\n"
    shown = "".join(f"### {table}" for table in tables.values())
    REPORT.write_text(f"{before}{MARK}\n{about}\n\n{shown}{MARK}{after}", encoding="utf-8")
