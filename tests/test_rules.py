"""Every example on the operators' page of rules is tried, and every option on it is the configuration's."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from lib.billing import words
from lib.settings import Policy
from tests import rules_figures
from tests.rig import Rig
from tests.rules_changes import CHANGES, WORKED
from tests.rules_figures import STANDINGS
from tests.rules_page import PAGE, Cells, Row, Table, compare, examples, page_lines, sections, tables
from tests.rules_stories import STORY, play
from tests.rules_sums import SUMS

OPTIONS = "옵션 | 기본값 | 쓸 수 있는 값 | 규칙 | 바꾸는 대가"
RULES = range(1, 15)
NAMED = re.compile(r"`(\w+) = ([^`]+)`")
FIGURES = {**rules_figures.FIGURES, **SUMS}


def tried(row: Row, kind: str) -> dict[str, str]:
    """Return what the rules make of a row; every cell of it must have been used."""
    cells = Cells(row.cells)
    found = FIGURES[kind](cells)
    assert cells.asked | set(found) == set(cells), f"{row.place}: 시험이 보지 않는 칸이 있음"
    return found


def kind_of(row: Row) -> str:
    return " | ".join(row.cells)


@pytest.mark.parametrize("row", examples(*FIGURES))
def test_every_figure_on_the_page_is_what_the_rules_make_of_it(row: Row) -> None:
    compare(row, tried(row, kind_of(row)))


@pytest.mark.parametrize("row", examples(*WORKED))
def test_every_change_on_the_page_ends_as_it_says(rig: Rig, row: Row) -> None:
    compare(row, WORKED[kind_of(row)](rig, Cells(row.cells)))


def stories() -> list[Any]:
    return [
        pytest.param(
            story, marks=pytest.mark.rule(story.rule), id=f"rule-{story.rule}-line-{story.rows[0].line}"
        )
        for story in tables()
        if story.kind == STORY
    ]


def moves_money(story: Table) -> bool:
    return any(re.match("`(charge-d1|reset-pg)", row.cells["무슨 일"]) for row in story.rows)


@pytest.mark.parametrize("story", stories())
def test_every_story_on_the_page_happens_as_it_says(request: pytest.FixtureRequest, story: Table) -> None:
    rig: Rig = request.getfixturevalue("rig" if moves_money(story) else "sqlite_rig")
    play(rig, story.rows)


def test_no_table_on_the_page_is_left_untried() -> None:
    known = {*FIGURES, *WORKED, STORY, OPTIONS}
    assert {table.kind for table in tables()} == known


def spoilt(row: Row, heading: str) -> Row:
    return replace(row, cells={**row.cells, heading: "틀린 값"})


@pytest.mark.parametrize("row", examples(*FIGURES))
def test_a_wrong_figure_is_told_by_its_line(row: Row) -> None:
    found = tried(row, kind_of(row))
    for heading in found:
        with pytest.raises(AssertionError, match=rf"rules\.ko\.md:{row.line}: {heading}: '틀린 값'"):
            compare(spoilt(row, heading), found)


@pytest.mark.parametrize(
    ("heading", "told"), [("결과", "회차 안내대기"), ("결과", "날씨 맑음"), ("무슨 일", "비가 옴")]
)
def test_a_wrong_story_is_told_by_its_line(sqlite_rig: Rig, heading: str, told: str) -> None:
    story = next(each for each in tables() if each.kind == STORY)
    row = replace(story.rows[0], cells={**story.rows[0].cells, heading: told})
    with pytest.raises(AssertionError, match=rf"rules\.ko\.md:{row.line}: "):
        play(sqlite_rig, (row,))


def test_every_rule_has_its_section_an_example_and_a_source() -> None:
    assert tuple(sections()) == tuple(RULES)
    assert {table.rule for table in tables()} >= set(RULES)
    assert [rule for rule, body in sections().items() if "\n출처: " not in body] == []


def test_every_reason_that_blocks_or_drops_is_among_the_examples() -> None:
    shown = {cell for table in tables() for row in table.rows for cell in row.cells.values()}
    assert {*words.BLOCKED.values(), *words.EXCLUDED.values()} - {words.EXCLUDED["price_risen"]} <= shown
    assert {*STANDINGS, *CHANGES} <= shown


def test_every_link_of_the_page_has_its_address() -> None:
    text = "\n".join(page_lines())
    used, given = (
        set(re.findall(r"\]\[([\w-]+)\]", text)),
        re.findall(r"^\[([\w-]+)\]: http", text, re.MULTILINE),
    )
    assert sorted(used) == sorted(given)


def test_every_anchor_that_the_page_names_is_a_heading() -> None:
    text = "\n".join(page_lines())
    for name, anchor in re.findall(r"\]\((\S*?)#([^)]+)\)", text):
        target = (PAGE.parent / name).read_text(encoding="utf-8") if name else text
        headings = re.findall(r"^#+ (.+)$", target, re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
        assert anchor in slugs, f"{name}#{anchor}"


# The options


def options() -> dict[str, dict[str, str]]:
    (table,) = (each for each in tables() if each.kind == OPTIONS)
    return {row.cells["옵션"].strip("`"): dict(row.cells) for row in table.rows}


def defaults() -> dict[str, str]:
    return {key: cells["기본값"].strip("`") for key, cells in options().items()}


def test_the_table_of_options_has_every_option_and_no_other() -> None:
    assert set(options()) == set(Policy.model_fields)


def test_the_defaults_on_the_page_are_those_of_the_configuration() -> None:
    for key, value in defaults().items():
        given = tomllib.loads(f"{key} = {value}")
        assert getattr(Policy.model_validate(given), key) == getattr(Policy(), key), key


def shown_choices(field: FieldInfo) -> str:
    """Say in the page's words which values an option takes; empty where only words can."""
    if field.annotation is bool:
        return "`true`, `false`"
    if get_origin(field.annotation) is Literal:
        return ", ".join(f'`"{each}"`' for each in get_args(field.annotation))
    bounds = {type(each): each for each in field.metadata}
    least, most, above = bounds.get(Ge), bounds.get(Le), bounds.get(Gt)
    if isinstance(least, Ge):
        return f"{least.ge}~{most.le}" if isinstance(most, Le) else f"{least.ge} 이상"
    return f"{above.gt}보다 큼" if isinstance(above, Gt) else ""


def test_the_values_on_the_page_are_those_that_the_configuration_takes() -> None:
    for key, cells in options().items():
        assert cells["쓸 수 있는 값"].startswith(shown_choices(Policy.model_fields[key])), key


def explained() -> dict[str, tuple[int, str, str]]:
    """Return for every option that a section explains: its rule, its default there, and what is said."""
    return {
        key: (rule, value, bullet)
        for rule, body in sections().items()
        for bullet in re.findall(r"^- (`\w+ = .+?)(?=^- |\n\n|\Z)", body, re.MULTILINE | re.DOTALL)
        for key, value in NAMED.findall(bullet.partition(":\x20")[0])
    }


def test_every_option_is_explained_with_its_default_and_its_cost_in_the_section_of_its_rule() -> None:
    rules = {key: cells["규칙"].partition("]")[0].strip("[") for key, cells in options().items()}
    assert {key: (str(rule), value) for key, (rule, value, _) in explained().items()} == {
        key: (rules[key], value) for key, value in defaults().items()
    }
    assert [key for key, (_, _, said) in explained().items() if "대가: " not in said] == []


def test_every_choice_of_an_option_is_explained() -> None:
    for key, (_, _, said) in explained().items():
        field = Policy.model_fields[key]
        choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        assert [each for each in choices if f'"{each}"' not in said] == [], key
        if field.annotation is bool:
            assert {"true", "false"} <= set(re.findall("true|false", said)), key
