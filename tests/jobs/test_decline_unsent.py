"""charge_d1: a charge that never left, or that nobody could send, is no decline and no reason for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.homes import Home
from tests.jobs.charging import (
    CHARGE_AT,
    HARD,
    NOTICE_AT,
    SOFT,
    announced,
    attempts,
    charge,
    charges,
    due_at,
    give_backup,
    mails,
    matters,
    state,
)
from tests.jobs.street import due_of, neighbour, street, told, tries_of
from tests.rig import Rig
from tests.shopkeeper import contract, service

pytestmark = pytest.mark.rule(9, 10, 14)

NOWHERE = {"tosspayments": {"base_url": "http://127.0.0.1:9"}}


@dataclass(frozen=True)
class Case:
    """When the gateway could not be reached, and how the round stood then; later runs reach it."""

    unsent_at: str
    due: str
    later: Sequence[str] = ()
    ends: str = "paid"
    tries: Sequence[str] = ("main not_sent", "main approved")


CASES = {
    "an hour later": Case("2026-12-02T10:00", "2026-12-02T11:00", ("2026-12-02T11:01",)),
    "not before the hour": Case(
        "2026-12-02T10:00", "2026-12-02T11:00", ("2026-12-02T10:59",), "2026-12-02T11:00", ("main not_sent",)
    ),
    "just before the night": Case("2026-12-02T19:59", "2026-12-02T20:59", ("2026-12-02T20:59",)),
    "not at night": Case("2026-12-02T20:00", "2026-12-03T08:00", ("2026-12-03T08:00",)),
    "an hour that cron missed waits for the morning": Case(
        "2026-12-02T19:30",
        "2026-12-02T20:30",
        ("2026-12-02T23:00", "2026-12-03T07:59"),
        "2026-12-02T20:30",
        ("main not_sent",),
    ),
    "an hour that cron missed, in the morning": Case(
        "2026-12-02T19:30", "2026-12-02T20:30", ("2026-12-02T23:00", "2026-12-03T08:00")
    ),
    "the last day": Case("2026-12-04T19:00", "2026-12-04T20:00", ("2026-12-04T20:01",)),
    "the last evening": Case("2026-12-04T20:00", "missed", (), "missed", ("main not_sent",)),
}


@pytest.fixture(scope="module")
def lived(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, ...]]:
    """Play every case; returns how its round stood first, how last, and what was tried."""
    with street(shared_pair, tmp_path_factory) as rig:
        keys = {name: f"S-{number}" for number, name in enumerate(CASES)}
        for key in keys.values():
            neighbour(rig, key)
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        return {name: _live(rig, key, CASES[name]) for name, key in keys.items()}


def _live(rig: Rig, key: str, case: Case) -> tuple[str, ...]:
    rig.config(gateway=NOWHERE)
    charge(rig, case.unsent_at, "--subscription", key, check=None)
    rig.config()
    first = due_of(rig, key)
    for at in case.later:
        charge(rig, at, "--subscription", key)
    assert told(rig, key, "payment_declined") == []
    return (first, due_of(rig, key), *tries_of(rig, key))


@pytest.mark.parametrize("name", CASES)
def test_what_did_not_leave_is_due_an_hour_later_but_not_in_quiet_hours(
    lived: dict[str, tuple[str, ...]], name: str
) -> None:
    case = CASES[name]
    assert lived[name] == (case.due, case.ends, *case.tries)


def test_without_quiet_hours_it_is_due_an_hour_later_at_night_too(rig: Rig) -> None:
    rig.config(policy={"quiet_hours": ""}, gateway=NOWHERE)
    announced(rig)
    charge(rig, "2026-12-02T23:30")
    assert due_at(rig) == "2026-12-03T00:30"


def test_what_did_not_leave_never_goes_on_to_the_backup_card(rig: Rig) -> None:
    announced(rig)
    give_backup(rig)
    rig.config(gateway=NOWHERE)
    charge(rig)
    assert attempts(rig) == ["not_sent"]


def test_the_try_after_it_has_a_number_of_its_own(rig: Rig) -> None:
    announced(rig)
    rig.config(gateway=NOWHERE)
    charge(rig)
    rig.config()
    charge(rig, "2026-12-02T11:01")
    numbers = [
        row["order_no"] for row in rig.ours("SELECT order_no FROM payment_attempt ORDER BY attempt_no")
    ]
    assert [number[-2:] for number in numbers] == ["01", "02"]
    assert rig.shop("SELECT order_id FROM orders") == [{"order_id": numbers[1]}]


def _backup_of_another_pg(rig: Rig, first: str) -> None:
    """Announce a round whose main card declines and whose backup card is of a PG without configuration."""
    announced(rig, first)
    contract(rig, "allat")
    service(rig, "allat")
    made = give_backup(rig)
    rig.shop("UPDATE card SET pg_code = 'allat' WHERE card_id = :card_id", card_id=made)


@pytest.mark.parametrize("first", [SOFT, HARD])
def test_a_backup_card_that_cannot_be_charged_now_waits_with_the_main_card_for_the_slot(
    rig: Rig, first: str
) -> None:
    _backup_of_another_pg(rig, first)
    ended = charge(rig, check=78)
    assert "[gateway.allat]" in ended.stderr
    assert (attempts(rig), due_at(rig)) == (["declined"], "2026-12-02T17:00")
    assert mails(rig, "payment_declined") == [("customer", "accepted")]
    charge(rig, "2026-12-02T12:00")
    assert charges(rig) == 1


def test_after_its_last_slot_such_a_round_waits_for_the_other_card_until_its_days_are_over(rig: Rig) -> None:
    rig.config(policy={"retry_days": 1, "retry_times": ["10:00"]})
    _backup_of_another_pg(rig, SOFT)
    charge(rig, check=78)
    assert (state(rig), attempts(rig)) == ("due", ["declined"])
    charge(rig, "2026-12-02T18:00", check=78)
    charge(rig, "2026-12-03T10:00")
    assert (state(rig), attempts(rig)) == ("failed", ["declined"])


def test_a_main_card_of_a_pg_that_cannot_be_called_waits_and_is_not_passed_over(rig: Rig) -> None:
    _backup_of_another_pg(rig, "approve")
    rig.shop("UPDATE subscription SET card_id = backup_card_id, backup_card_id = card_id, pg_code = 'allat'")
    charge(rig, CHARGE_AT, check=78)
    assert (state(rig), charges(rig), matters(rig)) == ("due", 0, [])
