"""Cycle dates, and the next date after a round (rule 2)."""

from __future__ import annotations

from datetime import date

import pytest

from lib.billing.calendar import (
    DAY,
    Cycle,
    cycle_date,
    first_cycle_date_from,
    next_date,
    next_stored_date,
)

pytestmark = pytest.mark.rule(2)

TUESDAY = date(2026, 12, 1)


def dates(written: str) -> list[date]:
    return [date.fromisoformat(each) for each in written.split()]


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


@pytest.mark.parametrize(
    ("start", "code", "expected"),
    [
        (TUESDAY, "1W", dates("2026-12-08 2026-12-15 2026-12-22 2026-12-29 2027-01-05")),
        (TUESDAY, "2W", dates("2026-12-15 2026-12-29 2027-01-12 2027-01-26")),
        (TUESDAY, "3W", dates("2026-12-22 2027-01-12 2027-02-02 2027-02-23")),
        (TUESDAY, "4W", dates("2026-12-29 2027-01-26 2027-02-23 2027-03-23")),
        (date(2027, 1, 31), "1M", dates("2027-02-28 2027-03-31 2027-04-30 2027-05-31 2027-06-30")),
        (date(2027, 12, 31), "1M", dates("2028-01-31 2028-02-29 2028-03-31 2028-04-30")),
        (date(2027, 12, 30), "2M", dates("2028-02-29 2028-04-30 2028-06-30 2028-08-30")),
        (date(2026, 11, 30), "3M", dates("2027-02-28 2027-05-30 2027-08-30 2027-11-30 2028-02-29")),
        (date(2026, 10, 31), "4M", dates("2027-02-28 2027-06-30 2027-10-31 2028-02-29")),
        (date(2026, 9, 30), "5M", dates("2027-02-28 2027-07-30 2027-12-30 2028-05-30 2028-10-30")),
        (date(2026, 8, 31), "6M", dates("2027-02-28 2027-08-31 2028-02-29 2028-08-31")),
        (date(2028, 2, 29), "1M", dates("2028-03-29 2028-04-29 2028-05-29 2028-06-29")),
        (date(2028, 2, 29), "6M", dates("2028-08-29 2029-02-28 2029-08-29 2030-02-28")),
        (date(2027, 2, 28), "1Y", dates("2028-02-28 2029-02-28 2030-02-28")),
    ],
)
def test_delivered_on_time_an_item_keeps_to_its_anchor(start: date, code: str, expected: list[date]) -> None:
    deliveries = [start, *expected]
    assert [next_date(start, Cycle.parse(code), on) for on in deliveries[:-1]] == expected


def test_a_leap_day_comes_back_every_fourth_year() -> None:
    leap_day, yearly = date(2028, 2, 29), Cycle.parse("1Y")
    deliveries = [date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)]
    assert [next_date(leap_day, yearly, on) for on in [leap_day, *deliveries[:-1]]] == deliveries


@pytest.mark.parametrize(
    ("start", "code", "latest", "following", "after"),
    [
        (TUESDAY, "1W", date(2026, 12, 4), date(2026, 12, 8), date(2026, 12, 15)),
        (TUESDAY, "2W", date(2026, 12, 7), date(2026, 12, 15), date(2026, 12, 29)),
        (TUESDAY, "3W", date(2026, 12, 11), date(2026, 12, 22), date(2027, 1, 12)),
        (TUESDAY, "4W", date(2026, 12, 14), date(2026, 12, 29), date(2027, 1, 26)),
        (date(2026, 11, 1), "1M", date(2026, 11, 15), date(2026, 12, 1), date(2027, 1, 1)),
        (TUESDAY, "1M", date(2026, 12, 16), date(2027, 1, 1), date(2027, 2, 1)),
        (TUESDAY, "2M", date(2026, 12, 31), date(2027, 2, 1), date(2027, 4, 1)),
        (TUESDAY, "3M", date(2027, 1, 14), date(2027, 3, 1), date(2027, 6, 1)),
        (TUESDAY, "4M", date(2027, 1, 30), date(2027, 4, 1), date(2027, 8, 1)),
        (TUESDAY, "5M", date(2027, 2, 14), date(2027, 5, 1), date(2027, 10, 1)),
        (TUESDAY, "6M", date(2027, 3, 1), date(2027, 6, 1), date(2027, 12, 1)),
        (TUESDAY, "1Y", date(2027, 6, 1), date(2027, 12, 1), date(2028, 12, 1)),
        (date(2027, 12, 1), "1Y", date(2028, 5, 31), date(2028, 12, 1), date(2029, 12, 1)),
        (date(2027, 1, 31), "1M", date(2027, 2, 13), date(2027, 2, 28), date(2027, 3, 31)),
        (date(2028, 1, 31), "1M", date(2028, 2, 14), date(2028, 2, 29), date(2028, 3, 31)),
    ],
)
def test_a_cycle_date_at_half_a_cycle_or_nearer_is_passed_over(
    start: date, code: str, latest: date, following: date, after: date
) -> None:
    cycle = Cycle.parse(code)
    assert next_date(start, cycle, latest) == following
    assert next_date(start, cycle, latest + DAY) == after


@pytest.mark.parametrize(
    ("start", "code", "delivery_on"),
    [
        pytest.param(TUESDAY, "2W", date(2026, 12, 8), id="7 of 14 days"),
        pytest.param(TUESDAY, "4W", date(2026, 12, 15), id="14 of 28 days"),
        pytest.param(date(2026, 11, 1), "1M", date(2026, 11, 16), id="15 of 30 days"),
        pytest.param(date(2027, 1, 31), "1M", date(2027, 2, 14), id="14 of 28 days to a short month"),
        pytest.param(TUESDAY, "2M", date(2027, 1, 1), id="31 of 62 days"),
        pytest.param(TUESDAY, "3M", date(2027, 1, 15), id="45 of 90 days"),
        pytest.param(TUESDAY, "6M", date(2027, 3, 2), id="91 of 182 days"),
        pytest.param(date(2027, 12, 1), "1Y", date(2028, 6, 1), id="183 of 366 days"),
    ],
)
def test_exactly_half_a_cycle_is_too_near(start: date, code: str, delivery_on: date) -> None:
    cycle = Cycle.parse(code)
    previous, nearest = (cycle_date(start, cycle, k) for k in (0, 1))
    assert nearest - delivery_on == delivery_on - previous
    assert next_date(start, cycle, delivery_on) == cycle_date(start, cycle, 2)


@pytest.mark.parametrize(
    ("delivery_on", "expected"),
    [
        pytest.param(date(2026, 11, 28), date(2026, 12, 8), id="three days before the anchor"),
        pytest.param(date(2026, 11, 27), date(2026, 12, 1), id="four days before the anchor"),
        pytest.param(date(2026, 10, 5), date(2026, 10, 13), id="weeks before the anchor"),
        pytest.param(date(2026, 12, 25), date(2026, 12, 29), id="weeks late, four days before a cycle date"),
        pytest.param(date(2026, 12, 26), date(2027, 1, 5), id="weeks late, three days before a cycle date"),
    ],
)
def test_the_cycle_goes_on_whenever_the_delivery_was(delivery_on: date, expected: date) -> None:
    assert next_date(TUESDAY, Cycle.parse("1W"), delivery_on) == expected


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (date(2026, 11, 3), date(2026, 12, 8)),
        (date(2026, 12, 1), date(2026, 12, 8)),
        (date(2026, 12, 7), date(2026, 12, 8)),
        (date(2026, 12, 8), date(2026, 12, 8)),
        (date(2026, 12, 9), date(2026, 12, 9)),
        (date(2027, 3, 3), date(2027, 3, 3)),
    ],
)
def test_a_later_date_set_by_the_customer_stands(stored: date, expected: date) -> None:
    assert next_stored_date(TUESDAY, Cycle.parse("1W"), TUESDAY, stored) == expected


def test_cycles_of_one_anchor_meet_where_their_dates_are_the_same() -> None:
    of_two, of_three = (
        {cycle_date(TUESDAY, Cycle.parse(code), k) for k in range(1, 13)} for code in ("2W", "3W")
    )
    assert sorted(of_two & of_three) == dates("2027-01-12 2027-02-23 2027-04-06 2027-05-18")
