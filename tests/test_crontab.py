"""The crontab on offer is one that cron can read, at the times the rules speak of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib.settings import Policy
from tests.test_docs import program, spoken

CRONTAB = Path(__file__).resolve().parent.parent / "crontab.example"
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@dataclass(frozen=True)
class Entry:
    """One line of a crontab."""

    fields: tuple[str, ...]
    command: str

    @property
    def call(self) -> list[str]:
        (only,) = spoken(self.command.partition(">")[0])
        return only

    @property
    def times(self) -> set[tuple[int, int]]:
        minutes, hours = (
            spread(field, *limit) for field, limit in zip(self.fields[:2], LIMITS, strict=False)
        )
        return {(hour, minute) for hour in hours for minute in minutes}


def spread(field: str, low: int, high: int) -> set[int]:
    """Return the numbers that a field of a crontab stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, last = (low, high) if span == "*" else (int(span), int(span))
        assert low <= first <= last <= high, field
        found |= set(range(first, last + 1, int(step or 1)))
    return found


def entries(zone: str) -> list[Entry]:
    """Return the lines of one zone; those of UTC are commented out."""
    text = CRONTAB.read_text(encoding="utf-8")
    block = re.search(rf"^# {zone}\n((?:.+\n)+)", text, re.MULTILINE)
    assert block
    lines = [line.removeprefix("#").split(maxsplit=5) for line in block[1].splitlines()]
    return [Entry(tuple(words[:5]), words[5]) for words in lines]


ALL = [*entries("KST"), *entries("UTC")]


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: " ".join((*entry.fields, entry.call[0])))
class TestEveryLine:
    def test_has_five_fields_that_cron_takes(self, entry: Entry) -> None:
        assert all(spread(field, *limit) for field, limit in zip(entry.fields, LIMITS, strict=True))

    def test_calls_a_command_with_options_it_has(self, entry: Entry) -> None:
        name, *arguments = entry.call
        ended = CliRunner().invoke(program(name), [*arguments, "--help"])
        assert ended.exit_code == 0, ended.output

    def test_uses_only_variables_that_are_set_above(self, entry: Entry) -> None:
        known = re.findall(r"^(\w+)=", CRONTAB.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(re.findall(r"\$(\w+)", entry.command)) <= set(known)

    def test_has_no_percent_sign_which_cron_takes_for_a_new_line(self, entry: Entry) -> None:
        assert "%" not in entry.command

    def test_keeps_its_output_in_a_log_and_mails_the_end_of_a_bad_run(self, entry: Entry) -> None:
        assert re.search(r">>? (\$LOG/\w+\.log) 2>&1 \|\| tail -n 20 \1$", entry.command)

    def test_starts_a_job_under_a_lock_of_its_own(self, entry: Entry) -> None:
        name = entry.call[0]
        lock = f"flock -n -E 75 $HERE/{name.replace('-', '_')}.lock {name} "
        assert name == "jeonggi" or entry.command.startswith(lock)


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("notify-d2", {(9, 0)}),
        ("charge-d1", {(10, 0), (17, 0)}),
        ("reset-pg", {(hour, minute) for hour in range(24) for minute in range(0, 60, 10)}),
    ],
)
def test_a_job_starts_at_its_korean_times(name: str, times: set[tuple[int, int]]) -> None:
    (entry,) = (each for each in entries("KST") if each.call[0] == name)
    assert entry.times == times


def test_a_charge_is_started_at_every_time_of_a_retry() -> None:
    (entry,) = (each for each in entries("KST") if each.call[0] == "charge-d1")
    assert {time(*each) for each in entry.times} == set(Policy().retry_times)


def test_the_lines_for_utc_start_the_same_at_the_same_moments() -> None:
    korean = [
        (each.command, {((hour - 9) % 24, minute) for hour, minute in each.times}) for each in entries("KST")
    ]
    assert [(each.command, each.times) for each in entries("UTC")] == korean


def test_no_line_relies_on_a_zone_that_debians_cron_does_not_know() -> None:
    assert not re.search(r"^CRON_TZ=", CRONTAB.read_text(encoding="utf-8"), re.MULTILINE)
