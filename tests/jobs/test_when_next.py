"""The next date of every item of a round that ended paid, failed or skipped, and of no other (rule 2)."""

from __future__ import annotations

from datetime import date

import pytest

from lib.sandbox import Card
from tests.billing.brute_force import CODES, DAY, date_after
from tests.jobs.charging import SOFT
from tests.jobs.when import charge, deliveries, morning, move, notify, ordered, set_item_state, stored
from tests.rig import Rig
from tests.shopkeeper import Item, Subscribed, card, open_shop, product, subscription

pytestmark = pytest.mark.rule(2)

D = date(2026, 12, 3)
ONE_TRY = {"retry_days": 1, "retry_times": ["10:00"]}


def subscribed(rig: Rig, delivery_on: date, items: tuple[Item, ...], *script: str) -> Subscribed:
    """Put in a shop with one subscription; `script` is how its card answers."""
    rig.config(policy=ONE_TRY)
    open_shop(rig)
    rig.sandbox.toss.register(Card("bk-main", script=script or ("approve",)))
    return subscription(
        rig, "S-1", delivery_on=delivery_on, items=items, card_id=card(rig, billing_key="bk-main")
    )


def round_numbers(rig: Rig) -> list[int]:
    rows = rig.shop(
        "SELECT subscription_shipments_sequence AS n FROM subscription_item ORDER BY subscription_item_id"
    )
    return [row["n"] for row in rows]


def of_every_cycle() -> tuple[Item, ...]:
    return tuple(Item(cycle=code, product_no=number) for number, code in enumerate(CODES, start=1))


END_OF_MONTH = "02-07 02-14 02-21 02-28 02-28 03-31 04-30 05-31 06-30 07-31 01-31"
LEAP_DAY = "03-07 03-14 03-21 03-28 03-29 04-29 05-29 06-29 07-29 08-29 02-28"


@pytest.mark.parametrize(
    ("start", "expected", "ended"),
    [
        pytest.param(date(2027, 1, 31), END_OF_MONTH, "paid", id="from the 31st, paid"),
        pytest.param(date(2027, 1, 31), END_OF_MONTH, "failed", id="from the 31st, failed"),
        pytest.param(date(2028, 2, 29), LEAP_DAY, "paid", id="from the leap day, paid"),
        pytest.param(date(2028, 2, 29), LEAP_DAY, "skipped", id="from the leap day, skipped"),
    ],
)
def test_every_cycle_goes_on_from_its_anchor_however_the_round_ended(
    rig: Rig, start: date, expected: str, ended: str
) -> None:
    subscribed(rig, start, of_every_cycle(), *[SOFT] * (ended == "failed"))
    if ended == "skipped":
        rig.shop("UPDATE product SET sold_out = 'T'")
    notify(rig, start - 2 * DAY)
    charge(rig, start - DAY)
    assert deliveries(rig) == [(start, ended)]
    days = [date.fromisoformat(f"{start.year}-{each}") for each in expected.split()]
    assert stored(rig) == [*days[:-1], days[-1].replace(year=start.year + 1)]
    assert round_numbers(rig) == [2 if ended == "paid" else 1] * len(CODES)


@pytest.mark.parametrize(("ended", "script"), [("paid", "approve"), ("failed", SOFT)])
def test_dropped_and_paused_items_move_on_with_their_round_and_ended_ones_stay(
    rig: Rig, ended: str, script: str
) -> None:
    items = tuple(Item(cycle="1W", product_no=number, round_no=number) for number in range(1, 6))
    product(rig, 2, sold_out="T")
    given = subscribed(rig, D, items, script)
    notify(rig, D - 2 * DAY)
    for state, item_id in zip("BQA", given.item_ids[2:], strict=True):
        set_item_state(rig, state, item_id)
    charge(rig, D - DAY)
    assert deliveries(rig) == [(D, ended)]
    assert stored(rig) == [*[D + 7 * DAY] * 4, D]
    paid = ended == "paid"
    assert round_numbers(rig) == [1 + paid, 2, 3 + paid, 4 + paid, 5]


@pytest.mark.parametrize(
    ("code", "noticed_after", "late", "following"),
    [
        pytest.param("1W", 1, date(2026, 12, 6), date(2026, 12, 10), id="weekly, 4 of 7 days left"),
        pytest.param("1W", 2, date(2026, 12, 7), date(2026, 12, 17), id="weekly, 3 of 7 days left"),
        pytest.param("2W", 4, date(2026, 12, 9), date(2026, 12, 17), id="two weeks, 8 of 14 days left"),
        pytest.param("2W", 5, date(2026, 12, 10), date(2026, 12, 31), id="two weeks, 7 of 14 days left"),
        pytest.param("1M", 13, date(2026, 12, 18), date(2027, 1, 3), id="monthly, 16 of 31 days left"),
        pytest.param("1M", 14, date(2026, 12, 19), date(2027, 2, 3), id="monthly, 15 of 31 days left"),
    ],
)
def test_after_a_late_delivery_a_cycle_date_half_a_cycle_away_or_nearer_is_passed_over(
    rig: Rig, code: str, noticed_after: int, late: date, following: date
) -> None:
    subscribed(rig, D, (Item(cycle=code),))
    notify(rig, D + noticed_after * DAY)
    charge(rig, late - DAY)
    assert (deliveries(rig), stored(rig)) == ([(late, "paid")], [following])
    assert [notify(rig, following - ahead * DAY).counts["sealed"] for ahead in (3, 2)] == [0, 1]


@pytest.mark.parametrize(
    ("moved_to", "following"),
    [
        (D - DAY, D + 7 * DAY),
        (D + DAY, D + 7 * DAY),
        (D + 7 * DAY, D + 7 * DAY),
        (D + 8 * DAY, D + 8 * DAY),
        (D + 40 * DAY, D + 40 * DAY),
    ],
    ids=["before it", "between", "to the next date", "a day past it", "weeks past it"],
)
def test_a_date_moved_after_the_notice_counts_where_it_is_later_than_the_next(
    rig: Rig, moved_to: date, following: date
) -> None:
    given = subscribed(rig, D, (Item(cycle="1W"),))
    notify(rig, D - 2 * DAY)
    move(rig, given.item_id, moved_to)
    charge(rig, D - DAY)
    assert (deliveries(rig), stored(rig)) == ([(D, "paid")], [following])


def test_a_date_moved_further_away_outlives_a_failed_round(rig: Rig) -> None:
    given = subscribed(rig, D, (Item(cycle="1W"),), SOFT)
    notify(rig, D - 2 * DAY)
    move(rig, given.item_id, D + 8 * DAY)
    charge(rig, D - DAY)
    assert (deliveries(rig), stored(rig)) == ([(D, "failed")], [D + 8 * DAY])


@pytest.mark.parametrize("ended", ["void", "missed"])
def test_a_round_that_ended_void_or_missed_moves_nothing(rig: Rig, ended: str) -> None:
    given = subscribed(rig, D, (Item(cycle="1W"),))
    notify(rig, D - 2 * DAY)
    if ended == "void":
        set_item_state(rig, "B", given.item_id)
    charge(rig, D + 2 * DAY, check=None)
    assert (deliveries(rig), stored(rig), round_numbers(rig)) == ([(D, ended)], [D], [1])


def test_cycles_that_meet_on_a_day_are_one_round_and_part_again(rig: Rig) -> None:
    start = date(2027, 1, 31)
    codes = ("1W", "4W", "1M")
    subscribed(rig, start, tuple(Item(cycle=code, product_no=n) for n, code in enumerate(codes, start=1)))
    weeks = [start + number * 7 * DAY for number in range(5)]
    for on in weeks:
        morning(rig, on - 2 * DAY, on - DAY)
    assert deliveries(rig) == [(on, "paid") for on in weeks]
    lines = rig.ours(
        "SELECT r.delivery_on AS day, COUNT(*) AS items FROM billing_round r "
        "JOIN billing_round_item i ON i.round_id = r.round_id GROUP BY r.delivery_on ORDER BY 1"
    )
    assert [row["items"] for row in lines] == [3, 1, 1, 1, 3]
    assert stored(rig) == [date(2027, 3, 7), date(2027, 3, 28), date(2027, 3, 31)]
    assert round_numbers(rig) == [6, 3, 3]


def test_items_of_one_subscription_keep_their_own_anchors(rig: Rig) -> None:
    items = (
        Item(cycle="2W"),
        Item(cycle="2W", product_no=2, start_date=D - 7 * DAY, delivery_on=D + 7 * DAY),
    )
    subscribed(rig, D, items)
    for on in (D, D + 7 * DAY, D + 14 * DAY):
        morning(rig, on - 2 * DAY, on - DAY)
    assert ordered(rig) == [D, D + 7 * DAY, D + 14 * DAY]
    assert stored(rig) == [D + 28 * DAY, D + 21 * DAY]


def test_two_rounds_of_one_subscription_may_be_due_on_the_same_day(rig: Rig) -> None:
    items = (Item(cycle="1W"), Item(cycle="1M", product_no=2, price=8_000, delivery_on=D + DAY))
    subscribed(rig, D, items)
    assert notify(rig, D - DAY).counts["sealed"] == 2
    charge(rig, D)
    assert (deliveries(rig), ordered(rig)) == ([(D, "paid"), (D + DAY, "paid")], [D, D + DAY])
    assert sorted(each.amount for each in rig.sandbox.toss.approvals()) == [8_000, 12_900]
    assert stored(rig) == [date_after(D, "1W", D), date(2027, 1, 4)]


def test_a_failed_round_whose_days_reached_past_the_next_date_is_followed_by_one_late_round(
    rig: Rig,
) -> None:
    rig.sandbox.toss.register(Card("bk-main", script=(SOFT, "approve")))
    open_shop(rig)
    rig.config(policy={"retry_days": 14, "retry_times": ["10:00"]})
    subscription(
        rig,
        "S-1",
        delivery_on=D,
        items=(Item(cycle="1W"),),
        card_id=card(rig, billing_key="bk-main"),
    )
    notify(rig, D - 2 * DAY)
    charge(rig, D - DAY)
    back = D + 14 * DAY
    charge(rig, back)
    assert (deliveries(rig), stored(rig)) == ([(D, "failed")], [D + 7 * DAY])
    morning(rig, back + DAY, back + 2 * DAY)
    assert deliveries(rig) == [(D, "failed"), (back + 3 * DAY, "paid")]
