"""A host that is down for days: one round however long the outage, never a back-charge (rules 1 and 2)."""

from __future__ import annotations

from datetime import date

import pytest

from lib.sandbox import Card
from tests.billing.brute_force import DAY, cycle_dates_from, date_after
from tests.jobs.when import charge, deliveries, morning, notify, ordered, stored
from tests.rig import Rig
from tests.shopkeeper import Item, card, open_shop, subscription

pytestmark = pytest.mark.rule(1, 2)

D = date(2026, 12, 3)
CYCLES = ("1W", "4W", "1M")
MAX_LATE_DAYS = 14


def open_with_cycles(rig: Rig) -> None:
    """Put in a subscription of each cycle, all due on the same day, which is their anchor."""
    open_shop(rig)
    for code in CYCLES:
        key = f"bk-{code}"
        rig.sandbox.toss.register(Card(key))
        one = card(rig, billing_key=key)
        subscription(rig, f"S-{code}", delivery_on=D, items=(Item(cycle=code),), card_id=one)


def first_delivery_after(back: date, code: str, on_missed: str) -> date:
    """Return the date of the one round that an outage from D-2 until the day before `back` leaves."""
    if back < D:
        return D
    if on_missed == "deliver_late" and (back - D).days <= MAX_LATE_DAYS:
        return back + 2 * DAY
    return next(cycle_dates_from(D, code, back + 2 * DAY))


@pytest.mark.parametrize(
    ("on_missed", "down"),
    [
        *[("deliver_late", down) for down in (1, 2, 3, 13, 14, 15, 16, 17, 30, 60)],
        *[("skip", down) for down in (2, 14, 60)],
    ],
)
def test_after_days_without_a_job_every_subscription_has_one_round_and_pays_once(
    rig: Rig, on_missed: str, down: int
) -> None:
    rig.config(policy={"on_missed": on_missed})
    open_with_cycles(rig)
    back = D + (down - 2) * DAY
    expected = {code: first_delivery_after(back, code, on_missed) for code in CYCLES}
    morning(rig, back)
    for on in sorted(set(expected.values())):
        due = [part for code in CYCLES if expected[code] == on for part in ("--subscription", f"S-{code}")]
        notify(rig, max(back, on - 2 * DAY), "09:30", *due)
        charge(rig, max(back + DAY, on - DAY), "10:00", *due)
    assert {code: deliveries(rig, f"S-{code}") for code in CYCLES} == {
        code: [(on, "paid")] for code, on in expected.items()
    }
    assert (ordered(rig), len(rig.sandbox.toss.approvals())) == (sorted(expected.values()), 3)
    assert stored(rig) == [date_after(D, code, on) for code, on in expected.items()]


@pytest.mark.parametrize("down", [1, 2])
def test_an_announced_round_is_charged_once_the_host_is_back_within_its_days(rig: Rig, down: int) -> None:
    open_with_cycles(rig)
    notify(rig, D - 2 * DAY)
    charge(rig, D - DAY + down * DAY)
    assert [deliveries(rig, f"S-{code}") for code in CYCLES] == [[(D, "paid")]] * 3
    assert stored(rig) == [date_after(D, code, D) for code in CYCLES]


@pytest.mark.parametrize(
    ("on_missed", "down"),
    [
        *[("deliver_late", down) for down in (3, 14, 15)],
        ("skip", 60),
    ],
)
def test_an_announced_round_whose_days_are_over_is_not_charged_but_announced_anew(
    rig: Rig, on_missed: str, down: int
) -> None:
    rig.config(policy={"on_missed": on_missed})
    open_with_cycles(rig)
    notify(rig, D - 2 * DAY)
    back = D - DAY + down * DAY
    assert charge(rig, back, check=1).counts["missed"] == 3
    assert (rig.sandbox.toss.approvals(), stored(rig)) == ([], [D] * 3)
    expected = {code: first_delivery_after(back + DAY, code, on_missed) for code in CYCLES}
    for day in sorted({back + DAY, *(on - 2 * DAY for on in expected.values())}):
        notify(rig, day)
    assert {code: deliveries(rig, f"S-{code}") for code in CYCLES} == {
        code: [(D, "missed"), (on, "due")] for code, on in expected.items()
    }


def test_a_round_sealed_before_an_outage_but_announced_to_nobody_is_announced_in_time_or_anew(
    rig: Rig,
) -> None:
    open_with_cycles(rig)
    notify(rig, D - 2 * DAY, "22:00")
    assert deliveries(rig, "S-1W") == [(D, "sealed")]
    notify(rig, D + 5 * DAY, check=1)
    assert [deliveries(rig, f"S-{code}") for code in CYCLES] == [
        [(D, "missed"), (D + 7 * DAY, "due")] for _ in CYCLES
    ]


def test_a_charge_that_only_comes_back_after_the_next_cycle_date_charges_one_round_for_both(
    rig: Rig,
) -> None:
    open_with_cycles(rig)
    notify(rig, D - 2 * DAY)
    back = D + 9 * DAY
    morning(rig, back, back + DAY, back + 2 * DAY)
    assert deliveries(rig, "S-1W") == [(D, "missed"), (back + 3 * DAY, "paid")]
    assert ordered(rig) == [back + 3 * DAY] * 3
