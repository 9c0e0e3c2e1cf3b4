"""charge_d1: a reached number of rounds ends an item, and with the last live one its subscription."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from tests.homes import Home
from tests.jobs.charging import NOTICE_AT, SOFT, announced, charge, mails
from tests.jobs.notices import body, mails_to
from tests.jobs.street import neighbour, street, told
from tests.rig import Rig
from tests.shopkeeper import Flag, Item, mail_switch, product, setting

pytestmark = pytest.mark.rule(11)

LATER = date(2026, 12, 20)
SOLD_OUT, FREE = 3, 7
LAST = Item(round_no=6, max_rounds=6)
OTHER = Item(product_no=2, price=8_000)
BOTH_TOLD = ["customer accepted", "operator accepted"]
ITEM = "UPDATE subscription_item SET {} WHERE subscription_id = :name AND product_no = 1"


@dataclass(frozen=True)
class Case:
    """Items at the notice, what is changed before the charge, and the states after it."""

    items: tuple[Item, ...]
    states: str
    goes_on: bool
    change: str = "SELECT :name"


CASES = {
    "the last of six": Case((LAST,), "A", goes_on=False),
    "the only one": Case((Item(max_rounds=1),), "A", goes_on=False),
    "the last but one": Case((Item(round_no=5, max_rounds=6),), "U", goes_on=True),
    "no limit": Case((Item(round_no=600),), "U", goes_on=True),
    "limit lowered below it": Case(
        (Item(round_no=6, max_rounds=12),), "A", goes_on=False, change=ITEM.format("max_delivery_limit = 4")
    ),
    "limit lowered before the notice": Case((Item(round_no=6, max_rounds=4),), "A", goes_on=False),
    "limit raised": Case((LAST,), "U", goes_on=True, change=ITEM.format("max_delivery_limit = 8")),
    "limit taken away": Case((LAST,), "U", goes_on=True, change=ITEM.format("max_delivery_limit = 0")),
    "the other goes on": Case((LAST, OTHER), "A U", goes_on=True),
    "the other has rounds left": Case((LAST, Item(2, 8_000, max_rounds=6)), "A U", goes_on=True),
    "both at their own number": Case((LAST, Item(2, 8_000, round_no=2, max_rounds=2)), "A A", goes_on=False),
    "the other is paused by the buyer": Case((LAST, Item(2, 8_000, state="B")), "A B", goes_on=True),
    "the other is paused by the shop": Case((LAST, Item(2, 8_000, state="Q")), "A Q", goes_on=True),
    "the other was cancelled": Case((LAST, Item(2, 8_000, state="M")), "A M", goes_on=False),
    "the other ended before": Case((LAST, Item(2, 8_000, state="A")), "A A", goes_on=False),
    "the other is due later": Case((LAST, Item(2, 8_000, delivery_on=LATER)), "A U", goes_on=True),
    "the other at its limit was dropped": Case(
        (LAST, Item(SOLD_OUT, 1_000, round_no=6, max_rounds=6)), "A U", goes_on=True
    ),
    "paused after the notice": Case((LAST, OTHER), "A U", True, ITEM.format("subscription_state = 'B'")),
    "cancelled after the notice": Case((LAST, OTHER), "M U", True, ITEM.format("subscription_state = 'M'")),
    "free of charge": Case((Item(FREE, 5_000, round_no=2, max_rounds=2),), "A", goes_on=False),
}


@dataclass(frozen=True)
class Lived:
    """What became of one case."""

    items: str
    subscription: tuple[str, str | None]
    told: list[str]
    logged: bool


@pytest.fixture(scope="module")
def lived(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lived]:
    """Announce, change and charge every case."""
    keys = {name: f"S-{number}" for number, name in enumerate(CASES)}
    with street(shared_pair, tmp_path_factory) as rig:
        product(rig, SOLD_OUT, price=1_000, sold_out="T")
        setting(rig, products=(FREE,), steps={1: 100})
        for name, key in keys.items():
            neighbour(rig, key, items=CASES[name].items)
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        for name, key in keys.items():
            rig.shop(CASES[name].change, name=key)
        charge(rig)
        return {name: _lived(rig, key) for name, key in keys.items()}


def _lived(rig: Rig, key: str) -> Lived:
    items = rig.shop(
        "SELECT subscription_state FROM subscription_item WHERE subscription_id = :key ORDER BY product_no",
        key=key,
    )
    (subscription,) = rig.shop("SELECT * FROM subscription WHERE subscription_id = :key", key=key)
    log = rig.shop("SELECT event FROM subscription_log WHERE subscription_id = :key", key=key)
    return Lived(
        " ".join(row["subscription_state"] for row in items),
        (subscription["subscription_state"], subscription["terminated_reason"]),
        told(rig, key, "auto_cancel"),
        "count_finished" in [row["event"] for row in log],
    )


@pytest.mark.parametrize("name", CASES)
def test_a_paid_round_that_reaches_the_limit_ends_its_item(lived: dict[str, Lived], name: str) -> None:
    assert lived[name].items == CASES[name].states


@pytest.mark.parametrize("name", CASES)
def test_a_subscription_ends_with_its_last_live_item(lived: dict[str, Lived], name: str) -> None:
    expected = ("U", None) if CASES[name].goes_on else ("C", "count_finished")
    assert lived[name].subscription == expected
    assert lived[name].logged is not CASES[name].goes_on


@pytest.mark.parametrize("name", CASES)
def test_customer_and_operator_are_told_of_an_ended_subscription_only(
    lived: dict[str, Lived], name: str
) -> None:
    assert lived[name].told == ([] if CASES[name].goes_on else BOTH_TOLD)


@pytest.mark.parametrize(
    ("customer", "operator", "expected"),
    [("F", "T", ["operator"]), ("T", "F", ["customer"]), ("F", "F", [])],
)
def test_the_mails_about_the_end_have_their_switches(
    rig: Rig, customer: Flag, operator: Flag, expected: list[str]
) -> None:
    announced(rig, items=(LAST,))
    mail_switch(rig, "auto_cancel", customer, operator)
    charge(rig)
    assert [recipient for recipient, _ in mails(rig, "auto_cancel")] == expected


def test_the_mail_about_the_end_says_that_the_last_delivery_still_comes(rig: Rig) -> None:
    announced(rig, items=(LAST,))
    charge(rig)
    said = body(mails_to(rig, "haneul@example.com")[-1])
    assert "신청하신 배송 횟수가 끝나" in said
    assert "마지막 회차는 예정대로 배송" in said
    assert (len(rig.shop("SELECT * FROM orders")), len(rig.shop("SELECT * FROM order_item"))) == (1, 1)


def test_a_failed_round_ends_nothing_though_its_number_is_the_last(rig: Rig) -> None:
    rig.config(policy={"retry_days": 1, "retry_times": ["10:00"]})
    announced(rig, SOFT, items=(LAST,))
    charge(rig)
    assert rig.shop("SELECT subscription_state, subscription_shipments_sequence FROM subscription_item") == [
        {"subscription_state": "U", "subscription_shipments_sequence": 6}
    ]


def test_an_ended_subscription_is_announced_no_more(rig: Rig) -> None:
    announced(rig, items=(LAST,))
    charge(rig)
    ended = rig.run("notify_d2", "--as-of", "2027-01-01T09:00")
    assert ended.counts["due"] == 0
