"""No text of a table steers the terminal, the pipe or the shell of whoever reads it."""

from __future__ import annotations

import json
import shlex

import pytest

from lib.billing.texts import clean
from tests.secrets.nasty import STRINGS, Life, ids, is_visible

pytestmark = pytest.mark.rule(14)


def test_nothing_that_a_person_is_told_steers_the_terminal(life: Life) -> None:
    assert [said for said in life.said if not is_visible(said)] == []
    assert len(life.said) == 12


@pytest.mark.parametrize("name", STRINGS)
def test_a_text_is_told_as_it_is_and_as_no_markup(life: Life, name: str) -> None:
    everything = "\n".join(life.said)
    assert clean(ids(name).blocked) in everything
    assert clean(STRINGS[name][:100]) in everything


@pytest.mark.parametrize("name", STRINGS)
def test_a_life_is_found_under_such_a_number(life: Life, name: str) -> None:
    assert is_visible(life.shown[name])
    assert clean(ids(name).paid) in life.shown[name]
    assert clean(STRINGS[name][:100]) in life.shown[name]


@pytest.mark.parametrize("command", ["list", "list --rounds", "report", "service", "check --invariants"])
def test_json_is_one_line_that_shows_all_it_holds(life: Life, command: str) -> None:
    said = life.as_json[command]
    assert (len(said.splitlines()), is_visible(said)) == (1, True)
    assert json.loads(said)


@pytest.mark.parametrize("command", ["list", "list --rounds"])
def test_json_holds_the_numbers_unchanged(life: Life, command: str) -> None:
    numbers = {row["subscription_id"] for row in json.loads(life.as_json[command])["rows"]}
    assert numbers >= {ids(name).paid for name in STRINGS} | {ids(name).declined for name in STRINGS}


def test_a_command_to_copy_names_its_subject_as_one_word(life: Life) -> None:
    blocked = json.loads(life.as_json["report"])["blocked"]
    asked = {row["subject"]: shlex.split(row["command"]) for row in blocked}
    assert asked == {ids(name).blocked: ["jeonggi", "show", ids(name).blocked] for name in STRINGS}
