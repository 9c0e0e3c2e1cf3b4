"""Cycle dates, and the next date after a round (rule 2)."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.billing.calendar import (
    Cycle,
    cycle_date,
    first_cycle_date_from,
    next_date,
    next_stored_date,
)

CODES = ("1W", "2W", "3W", "4W", "1M", "2M", "3M", "4M", "5M", "6M", "1Y")
TUESDAY = date(2026, 12, 1)

few = settings(max_examples=60, deadline=None, database=None)
days = st.dates(date(2020, 1, 1), date(2032, 12, 31))
cycles = st.sampled_from(CODES).map(Cycle.parse)


@pytest.mark.parametrize(
    ("code", "cycle"),
    [
        ("1W", Cycle("W", 1)),
        ("2W", Cycle("W", 2)),
        ("3W", Cycle("W", 3)),
        ("4W", Cycle("W", 4)),
        ("1M", Cycle("M", 1)),
        ("2M", Cycle("M", 2)),
        ("3M", Cycle("M", 3)),
        ("4M", Cycle("M", 4)),
        ("5M", Cycle("M", 5)),
        ("6M", Cycle("M", 6)),
        ("1Y", Cycle("M", 12)),
    ],
)
def test_a_cycle_is_read_from_the_code_of_the_shop(code: str, cycle: Cycle) -> None:
    assert Cycle.parse(code) == cycle


@pytest.mark.parametrize(
    "code", ["", "0W", "5W", "0M", "7M", "12M", "2Y", "1w", " 1W", "1W ", "W", "W1", "１W"]
)
def test_any_other_code_is_no_cycle(code: str) -> None:
    with pytest.raises(ValueError, match="no cycle is called"):
        Cycle.parse(code)


@pytest.mark.parametrize(
    ("start", "code", "k", "expected"),
    [
        (date(2026, 12, 1), "1W", 0, date(2026, 12, 1)),
        (date(2026, 12, 1), "1W", 1, date(2026, 12, 8)),
        (date(2026, 12, 29), "1W", 1, date(2027, 1, 5)),
        (date(2026, 12, 1), "2W", 1, date(2026, 12, 15)),
        (date(2026, 12, 1), "3W", 2, date(2027, 1, 12)),
        (date(2028, 2, 22), "1W", 1, date(2028, 2, 29)),
        (date(2027, 2, 22), "1W", 1, date(2027, 3, 1)),
        (date(2026, 12, 1), "4W", -1, date(2026, 11, 3)),
        (date(2026, 12, 1), "1M", 1, date(2027, 1, 1)),
        (date(2026, 12, 1), "1M", -1, date(2026, 11, 1)),
        (date(2026, 1, 1), "1M", -1, date(2025, 12, 1)),
        (date(2026, 11, 30), "1M", 1, date(2026, 12, 30)),
        (date(2026, 12, 31), "1M", 12, date(2027, 12, 31)),
        (date(2026, 10, 15), "2M", 1, date(2026, 12, 15)),
        (date(2026, 10, 15), "3M", 1, date(2027, 1, 15)),
        (date(2026, 10, 15), "4M", 1, date(2027, 2, 15)),
        (date(2026, 10, 15), "5M", 1, date(2027, 3, 15)),
        (date(2026, 10, 15), "6M", 1, date(2027, 4, 15)),
        (date(2026, 10, 15), "1Y", 1, date(2027, 10, 15)),
        (date(2026, 10, 15), "1Y", -1, date(2025, 10, 15)),
    ],
)
def test_a_cycle_date_is_a_number_of_cycles_from_the_anchor(
    start: date, code: str, k: int, expected: date
) -> None:
    assert cycle_date(start, Cycle.parse(code), k) == expected


@pytest.mark.parametrize(
    ("start", "code", "k", "expected"),
    [
        (date(2027, 1, 31), "1M", 1, date(2027, 2, 28)),
        (date(2028, 1, 31), "1M", 1, date(2028, 2, 29)),
        (date(2027, 1, 31), "1M", 3, date(2027, 4, 30)),
        (date(2027, 1, 30), "1M", 1, date(2027, 2, 28)),
        (date(2027, 1, 29), "1M", 1, date(2027, 2, 28)),
        (date(2027, 1, 28), "1M", 1, date(2027, 2, 28)),
        (date(2027, 8, 31), "6M", 1, date(2028, 2, 29)),
        (date(2027, 5, 31), "1M", -3, date(2027, 2, 28)),
        (date(2028, 2, 29), "1Y", 1, date(2029, 2, 28)),
        (date(2028, 2, 29), "1Y", 4, date(2032, 2, 29)),
        (date(2096, 2, 29), "1Y", 4, date(2100, 2, 28)),
    ],
)
def test_a_day_that_the_month_lacks_becomes_its_last(start: date, code: str, k: int, expected: date) -> None:
    assert cycle_date(start, Cycle.parse(code), k) == expected


def test_a_short_month_does_not_shift_the_later_ones() -> None:
    monthly = Cycle.parse("1M")
    assert [cycle_date(date(2027, 1, 31), monthly, k) for k in range(4)] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]


@pytest.mark.parametrize(
    ("start", "code", "day", "expected"),
    [
        (date(2026, 12, 1), "1W", date(2026, 12, 7), date(2026, 12, 8)),
        (date(2026, 12, 1), "1W", date(2026, 12, 8), date(2026, 12, 8)),
        (date(2026, 12, 1), "1W", date(2026, 12, 9), date(2026, 12, 15)),
        (date(2026, 12, 1), "2W", date(2026, 11, 17), date(2026, 11, 17)),
        (date(2026, 12, 1), "2W", date(2026, 11, 18), date(2026, 12, 1)),
        (date(2027, 1, 31), "1M", date(2027, 2, 28), date(2027, 2, 28)),
        (date(2027, 1, 31), "1M", date(2027, 3, 1), date(2027, 3, 31)),
        (date(2026, 12, 15), "1M", date(2026, 12, 16), date(2027, 1, 15)),
        (date(2026, 12, 15), "3M", date(2026, 11, 20), date(2026, 12, 15)),
        (date(2028, 2, 29), "1Y", date(2029, 2, 28), date(2029, 2, 28)),
        (date(2028, 2, 29), "1Y", date(2029, 3, 1), date(2030, 2, 28)),
    ],
)
def test_the_first_cycle_date_may_be_the_day_itself(
    start: date, code: str, day: date, expected: date
) -> None:
    assert first_cycle_date_from(start, Cycle.parse(code), day) == expected


@few
@given(start=days, cycle=cycles, day=days)
def test_no_cycle_date_lies_between_the_day_and_the_first_from_it(
    start: date, cycle: Cycle, day: date
) -> None:
    dates = [cycle_date(start, cycle, k) for k in range(-800, 801)]
    assert first_cycle_date_from(start, cycle, day) == next(on for on in dates if on >= day)


@pytest.mark.parametrize(
    ("start", "code", "delivery_on", "expected"),
    [
        pytest.param(TUESDAY, "1W", date(2026, 12, 1), date(2026, 12, 8), id="weekly, on time"),
        pytest.param(TUESDAY, "1W", date(2026, 12, 4), date(2026, 12, 8), id="weekly, 3 days late: 4 left"),
        pytest.param(TUESDAY, "1W", date(2026, 12, 5), date(2026, 12, 15), id="weekly, 4 days late: 3 left"),
        pytest.param(TUESDAY, "2W", date(2026, 12, 7), date(2026, 12, 15), id="two weeks, 8 of 14 left"),
        pytest.param(TUESDAY, "2W", date(2026, 12, 8), date(2026, 12, 29), id="two weeks, exactly half left"),
        pytest.param(TUESDAY, "4W", date(2026, 12, 14), date(2026, 12, 29), id="four weeks, 15 of 28 left"),
        pytest.param(
            TUESDAY, "4W", date(2026, 12, 15), date(2027, 1, 26), id="four weeks, exactly half left"
        ),
        pytest.param(TUESDAY, "1W", date(2026, 11, 28), date(2026, 12, 8), id="before the anchor"),
        pytest.param(date(2026, 12, 31), "1M", date(2026, 12, 31), date(2027, 1, 31), id="year end"),
        pytest.param(date(2027, 1, 31), "1M", date(2027, 2, 13), date(2027, 2, 28), id="15 of 28 left"),
        pytest.param(date(2027, 1, 31), "1M", date(2027, 2, 14), date(2027, 3, 31), id="14 of 28 left"),
        pytest.param(date(2027, 1, 31), "1M", date(2027, 2, 28), date(2027, 3, 31), id="from a short month"),
        pytest.param(
            date(2028, 1, 31), "1M", date(2028, 2, 14), date(2028, 2, 29), id="15 of 29 in a leap year"
        ),
        pytest.param(date(2026, 12, 1), "2M", date(2026, 12, 1), date(2027, 2, 1), id="two months"),
        pytest.param(date(2026, 12, 1), "3M", date(2026, 12, 1), date(2027, 3, 1), id="three months"),
        pytest.param(date(2026, 12, 1), "4M", date(2026, 12, 1), date(2027, 4, 1), id="four months"),
        pytest.param(date(2026, 12, 1), "5M", date(2026, 12, 1), date(2027, 5, 1), id="five months"),
        pytest.param(date(2026, 12, 1), "6M", date(2026, 12, 1), date(2027, 6, 1), id="six months"),
        pytest.param(date(2026, 12, 1), "3W", date(2026, 12, 1), date(2026, 12, 22), id="three weeks"),
        pytest.param(date(2028, 2, 29), "1Y", date(2028, 2, 29), date(2029, 2, 28), id="leap day, yearly"),
    ],
)
def test_the_next_date_is_more_than_half_a_cycle_away(
    start: date, code: str, delivery_on: date, expected: date
) -> None:
    assert next_date(start, Cycle.parse(code), delivery_on) == expected


@few
@given(start=days, cycle=cycles, delivery_on=days)
def test_the_next_date_is_the_first_cycle_date_that_is_far_enough(
    start: date, cycle: Cycle, delivery_on: date
) -> None:
    dates = [cycle_date(start, cycle, k) for k in range(-800, 801)]
    assert next_date(start, cycle, delivery_on) == next(
        on for previous, on in pairwise(dates) if on > delivery_on and 2 * (on - delivery_on) > on - previous
    )


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (date(2026, 12, 1), date(2026, 12, 8)),
        (date(2026, 12, 7), date(2026, 12, 8)),
        (date(2026, 12, 8), date(2026, 12, 8)),
        (date(2026, 12, 9), date(2026, 12, 9)),
        (date(2027, 3, 3), date(2027, 3, 3)),
    ],
)
def test_a_later_date_set_by_the_customer_stands(stored: date, expected: date) -> None:
    assert next_stored_date(TUESDAY, Cycle.parse("1W"), TUESDAY, stored) == expected
