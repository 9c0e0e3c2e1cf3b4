"""charge_d1: how a round ends that nobody paid, and when its items are delivered next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.homes import Home
from tests.jobs.charging import NOTICE_AT, SOFT, charge
from tests.jobs.street import neighbour, round_of, rounds_of, street, tries_of
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product

pytestmark = pytest.mark.rule(2, 10)

NOWHERE = {"tosspayments": {"base_url": "http://127.0.0.1:9"}}
FIRST, LAST, AFTER = "2026-12-02T10:00", "2026-12-04T20:30", "2026-12-05T09:00"
NEXT_NOTICE = "2027-01-01T09:00"
SOLD_OUT = 3
TWO = (Item(price=12_900, round_no=4), Item(product_no=2, price=8_000, cycle="2W", round_no=7))


def _charge(rig: Rig, name: str, at: str) -> None:
    charge(rig, at, "--subscription", name, check=None)


def _declined_to_the_end(rig: Rig, name: str) -> None:
    for at in (FIRST, "2026-12-04T17:00"):
        _charge(rig, name, at)


def _never_tried(rig: Rig, name: str) -> None:
    _charge(rig, name, AFTER)


def _declined_then_not_sent(rig: Rig, name: str) -> None:
    _charge(rig, name, FIRST)
    _without_gateway(rig, name)


def _without_gateway(rig: Rig, name: str) -> None:
    rig.config(gateway=NOWHERE)
    _charge(rig, name, LAST)
    rig.config()


def _declined_then(change: str) -> Callable[[Rig, str], None]:
    def live(rig: Rig, name: str) -> None:
        _charge(rig, name, FIRST)
        rig.shop(f"{change} AND subscription_id = :name", name=name)
        _charge(rig, name, AFTER)

    return live


def _items(change: str) -> str:
    return f"UPDATE subscription_item SET {change} WHERE TRUE"


@dataclass(frozen=True)
class Case:
    """What happens to a round, how it ends, and date, round and state of its two items then."""

    live: Callable[[Rig, str], None]
    ends: str
    items: tuple[str, str]
    next_round: str = ""
    """Date, number and amount of the round that is announced on 1 January."""


MOVED = ("2027-01-03 4 U", "2026-12-17 7 U")
STAYED = ("2026-12-03 4 U", "2026-12-03 7 U")
NEXT = "2027-01-03 4 12900"
"""The monthly item with the number it had; the fortnightly one is late by then and waits for its cycle."""
CASES = {
    "declined-to-the-end": Case(_declined_to_the_end, "failed", MOVED, NEXT),
    "days-over": Case(_declined_then(_items("quantity = quantity")), "failed", MOVED, NEXT),
    "then-not-sent": Case(_declined_then_not_sent, "failed", MOVED, NEXT),
    "never-tried": Case(_never_tried, "missed", STAYED, NEXT),
    "never-sent": Case(_without_gateway, "missed", STAYED, NEXT),
    "cancelled": Case(
        _declined_then("UPDATE subscription SET subscription_state = 'C' WHERE TRUE"), "void", STAYED
    ),
    "paused": Case(
        _declined_then(_items("subscription_state = 'B'")), "void", ("2026-12-03 4 B", "2026-12-03 7 B")
    ),
    "one-paused": Case(
        _declined_then("UPDATE subscription_item SET subscription_state = 'Q' WHERE product_no = 2"),
        "failed",
        ("2027-01-03 4 U", "2026-12-17 7 Q"),
        NEXT,
    ),
    "one-cancelled": Case(
        _declined_then("UPDATE subscription_item SET subscription_state = 'M' WHERE product_no = 2"),
        "failed",
        ("2027-01-03 4 U", "2026-12-03 7 M"),
        NEXT,
    ),
    "date-set-later": Case(
        _declined_then(_items("expected_delivery_date = '2027-02-20'")),
        "failed",
        ("2027-02-20 4 U", "2027-02-20 7 U"),
    ),
}


@dataclass(frozen=True)
class Lived:
    """What became of one case."""

    state: str
    items: tuple[str, str]
    next_round: str
    has_order: bool
    tries: list[str]


@pytest.fixture(scope="module")
def lived(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lived]:
    """Play every case from its notice to the next one, a month later."""
    with street(shared_pair, tmp_path_factory) as rig:
        for name in CASES:
            neighbour(rig, name, SOFT, items=TWO)
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        for name, case in CASES.items():
            case.live(rig, name)
        ended = {name: (round_of(rig, name)["state"], _stored(rig, name)) for name in CASES}
        rig.run("notify_d2", "--as-of", NEXT_NOTICE)
        return {
            name: Lived(*ended[name], _next(rig, name), _has_order(rig, name), tries_of(rig, name))
            for name in CASES
        }


def _stored(rig: Rig, name: str) -> tuple[str, str]:
    rows = rig.shop(
        "SELECT expected_delivery_date, subscription_shipments_sequence, subscription_state "
        "FROM subscription_item WHERE subscription_id = :name ORDER BY product_no",
        name=name,
    )
    first, second = (" ".join(map(str, row.values())) for row in rows)
    return first, second


def _next(rig: Rig, name: str) -> str:
    found = rounds_of(rig, name)[1:]
    return " ".join(f"{row['delivery_on']} {row['round_no']} {row['amount_krw']}" for row in found)


def _has_order(rig: Rig, name: str) -> bool:
    return bool(rig.shop("SELECT order_id FROM orders WHERE subscription_id = :name", name=name))


@pytest.mark.parametrize("name", CASES)
def test_a_round_that_nobody_paid_ends_as_its_attempts_say(lived: dict[str, Lived], name: str) -> None:
    assert (lived[name].state, lived[name].has_order) == (CASES[name].ends, False)


@pytest.mark.parametrize("name", CASES)
def test_a_failed_round_moves_its_live_items_on_and_no_other_end_does(
    lived: dict[str, Lived], name: str
) -> None:
    assert lived[name].items == CASES[name].items


@pytest.mark.parametrize("name", CASES)
def test_the_next_round_has_the_number_that_nobody_paid_for(lived: dict[str, Lived], name: str) -> None:
    assert lived[name].next_round == CASES[name].next_round


def test_an_item_that_was_dropped_from_a_failed_round_moves_on_with_it(rig: Rig) -> None:
    open_shop(rig)
    product(rig, SOLD_OUT, price=1_000, sold_out="T")
    neighbour(rig, "S-1", SOFT, items=(Item(), Item(product_no=SOLD_OUT, price=1_000, cycle="1W")))
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    charge(rig, "2026-12-04T17:00")
    assert _stored(rig, "S-1") == ("2027-01-03 1 U", "2026-12-10 1 U")
