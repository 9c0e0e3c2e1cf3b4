"""What `--json` counts: a run in which everything happens, in numbers of their own, and the run after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from lib.billing.numbers import order_no
from lib.sandbox import Fault
from tests.homes import Home
from tests.jobs.charging import DELIVERY, HARD, SOFT, charge
from tests.jobs.street import neighbour, street
from tests.rig import Rig, Run
from tests.shopkeeper import Item, credits, product, setting, subscription  # noqa: A004 the field's word

pytestmark = pytest.mark.rule(10, 14)

EARLIER = date(2026, 12, 2)
ONE_SLOT = {"retry_days": 1, "retry_times": ["10:00"]}
DOUBTED, FOUND, LOST = ("doubt-1",), ("found-1", "found-2"), ("lost-1", "lost-2")

CHARGED = {
    "due": 3 + 1 + 2 + 2 + 3 + 2 + 2 + 4,
    "paid": 3 + 1 + 2,
    "declined": 2 + 1,
    "failed": 2,
    "missed": 2,
    "void": 3,
    "unknown": 2,
    "in_doubt": 1,
    "held": 2,
    "settled": 2,
    "written": 3 + 1 + 2,
    "blocked": 4,
    "messages_accepted": 1,
    "messages_no_credit": 3,
}
"""3 are charged, 1 is free, 2 fail (one on both its cards), 2 were never tried, 3 are cancelled, 2 are
refused by the gateway, 2 lose their reply, 4 are blocked; of 3 replies lost the day before 2 are found
approved and 1 is in doubt. Failures are told in 4 mails, for one of which there is credit."""
STANDING = {"due": 4, "blocked": 4, "messages_no_credit": 3}
"""What still stands in the way is counted by every run; everything else happens once."""

SEALED = {
    "due": 6 + 1 + 3 + 2,
    "sealed": 6,
    "late": 3,
    "missed": 1,
    "skipped": 1,
    "blocked": 3,
    "dropped_items": 1 + 1,
    "messages_accepted": 4 + 4,
    "messages_refused": 1,
    "messages_unknown": 1,
    "messages_no_credit": 2 + 6,
    "credits_left": {"bulk_mail": 0, "sms": 0},
    "credits_needed": {"bulk_mail": 2, "sms": 6},
}
"""6 are sealed (one of them missed the day before), 1 has nothing left, 3 are blocked, 2 cannot be read.
There is credit for 9 mails: 6 to customers, of which one loses its reply and one is refused and given
back, and 4 to the operator."""
SEALED_AGAIN = {
    "due": 3 + 2,
    "blocked": 3,
    "messages_accepted": 1,
    "messages_no_credit": 2 + 6,
    "credits_left": {"bulk_mail": 0, "sms": 0},
    "credits_needed": {"bulk_mail": 2, "sms": 6},
}
"""The lost mail is sent again; the others still wait for credit."""


@dataclass(frozen=True)
class Twice:
    """The same run twice, minutes apart."""

    first: Run
    second: Run


@pytest.fixture(scope="module")
def charged(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> Twice:
    """Charge a shop in which everything happens."""
    with street(shared_pair, tmp_path_factory) as rig:
        _day_before(rig)
        _day_itself(rig)
        faults = rig.sandbox.toss.faults
        faults.add(*(Fault("drop", "charge", subject=order_no(1, name, DELIVERY, 1)) for name in LOST))
        credits(rig, bulk_mail=1, sms=0)
        return Twice(*(charge(rig, f"2026-12-02T10:3{minute}", check=None) for minute in (0, 5)))


def _day_before(rig: Rig) -> None:
    """Leave two rounds untried and three without a reply, of which one never arrived."""
    rig.config(policy=ONE_SLOT)
    for name in ("late-1", "late-2", *DOUBTED, *FOUND):
        neighbour(rig, name, delivery_on=EARLIER)
    rig.run("notify_d2", "--as-of", "2026-11-30T09:00")
    rig.sandbox.toss.faults.add(
        *(Fault("drop", "charge", subject=order_no(1, name, EARLIER, 1)) for name in DOUBTED),
        *(Fault("drop", "charge", subject=order_no(1, name, EARLIER, 1), processed=True) for name in FOUND),
    )
    lost = [option for name in (*DOUBTED, *FOUND) for option in ("--subscription", name)]
    charge(rig, "2026-12-01T10:00", *lost)
    rig.sandbox.toss.faults.clear()
    rig.shop("UPDATE subscription SET card_id = NULL WHERE subscription_id = 'doubt-1'")
    rig.shop("DELETE FROM card WHERE billing_key = 'main-of-doubt-1'")


def _day_itself(rig: Rig) -> None:
    setting(rig, products=(7,), steps={1: 100})
    for name in ("good-1", "good-2", "good-3", *LOST, "gone-1", "gone-2", "gone-3"):
        neighbour(rig, name)
    neighbour(rig, "free-1", items=(Item(product_no=7, price=5_000),))
    neighbour(rig, "bad-1", SOFT)
    neighbour(rig, "bad-2", HARD, backup=(SOFT,))
    for name in ("odd-1", "odd-2"):
        neighbour(rig, name, "INVALID_ORDER_NAME")
    for number in range(4):
        neighbour(rig, f"stop-{number}")
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    rig.shop("UPDATE subscription SET subscription_state = 'C' WHERE subscription_id LIKE 'gone%'")
    rig.shop("UPDATE subscription SET card_id = NULL WHERE subscription_id LIKE 'stop%'")


@pytest.mark.parametrize("name", CHARGED)
def test_charge_d1_counts_what_happened(charged: Twice, name: str) -> None:
    assert charged.first.counts[name] == CHARGED[name]


@pytest.mark.parametrize("name", CHARGED)
def test_charge_d1_counts_nothing_twice(charged: Twice, name: str) -> None:
    assert charged.second.counts[name] == STANDING.get(name, 0)


def test_charge_d1_counts_only_what_it_says_and_adds_up_what_was_paid(charged: Twice) -> None:
    assert set(charged.first.counts) == set(CHARGED)
    amounts = [ended.summary["amount_krw"] for ended in (charged.first, charged.second)]
    assert amounts == [(3 + 2) * 12_900, 0]


def test_charge_d1_ends_with_1_only_when_it_opened_a_matter(charged: Twice) -> None:
    assert [charged.first.exit_code, charged.second.exit_code] == [1, 0]


@pytest.fixture(scope="module")
def announced(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> Twice:
    """Announce in a shop in which everything happens."""
    with street(shared_pair, tmp_path_factory) as rig:
        credits(rig, bulk_mail=0, sms=0)
        neighbour(rig, "missed", delivery_on=date(2026, 12, 1))
        rig.run("notify_d2", "--as-of", "2026-11-30T09:00", check=1)
        _everything_to_announce(rig)
        rig.sandbox.smtp.faults.add(Fault("drop", "dot", subject="unknown@", times=1))
        credits(rig, bulk_mail=9, sms=0)
        moments = ("2026-12-01T09:00", "2026-12-01T09:05")
        return Twice(*(rig.run("notify_d2", "--as-of", at, check=None) for at in moments))


def _everything_to_announce(rig: Rig) -> None:
    product(rig, 3, price=1_000, sold_out="T")
    neighbour(rig, "good")
    neighbour(rig, "part", items=(Item(), Item(product_no=3, price=1_000)))
    neighbour(rig, "tomorrow", delivery_on=EARLIER)
    neighbour(rig, "unknown")
    subscription(rig, "refused", delivery_on=DELIVERY, buyer_email="kim+refuse@example.com")
    neighbour(rig, "nothing", items=(Item(product_no=3, price=1_000),), delivery_on=EARLIER)
    for number in range(3):
        subscription(rig, f"blocked-{number}", delivery_on=DELIVERY, card_id=None)
    for number in range(2):
        neighbour(rig, f"odd-{number}", items=(Item(cycle="9X"),))


@pytest.mark.parametrize("name", SEALED)
def test_notify_d2_counts_what_happened(announced: Twice, name: str) -> None:
    assert announced.first.counts[name] == SEALED[name]


@pytest.mark.parametrize("name", SEALED)
def test_notify_d2_counts_nothing_twice(announced: Twice, name: str) -> None:
    assert announced.second.counts[name] == SEALED_AGAIN.get(name, 0)


def test_notify_d2_counts_only_what_it_says_and_takes_no_money(announced: Twice) -> None:
    assert set(announced.first.counts) == set(SEALED)
    assert announced.first.summary["amount_krw"] == 0


def test_notify_d2_ends_with_1_only_when_it_opened_a_matter(announced: Twice) -> None:
    assert [announced.first.exit_code, announced.second.exit_code] == [1, 0]
