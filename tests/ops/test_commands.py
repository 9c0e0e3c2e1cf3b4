"""`ops` as a command: help, options before and after the name, alignment, and the other small commands."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from datetime import date
from pathlib import Path

import pytest

from jobs.ops import main
from tests.jobs.charging import announced, charge
from tests.ops.desk import ops, text
from tests.rig import ROOT, Rig
from tests.shopkeeper import open_shop, subscription

COMMANDS = sorted(main.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_in_its_help(name: str) -> None:
    epilog = main.commands[name].epilog or ""
    assert epilog.startswith(f"예: jeonggi {name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    options = [each for each in main.commands[name].params if each.param_type_name == "option"]
    assert not [option.name for option in options if not getattr(option, "help", None)]


def test_the_commands_are_those_of_the_design() -> None:
    assert COMMANDS == ["check", "demo", "list", "preview", "report", "service", "settle", "setup", "show"]


def test_shared_options_may_follow_the_name(sqlite_rig: Rig) -> None:
    sqlite_rig.config()
    assert json.loads(text(sqlite_rig, "list", "--json")) == {"rows": []}


def test_columns_stand_under_their_headings(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=date(2026, 12, 3))
    subscription(sqlite_rig, "S-2", delivery_on=date(2026, 12, 3), member_id="a_long_member_id")
    sqlite_rig.config()
    heading, *lines = text(sqlite_rig, "list").splitlines()
    assert [_place(line, "tosspayments") for line in lines] == [_place(heading, "PG")] * 2


def _place(line: str, part: str) -> int:
    """Return the terminal column at which a part begins; Korean letters are two wide."""
    before = line.partition(part)[0]
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in before)


def test_a_reader_that_stops_early_is_no_error(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    for number in range(30):
        subscription(sqlite_rig, f"S-{number:02}", delivery_on=date(2026, 12, 3))
    sqlite_rig.config()
    command = f"{sys.executable} -m jobs.ops --config {sqlite_rig.folder / 'jeonggi.toml'} list | head -1"
    ended = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S602 our own line
    assert ended.stderr == ""


def test_reading_changes_nothing(any_rig: Rig) -> None:
    announced(any_rig)
    charge(any_rig)
    before = any_rig.checksums(exclude=())
    for command in (["list"], ["list", "--rounds"], ["show", "S-1"], ["service"], ["report", "--doubts"]):
        ops(any_rig, *command)
    assert any_rig.checksums(exclude=()) == before


def test_a_copy_can_be_read_but_not_settled(sqlite_rig: Rig) -> None:
    sqlite_rig.config()
    sqlite_rig.ours("UPDATE installation SET hostname = 'production'")
    ops(sqlite_rig, "list")
    ops(sqlite_rig, "settle", "1", "--void", "--by", "a", "--evidence", "b", check=78)


def test_reading_may_stand_on_any_day_and_settling_not(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    sqlite_rig.config(policy={"time_travel": False})
    ops(sqlite_rig, "service", "--as-of", "2030-01-01")
    ended = ops(
        sqlite_rig, "settle", "1", "--void", "--by", "a", "--evidence", "b", "--as-of", "2030-01-01", check=2
    )
    assert "--as-of" in ended.stderr


def test_a_preview_writes_readable_files(sqlite_rig: Rig, tmp_path: Path) -> None:
    sqlite_rig.config()
    ops(sqlite_rig, "preview", "auto_cancel", "--out", str(tmp_path / "out"))
    assert list((tmp_path / "out").glob("auto_cancel.customer.*.txt"))


def test_a_kind_that_there_is_not_is_wrong_usage(sqlite_rig: Rig) -> None:
    sqlite_rig.config()
    ops(sqlite_rig, "preview", "nonsense", check=2)


def test_a_missing_configuration_ends_with_78(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jobs.ops", "--config", str(tmp_path / "none.toml"), "list"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, "none.toml" in ended.stderr) == (78, True)
