"""Late deliveries, and the days of a notice and of the charges (rules 1, 2 and 5)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.billing.calendar import (
    ChargeWindow,
    Cycle,
    LateRules,
    can_still_be_announced,
    charge_window,
    delivery_date,
    last_charge_day,
)

pytestmark = pytest.mark.rule(1, 2)

DAY = timedelta(days=1)
TUESDAY = date(2026, 12, 1)
TODAY = date(2026, 12, 8)
LATE = LateRules("deliver_late", max_late_days=14, notice_days=2)
SKIP = LateRules("skip", max_late_days=14, notice_days=2)


def due(
    stored: date, *, late: LateRules = LATE, missed: int = 0, taken: frozenset[date] = frozenset()
) -> date:
    """Return the delivery date of a weekly item (Tuesdays) on Tuesday, 8 December."""
    return delivery_date(
        stored,
        start=TUESDAY,
        cycle=Cycle.parse("1W"),
        today=TODAY,
        late=late,
        missed_in_a_row=missed,
        taken=taken,
    )


@pytest.mark.parametrize("late", [LATE, SKIP])
@pytest.mark.parametrize("missed", [0, 2])
@pytest.mark.parametrize("ahead", [1, 2, 30])
def test_a_date_ahead_is_kept(late: LateRules, missed: int, ahead: int) -> None:
    stored = TODAY + ahead * DAY
    assert due(stored, late=late, missed=missed) == stored


@pytest.mark.parametrize("past", [0, 1, 13, 14])
def test_a_date_that_has_come_is_delivered_two_days_from_today(past: int) -> None:
    assert due(TODAY - past * DAY) == TODAY + 2 * DAY


@pytest.mark.parametrize("past", [15, 16, 400])
def test_a_date_past_by_more_than_the_limit_waits_for_its_cycle(past: int) -> None:
    assert due(TODAY - past * DAY) == date(2026, 12, 15)


@pytest.mark.parametrize(
    ("max_late_days", "past", "expected"),
    [
        pytest.param(0, 0, date(2026, 12, 10), id="none allowed, the day itself"),
        pytest.param(0, 1, date(2026, 12, 15), id="none allowed, a day past"),
        pytest.param(3, 3, date(2026, 12, 10), id="3 allowed, 3 past"),
        pytest.param(3, 4, date(2026, 12, 15), id="3 allowed, 4 past"),
        pytest.param(30, 30, date(2026, 12, 10), id="30 allowed, 30 past"),
        pytest.param(30, 31, date(2026, 12, 15), id="30 allowed, 31 past"),
    ],
)
def test_the_shop_says_how_late_is_too_late(max_late_days: int, past: int, expected: date) -> None:
    late = LateRules("deliver_late", max_late_days, notice_days=2)
    assert due(TODAY - past * DAY, late=late) == expected


@pytest.mark.parametrize(
    ("notice_days", "on_missed", "expected"),
    [
        (1, "deliver_late", date(2026, 12, 9)),
        (2, "deliver_late", date(2026, 12, 10)),
        (7, "deliver_late", date(2026, 12, 15)),
        (30, "deliver_late", date(2027, 1, 7)),
        (1, "skip", date(2026, 12, 15)),
        (7, "skip", date(2026, 12, 15)),
        (8, "skip", date(2026, 12, 22)),
        (30, "skip", date(2027, 1, 12)),
    ],
)
def test_a_late_delivery_leaves_the_days_that_a_notice_is_given_ahead(
    notice_days: int, on_missed: Literal["deliver_late", "skip"], expected: date
) -> None:
    assert due(TODAY, late=LateRules(on_missed, 14, notice_days)) == expected


@pytest.mark.parametrize(
    ("start", "code", "expected"),
    [
        (date(2026, 10, 6), "1W", date(2026, 12, 15)),
        (date(2026, 10, 6), "2W", date(2026, 12, 15)),
        (date(2026, 10, 6), "3W", date(2026, 12, 29)),
        (date(2026, 10, 6), "4W", date(2026, 12, 29)),
        (date(2026, 10, 6), "1M", date(2027, 1, 6)),
        (date(2026, 10, 6), "2M", date(2027, 2, 6)),
        (date(2026, 10, 6), "3M", date(2027, 1, 6)),
        (date(2026, 10, 6), "4M", date(2027, 2, 6)),
        (date(2026, 10, 6), "5M", date(2027, 3, 6)),
        (date(2026, 10, 6), "6M", date(2027, 4, 6)),
        (date(2026, 10, 6), "1Y", date(2027, 10, 6)),
        (date(2026, 8, 31), "1M", date(2026, 12, 31)),
        (date(2026, 8, 31), "6M", date(2027, 2, 28)),
        (date(2024, 2, 29), "1Y", date(2027, 2, 28)),
        (date(2026, 11, 10), "1M", date(2026, 12, 10)),
        (date(2026, 11, 9), "1M", date(2027, 1, 9)),
    ],
)
def test_every_cycle_is_waited_for_from_its_own_anchor(start: date, code: str, expected: date) -> None:
    on = delivery_date(
        TODAY, start=start, cycle=Cycle.parse(code), today=TODAY, late=SKIP, missed_in_a_row=0, taken=()
    )
    assert on == expected


@pytest.mark.parametrize("past", [0, 1, 14, 15])
def test_skip_waits_for_the_cycle_at_once(past: int) -> None:
    assert due(TODAY - past * DAY, late=SKIP) == date(2026, 12, 15)


@pytest.mark.parametrize(
    ("missed", "expected"),
    [(0, date(2026, 12, 10)), (1, date(2026, 12, 10)), (2, date(2026, 12, 15)), (3, date(2026, 12, 15))],
)
def test_from_the_second_missed_round_in_a_row_the_item_waits_for_its_cycle(
    missed: int, expected: date
) -> None:
    assert due(TODAY, missed=missed) == expected


def test_waiting_for_the_cycle_may_end_on_the_earliest_day_for_a_notice() -> None:
    thursday = date(2026, 12, 3)
    on = delivery_date(
        TODAY,
        start=thursday,
        cycle=Cycle.parse("1W"),
        today=TODAY,
        late=SKIP,
        missed_in_a_row=0,
        taken=(),
    )
    assert on == TODAY + 2 * DAY


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ((), date(2026, 12, 10)),
        ((9, 11), date(2026, 12, 10)),
        ((10,), date(2026, 12, 11)),
        ((10, 11, 13), date(2026, 12, 12)),
    ],
)
def test_a_day_that_has_a_round_already_gives_way_to_the_first_free_one(
    taken: tuple[int, ...], expected: date
) -> None:
    assert due(TODAY, taken=frozenset(date(2026, 12, day) for day in taken)) == expected


@pytest.mark.parametrize("late", [LATE, SKIP])
def test_a_date_ahead_and_a_cycle_date_give_way_too(late: LateRules) -> None:
    tuesday = date(2026, 12, 15)
    assert due(tuesday, late=late, taken=frozenset({tuesday})) == tuesday + DAY
    assert due(TODAY - 20 * DAY, late=late, taken=frozenset({tuesday})) == tuesday + DAY


@pytest.mark.parametrize(
    ("days_before", "in_time"), [(3, True), (2, True), (1, True), (0, False), (-1, False)]
)
def test_a_round_can_be_announced_up_to_the_day_before(days_before: int, in_time: bool) -> None:
    assert can_still_be_announced(TUESDAY, TUESDAY - days_before * DAY) is in_time


@pytest.mark.parametrize(
    ("announced_on", "charge_days_before", "charge_on"),
    [
        pytest.param(date(2026, 11, 20), 1, date(2026, 11, 30), id="long before"),
        pytest.param(date(2026, 11, 29), 1, date(2026, 11, 30), id="D-2, as planned"),
        pytest.param(date(2026, 11, 30), 1, date(2026, 12, 1), id="D-1, late"),
        pytest.param(date(2026, 11, 29), 0, date(2026, 12, 1), id="charged on D"),
        pytest.param(date(2026, 11, 30), 0, date(2026, 12, 1), id="charged on D, late"),
        pytest.param(date(2026, 11, 27), 3, date(2026, 11, 28), id="charged on D-3"),
        pytest.param(date(2026, 11, 28), 3, date(2026, 11, 29), id="charged on D-3, late"),
    ],
)
def test_the_first_charge_is_after_the_day_of_the_notice_and_never_after_the_delivery(
    announced_on: date, charge_days_before: int, charge_on: date
) -> None:
    window = charge_window(TUESDAY, announced_on, charge_days_before=charge_days_before, retry_days=3)
    assert window.charge_on == charge_on


@pytest.mark.parametrize(
    ("retry_days", "charge_until"), [(1, date(2026, 12, 31)), (2, date(2027, 1, 1)), (3, date(2027, 1, 2))]
)
def test_the_days_of_trying_include_the_first(retry_days: int, charge_until: date) -> None:
    window = charge_window(date(2027, 1, 1), date(2026, 12, 30), charge_days_before=1, retry_days=retry_days)
    assert window == ChargeWindow(date(2026, 12, 31), charge_until)


@settings(max_examples=100, deadline=None, database=None)
@given(
    delivery_on=st.dates(date(2026, 1, 1), date(2029, 12, 31)),
    notice_days_before=st.integers(1, 40),
    charge_days_before=st.integers(0, 29),
    retry_days=st.integers(1, 14),
)
def test_whenever_the_notice_is_a_day_later_the_charge_begins_and_at_the_delivery_at_the_latest(
    delivery_on: date, notice_days_before: int, charge_days_before: int, retry_days: int
) -> None:
    announced_on = delivery_on - notice_days_before * DAY
    window = charge_window(
        delivery_on, announced_on, charge_days_before=charge_days_before, retry_days=retry_days
    )
    planned = delivery_on - charge_days_before * DAY
    assert announced_on < window.charge_on <= delivery_on
    assert window.charge_on == (planned if planned > announced_on else announced_on + DAY)
    assert (window.charge_until - window.charge_on).days == retry_days - 1
    assert window.charge_until <= last_charge_day(delivery_on, retry_days)


@pytest.mark.parametrize("announced_on", [TUESDAY, TUESDAY + DAY])
def test_a_round_announced_on_its_delivery_date_has_no_days_to_charge(announced_on: date) -> None:
    with pytest.raises(ValueError, match="cannot be announced"):
        charge_window(TUESDAY, announced_on, charge_days_before=1, retry_days=3)


@pytest.mark.parametrize(
    ("retry_days", "expected"), [(1, date(2028, 2, 28)), (2, date(2028, 2, 29)), (3, date(2028, 3, 1))]
)
def test_the_last_charge_day_is_that_of_the_latest_notice(retry_days: int, expected: date) -> None:
    delivery_on = date(2028, 2, 28)
    latest = charge_window(delivery_on, delivery_on - DAY, charge_days_before=1, retry_days=retry_days)
    assert last_charge_day(delivery_on, retry_days) == latest.charge_until == expected
