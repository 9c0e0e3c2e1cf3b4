"""charge_d1: a declined round waits for the next of `retry_times`, up to the last one on `charge_until`."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.homes import Home
from tests.jobs.charging import NOTICE_AT, SOFT, charge
from tests.jobs.street import due_of, neighbour, street, tries_of
from tests.rig import Rig

pytestmark = pytest.mark.rule(10)

DAY = "2026-12-0"


@dataclass(frozen=True)
class Case:
    """Runs at some moments (day of December, time), how the round stands then, how often it was tried."""

    runs: tuple[str, ...]
    ends: str
    tries: int = 1


@dataclass(frozen=True)
class Policy:
    """How a shop tries again, and the cases that live under it; every charge is declined."""

    retry_days: int
    retry_times: tuple[str, ...]
    cases: dict[str, Case]


USUAL = Policy(
    3,
    ("10:00", "17:00"),
    {
        "first declined at 08:00": Case(("2T08:00",), "2T10:00"),
        "first declined at 09:59": Case(("2T09:59",), "2T10:00"),
        "first declined at 10:00": Case(("2T10:00",), "2T17:00"),
        "first declined at 10:01": Case(("2T10:01",), "2T17:00"),
        "first declined at 16:59": Case(("2T16:59",), "2T17:00"),
        "first declined at 17:00": Case(("2T17:00",), "3T10:00"),
        "first declined at 18:00": Case(("2T18:00",), "3T10:00"),
        "a run between two slots": Case(("2T10:00", "2T16:59"), "2T17:00"),
        "both slots of a day": Case(("2T10:00", "2T17:00"), "3T10:00", 2),
        "a slot missed by an hour": Case(("2T10:00", "2T18:00"), "3T10:00", 2),
        "a slot missed until midnight": Case(("2T10:00", "3T00:00"), "3T10:00", 2),
        "three slots missed are one try": Case(("2T10:00", "4T09:59"), "4T10:00", 2),
        "the last slot but one": Case(("2T10:00", "4T10:00"), "4T17:00", 2),
        "the last slot": Case(("2T10:00", "4T17:00"), "failed", 2),
        "the last slot, missed to the last minute": Case(("2T10:00", "4T23:59"), "failed", 2),
        "never on the day after": Case(("2T10:00", "5T00:00"), "failed", 1),
        "first tried before the last slot": Case(("4T16:59",), "4T17:00"),
        "first tried at the last slot": Case(("4T17:00",), "failed"),
        "first tried after the last slot": Case(("4T20:59",), "failed"),
        "first tried at night": Case(("4T21:00",), "due", 0),
        "not tried at all": Case(("5T00:00",), "missed", 0),
    },
)
ONCE = Policy(
    1,
    ("10:00",),
    {
        "one slot, first declined before it": Case(("2T08:30",), "2T10:00"),
        "one slot, declined again at it": Case(("2T08:30", "2T10:00"), "failed", 2),
        "one slot, first declined at it": Case(("2T10:00",), "failed"),
        "one slot, first declined after it": Case(("2T12:00",), "failed"),
        "one slot, over at midnight": Case(("2T08:30", "3T00:00"), "failed"),
    },
)
TWO_DAYS = Policy(
    2,
    ("22:00",),
    {
        "a slot at night": Case(("2T10:00",), "2T22:00"),
        "a slot at night, taken": Case(("2T10:00", "2T22:00"), "3T22:00", 2),
        "a slot at night, the last": Case(("2T10:00", "3T22:00"), "failed", 2),
    },
)
FIVE_DAYS = Policy(
    5,
    ("17:00", "10:00", "14:00"),
    {
        "three slots, the second": Case(("2T10:00",), "2T14:00"),
        "three slots, the third": Case(("2T14:00",), "2T17:00"),
        "three slots, the next day": Case(("2T17:00",), "3T10:00"),
        "three slots, the fifth day": Case(("2T10:00", "6T14:00"), "6T17:00", 2),
        "three slots, the very last": Case(("2T10:00", "6T17:00"), "failed", 2),
    },
)
CASES = {name: case for policy in (USUAL, ONCE, TWO_DAYS, FIVE_DAYS) for name, case in policy.cases.items()}


@pytest.fixture(scope="module")
def lived(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """Play every case, each in runs of its own."""
    with street(shared_pair, tmp_path_factory) as rig:
        found: dict[str, Case] = {}
        for letter, policy in zip("ABCD", (USUAL, ONCE, TWO_DAYS, FIVE_DAYS), strict=True):
            found |= _live_under(rig, policy, letter)
        return found


def _live_under(rig: Rig, policy: Policy, letter: str) -> dict[str, Case]:
    rig.config(policy={"retry_days": policy.retry_days, "retry_times": list(policy.retry_times)})
    keys = {name: f"S-{letter}{number}" for number, name in enumerate(policy.cases)}
    for key in keys.values():
        neighbour(rig, key, SOFT)
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    for name, key in keys.items():
        for at in policy.cases[name].runs:
            charge(rig, f"{DAY}{at}", "--subscription", key, check=None)
    return {name: _now(rig, key, policy.cases[name].runs) for name, key in keys.items()}


def _now(rig: Rig, key: str, runs: tuple[str, ...]) -> Case:
    due, tries = due_of(rig, key), tries_of(rig, key)
    return Case(runs, (due if tries or due == "missed" else "due").removeprefix(DAY), len(tries))


@pytest.mark.parametrize("name", CASES)
def test_a_declined_round_is_tried_at_its_slots_and_no_other_time(lived: dict[str, Case], name: str) -> None:
    assert lived[name] == CASES[name]
