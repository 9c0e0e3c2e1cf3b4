"""A database restored from a dump older than the charge: the same order numbers, nothing charged twice."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from email import message_from_bytes

import pytest

from lib.sandbox import Card, Fault
from tests.chaos.dumps import BOTH, Schema, backup
from tests.jobs.charging import (
    CHARGE_AT,
    DELIVERY,
    MAIN,
    NOTICE_AT,
    SOFT,
    announced,
    attempts,
    charge,
    charges,
    matters,
    state,
)
from tests.jobs.crowd import book_equals_ledger, states
from tests.jobs.street import neighbour, rounds_of
from tests.kill.wire import SECONDS, wired
from tests.rig import Rig, Rows
from tests.shopkeeper import open_shop, product

pytestmark = pytest.mark.rule(2, 3, 6, 9, 11)

LATER, LATEST = "2026-12-02T10:05", "2026-12-02T10:10"
ON_THE_DAY, DAY_AFTER = "2026-12-03T09:00", "2026-12-04T09:00"
STOCK = 50
RESTORED: dict[str, tuple[Schema, ...]] = {"ours": ("ours",), "both": BOTH}


def _street(rig: Rig) -> None:
    """Three are charged at once, one on its backup card, and one is declined and comes again at 17:00."""
    open_shop(rig)
    product(rig, stock_quantity=STOCK)
    for name in ("one", "two", "three"):
        neighbour(rig, name)
    neighbour(rig, "backup", SOFT, backup=("approve",))
    neighbour(rig, "declined", SOFT, "approve")
    rig.run("notify_d2", "--as-of", NOTICE_AT)


def _tried(rig: Rig) -> Rows:
    return rig.ours("SELECT order_no, state FROM payment_attempt ORDER BY order_no")


def _assert_delivered_once(rig: Rig, rounds: int) -> None:
    """Hold it to one approval, one ledger entry, one order and one piece of stock for each round."""
    orders = [row["order_id"] for row in rig.shop("SELECT order_id FROM orders ORDER BY order_id")]
    assert orders == sorted(each.order_no for each in rig.sandbox.toss.approvals())
    assert len(orders) == rounds
    assert book_equals_ledger(rig)
    assert set(states(rig)) <= {"paid", "due"}
    assert rig.shop("SELECT stock_quantity FROM product") == [{"stock_quantity": STOCK - rounds}]


@pytest.mark.parametrize("kept", [True, False], ids=["with the spool", "without the spool"])
@pytest.mark.parametrize("schemas", RESTORED.values(), ids=RESTORED)
def test_a_dump_from_before_the_charge_is_charged_again_under_the_same_numbers(
    rig: Rig, schemas: tuple[Schema, ...], *, kept: bool
) -> None:
    _street(rig)
    dump = backup(rig.home, rig.folder)
    charge(rig)
    tried = _tried(rig)
    dump.restore(*schemas)
    if not kept:
        shutil.rmtree(rig.folder / "spool")
    rig.remember_credits()
    assert (_tried(rig), rig.ours("SELECT * FROM payment")) == ([], [])
    sent = charges(rig)
    charge(rig, LATER, check=None)
    charge(rig, LATEST)
    again = [each for each in tried if each["state"] == "declined" or not kept]
    assert [each for each in _tried(rig) if each in tried] == _tried(rig)
    assert {each["order_no"] for each in tried if each["state"] == "approved"} <= {
        each["order_no"] for each in _tried(rig)
    }
    assert charges(rig) - sent <= len(again)
    _assert_delivered_once(rig, 4)
    assert matters(rig) == []
    charge(rig, "2026-12-02T17:05")
    _assert_delivered_once(rig, 5)


def test_a_dump_from_between_the_charge_and_its_order_writes_the_order_once(rig: Rig) -> None:
    announced(rig)
    rig.shop("UPDATE product SET stock_quantity = :stock", stock=STOCK)
    with wired(rig) as wire:
        trap = wire.set("hold", after=b"", then=b".orders ")
        process = rig.start("charge_d1", "--as-of", CHARGE_AT)
        assert trap.sprung.wait(SECONDS)
        dump = backup(rig.home, rig.folder)
        process.kill()
        rig.finish(process)
    charge(rig, LATER)
    _assert_delivered_once(rig, 1)
    dump.restore("ours")
    charge(rig, LATEST)
    _assert_delivered_once(rig, 1)
    dump.restore(*BOTH)
    charge(rig, "2026-12-02T10:20")
    _assert_delivered_once(rig, 1)
    assert charges(rig) == 1


@pytest.mark.parametrize("schemas", RESTORED.values(), ids=RESTORED)
def test_a_dump_with_an_attempt_under_way_settles_it_as_after_a_kill(
    rig: Rig, schemas: tuple[Schema, ...]
) -> None:
    announced(rig)
    rig.shop("UPDATE product SET stock_quantity = :stock", stock=STOCK)
    rig.sandbox.toss.faults.add(Fault("delay", "charge", seconds=1.5, times=1))
    process = rig.start("charge_d1", "--as-of", CHARGE_AT)
    while attempts(rig) != ["sending"]:
        pass
    dump = backup(rig.home, rig.folder)
    assert rig.finish(process).exit_code == 0
    _assert_delivered_once(rig, 1)
    dump.restore(*schemas)
    assert attempts(rig) == ["sending"]
    rig.ours("UPDATE payment_attempt SET lease_until = '2026-01-01'")
    charge(rig, LATER)
    _assert_delivered_once(rig, 1)
    assert matters(rig) == []


def test_a_card_that_was_changed_since_is_not_charged_beside_the_one_that_paid(rig: Rig) -> None:
    announced(rig)
    rig.shop("UPDATE product SET stock_quantity = :stock", stock=STOCK)
    dump = backup(rig.home, rig.folder)
    charge(rig)
    dump.restore(*BOTH)
    rig.shop("UPDATE card SET billing_key = 'bk-new'")
    rig.sandbox.toss.register(Card("bk-new"))
    charge(rig, LATER, check=1)
    charge(rig, LATEST)
    _assert_delivered_once(rig, 1)


def _mails(rig: Rig) -> Counter[tuple[str, str]]:
    """Count the mails to customers by Message-ID and first address."""
    mails = [(mail.recipients[0], message_from_bytes(mail.raw)) for mail in rig.sandbox.smtp.book]
    return Counter((to, str(mail["Message-ID"])) for to, mail in mails if to != "operator@example.com")


def test_a_dump_from_before_the_notice_tells_it_again_under_the_same_message_id(rig: Rig) -> None:
    open_shop(rig)
    rig.config()
    for name in ("one", "two", "three"):
        neighbour(rig, name)
    dump = backup(rig.home, rig.folder)
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    told = _mails(rig)
    dump.restore(*BOTH)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:30")
    assert _mails(rig) == Counter({mail: 2 * times for mail, times in told.items()})
    charge(rig)
    assert states(rig) == {"paid": 3}
    assert book_equals_ledger(rig)


def test_a_round_charged_before_a_restore_is_not_charged_under_a_new_date(rig: Rig) -> None:
    open_shop(rig)
    rig.config()
    neighbour(rig, "paid")
    neighbour(rig, "later", delivery_on=date(2026, 12, 5))
    dump = backup(rig.home, rig.folder)
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    charge(rig)
    dump.restore(*BOTH)
    rig.run("notify_d2", "--as-of", ON_THE_DAY, check=1)
    assert (rounds_of(rig, "paid"), len(rounds_of(rig, "later"))) == ([], 1)
    assert matters(rig) == ["foreign_approval", "blocked"]
    charge(rig, DAY_AFTER)
    assert len(rig.sandbox.toss.approvals()) == 2
    assert book_equals_ledger(rig)


def test_what_a_restore_forgot_goes_on_with_the_date_that_a_person_gives_it(rig: Rig) -> None:
    open_shop(rig)
    rig.config()
    neighbour(rig, "paid")
    dump = backup(rig.home, rig.folder)
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    charge(rig)
    dump.restore(*BOTH)
    rig.run("notify_d2", "--as-of", ON_THE_DAY, check=1)
    rig.shop("UPDATE subscription_item SET expected_delivery_date = '2027-01-03'")
    rig.run("notify_d2", "--as-of", "2027-01-01T09:00")
    charge(rig, "2027-01-02T10:00")
    assert [row["state"] for row in rounds_of(rig, "paid")] == ["paid"]
    assert len(rig.sandbox.toss.approvals()) == 2


def test_a_round_that_is_still_due_after_a_restore_takes_up_what_the_spool_kept(rig: Rig) -> None:
    announced(rig)
    rig.shop("UPDATE product SET stock_quantity = :stock", stock=STOCK)
    dump = backup(rig.home, rig.folder)
    charge(rig)
    dump.restore(*BOTH)
    rig.sandbox.toss.register(Card(MAIN))
    rig.run("notify_d2", "--as-of", ON_THE_DAY, check=1)
    assert matters(rig) == ["foreign_approval"]
    charge(rig, f"{DELIVERY}T10:00")
    assert (state(rig), matters(rig)) == ("paid", [])
    _assert_delivered_once(rig, 1)
    assert rig.ours("SELECT source FROM payment") == [{"source": "spool"}]


def test_a_database_that_knows_its_approvals_is_not_told_of_them_again(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    before = rig.checksums()
    rig.run("notify_d2", "--as-of", "2026-12-02T11:00")
    charge(rig, "2026-12-02T17:00")
    assert rig.checksums() == before
