"""charge_d1: which card is tried, in what order, and which of them again at the next slot."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lib.sandbox import Card, Fault
from tests.homes import Home
from tests.jobs.charging import (
    BACKUP,
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
    state,
)
from tests.jobs.street import due_of, neighbour, street, told, tries_of
from tests.rig import Rig
from tests.shopkeeper import card

pytestmark = pytest.mark.rule(9, 10)

EVENING = "2026-12-02T17:00"
PAID, AGAIN = "paid", "2026-12-03T10:00"

CASES = {
    "main-approves": (("approve",), (), ["main"], [], PAID),
    "main-soft": ((SOFT,), (), ["main"], ["main"], AGAIN),
    "main-hard": ((HARD,), (), ["main"], [], AGAIN),
    "backup-not-asked": (("approve",), ("approve",), ["main"], [], PAID),
    "backup-after-soft": ((SOFT,), ("approve",), ["main", "backup"], [], PAID),
    "backup-after-hard": ((HARD,), ("approve",), ["main", "backup"], [], PAID),
    "both-soft": ((SOFT,), (SOFT,), ["main", "backup"], ["main", "backup"], AGAIN),
    "soft-then-hard": ((SOFT,), (HARD,), ["main", "backup"], ["main"], AGAIN),
    "hard-then-soft": ((HARD,), (SOFT,), ["main", "backup"], ["backup"], AGAIN),
    "both-hard": ((HARD,), (HARD,), ["main", "backup"], [], AGAIN),
    "main-pays-later": ((SOFT, "approve"), (SOFT,), ["main", "backup"], ["main"], PAID),
    "backup-pays-later": ((HARD,), (SOFT, "approve"), ["main", "backup"], ["backup"], PAID),
}
"""By name: how main and backup card answer, which are tried at 10:00, which at 17:00, and how it stands."""


@dataclass(frozen=True)
class Lived:
    """What became of one case."""

    tries: list[str]
    due: str
    heard: list[str]


@pytest.fixture(scope="module")
def lived(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lived]:
    """Play both slots of the first day for every case."""
    with street(shared_pair, tmp_path_factory) as rig:
        for name, (main, backup, *_) in CASES.items():
            neighbour(rig, name, *main, backup=backup)
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        for at in (CHARGE_AT, "2026-12-02T16:59", EVENING):
            charge(rig, at)
        return {
            name: Lived(tries_of(rig, name), due_of(rig, name), told(rig, name, "payment_declined"))
            for name in CASES
        }


@pytest.mark.parametrize("name", CASES)
def test_each_card_is_tried_once_a_slot_main_before_backup_and_never_after_a_hard_decline(
    lived: dict[str, Lived], name: str
) -> None:
    _, _, first, second, _ = CASES[name]
    assert [each.split()[0] for each in lived[name].tries] == first + second


@pytest.mark.parametrize("name", CASES)
def test_a_round_no_card_paid_waits_for_its_next_slot(lived: dict[str, Lived], name: str) -> None:
    assert lived[name].due == CASES[name][-1]


@pytest.mark.parametrize("name", CASES)
def test_the_customer_hears_of_the_first_decline_unless_the_backup_card_paid(
    lived: dict[str, Lived], name: str
) -> None:
    was_due_again = bool(CASES[name][3]) or CASES[name][4] == AGAIN
    assert lived[name].heard == (["customer accepted"] if was_due_again else [])


def test_an_unknown_on_the_backup_card_is_settled_and_nothing_else_is_charged(rig: Rig) -> None:
    announced(rig, SOFT)
    give_backup(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", skip=1, processed=True))
    charge(rig)
    assert (state(rig), attempts(rig), mails(rig, "payment_declined")) == (
        "charging",
        ["declined", "unknown"],
        [],
    )
    rig.sandbox.toss.faults.clear()
    charge(rig, "2026-12-02T10:05")
    assert (state(rig), attempts(rig), charges(rig)) == ("paid", ["declined", "approved"], 3)
    assert [approval.billing_key for approval in rig.sandbox.toss.approvals()] == [BACKUP]


def test_a_declined_card_rests_until_its_slot_though_the_other_one_is_due_before(rig: Rig) -> None:
    announced(rig, SOFT)
    give_backup(rig)
    _give_back_what_was_charged(rig)
    assert (attempts(rig), due_at(rig)) == (["declined", "not_charged"], "2026-12-02T11:05")
    rig.sandbox.toss.register(Card(BACKUP, script=(SOFT,)))
    charge(rig, "2026-12-02T11:10")
    assert (attempts(rig), due_at(rig)) == (["declined", "not_charged", "declined"], EVENING)
    charge(rig, EVENING)
    assert len(attempts(rig)) == 3 + 2


def _give_back_what_was_charged(rig: Rig) -> None:
    """Lose the reply of the backup card's charge, and let the gateway say that it was cancelled in full."""
    faults = rig.sandbox.toss.faults
    faults.add(Fault("drop", "charge", skip=1, processed=True))
    charge(rig)
    faults.clear()
    (made,) = rig.sandbox.toss.approvals()
    cancels = [{"cancelAmount": made.amount, "cancelStatus": "DONE"}]
    rig.shop("UPDATE card SET customer_key = 'another' WHERE billing_key = :key", key=BACKUP)
    fields = {"status": "CANCELED", "balanceAmount": 0, "cancels": cancels}
    faults.add(Fault("alter", "inquiry", fields=fields))
    charge(rig, "2026-12-02T10:05")
    faults.clear()
    rig.shop("UPDATE card SET customer_key = 'customer-haneul' WHERE billing_key = :key", key=BACKUP)


NEW_CARDS = {
    "before the next slot": ("2026-12-02T12:00", EVENING),
    "after a day of waiting": ("2026-12-03T18:00", "2026-12-04T10:00"),
    "before the last slot": ("2026-12-04T16:59", "2026-12-04T17:00"),
}


@pytest.mark.parametrize(("registered_at", "paid_at"), NEW_CARDS.values(), ids=NEW_CARDS)
def test_a_card_registered_between_two_slots_pays_at_the_next(
    rig: Rig, registered_at: str, paid_at: str
) -> None:
    announced(rig, HARD)
    charge(rig)
    charge(rig, registered_at)
    rig.shop("UPDATE subscription SET card_id = :new", new=card(rig, billing_key="bk-new"))
    charge(rig, registered_at)
    assert (state(rig), charges(rig)) == ("due", 1)
    charge(rig, paid_at)
    assert (state(rig), charges(rig)) == ("paid", 2)


def test_a_main_card_that_was_hard_declined_becomes_no_better_as_a_backup_card(rig: Rig) -> None:
    given = announced(rig, HARD)
    charge(rig)
    new = card(rig, billing_key="bk-new")
    rig.sandbox.toss.register(Card("bk-new", script=(SOFT,)))
    rig.shop("UPDATE subscription SET card_id = :new, backup_card_id = :old", new=new, old=given.card_id)
    charge(rig, EVENING)
    assert (attempts(rig), charges(rig)) == (["declined", "declined"], 2)


def test_a_backup_card_that_is_the_main_card_is_tried_once(rig: Rig) -> None:
    announced(rig, SOFT)
    rig.shop("UPDATE subscription SET backup_card_id = card_id")
    charge(rig, CHARGE_AT)
    assert attempts(rig) == ["declined"]
    assert due_at(rig) == EVENING


BACKUP_UNUSABLE = {
    "of somebody else": "UPDATE card SET member_id = 'somebody' WHERE billing_key = :key",
    "gone": "DELETE FROM card WHERE billing_key = :key",
    "of an ended contract": "UPDATE card SET pg_code = 'allat' WHERE billing_key = :key",
}


@pytest.mark.parametrize("change", BACKUP_UNUSABLE.values(), ids=BACKUP_UNUSABLE)
def test_a_backup_card_that_may_not_be_charged_is_none(rig: Rig, change: str) -> None:
    announced(rig, SOFT)
    give_backup(rig)
    rig.shop(change, key=BACKUP)
    charge(rig)
    assert (attempts(rig), due_at(rig)) == (["declined"], EVENING)
    assert mails(rig, "payment_declined") == [("customer", "accepted")]
