"""docs/rules.ko.md as its readers see it: sections by rule, tables, and the Korean of their cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lib.settings import Policy

NAME = "docs/rules.ko.md"
PAGE = Path(__file__).resolve().parent.parent / NAME
NONE = "없음"
_SUM = re.compile(r"([\d,]+)원")


class Cells(dict[str, str]):
    """The cells of a row by their headings; remembers which were asked for."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        super().__init__(cells)
        self.asked: set[str] = set()

    def __getitem__(self, heading: str) -> str:
        self.asked.add(heading)
        return super().__getitem__(heading)


Figure = Callable[[Cells], dict[str, str]]


class Figures(dict[str, Figure]):
    """Kinds of tables, each with the function that works out the result columns of a row."""

    def of(self, kind: str) -> Callable[[Figure], Figure]:
        def known(function: Figure) -> Figure:
            self[kind] = function
            return function

        return known


@dataclass(frozen=True)
class Row:
    """A row of a table; `line` is its line on the page."""

    rule: int
    line: int
    cells: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"{NAME}:{self.line}"


@dataclass(frozen=True)
class Table:
    """A table of the section of a rule; the sections that are no rule's have the number 0."""

    rule: int
    headings: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def kind(self) -> str:
        return " | ".join(self.headings)


@cache
def page_lines() -> list[str]:
    return PAGE.read_text(encoding="utf-8").splitlines()


@cache
def sections() -> dict[int, str]:
    """Return what stands under the heading of each rule."""
    text = "\n".join(page_lines())
    parts = re.split(r"^## (?:(\d+)\. )?.+$", text, flags=re.MULTILINE)
    return {int(number): body for number, body in zip(parts[1::2], parts[2::2], strict=True) if number}


@cache
def tables() -> tuple[Table, ...]:
    """Return every table of the page."""
    found: list[Table] = []
    rule, first = 0, None
    for place, line in enumerate([*page_lines(), ""]):
        if heading := re.match(r"## (?:(\d+)\. )?", line):
            rule = int(heading[1] or 0)
        if line.startswith("|"):
            first = place if first is None else first
        elif first is not None:
            found.append(_table(rule, first, place))
            first = None
    return tuple(found)


def _table(rule: int, first: int, end: int) -> Table:
    lines = page_lines()
    headings = _cells(lines[first])
    rows = [
        Row(rule, place + 1, dict(zip(headings, _cells(lines[place]), strict=True)))
        for place in range(first + 2, end)
    ]
    return Table(rule, headings, tuple(rows))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def examples(*kinds: str) -> list[Any]:
    """Return the rows of all tables of some kinds, each marked with its rule and called by its line."""
    return [
        pytest.param(row, marks=pytest.mark.rule(row.rule), id=f"rule-{row.rule}-line-{row.line}")
        for table in tables()
        if table.kind in kinds
        for row in table.rows
    ]


def compare(row: Row, found: Mapping[str, str]) -> None:
    """Fail with the line of the page where what it says is not what was found."""
    wrong = {heading: value for heading, value in found.items() if row.cells[heading] != value}
    said = "; ".join(
        f"{heading}: '{row.cells[heading]}', 프로그램은 '{value}'" for heading, value in wrong.items()
    )
    assert not wrong, f"{row.place}: {said}"


def day(text: str) -> date:
    return date.fromisoformat(text)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def days(text: str) -> list[date]:
    return [day(each) for each in text.split(", ")]


def sum_of(text: str) -> int:
    """Read 12,900원."""
    found = _SUM.fullmatch(text)
    assert found, text
    return int(found[1].replace(",", ""))


def number(text: str) -> int:
    """Read 3개, 2번, 0건."""
    return int(text.rstrip("개번건장"))


def option(text: str) -> str:
    """Read a value in backticks and quotes: `"skip"`."""
    return text.strip("`").strip('"')


def policy(**options: str) -> Policy:
    """Return the defaults, but for the options that a row names."""
    return Policy.model_validate(options)
