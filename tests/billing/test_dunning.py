"""Slots, quiet hours and the choice of a card (rules 7, 9 and 10)."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from lib.billing.dunning import (
    QuietHours,
    after_quiet_hours,
    choose_card,
    in_quiet_hours,
    last_slot,
    next_slot,
    resting_cards,
    retry_unsent,
)

pytestmark = pytest.mark.rule(7, 9, 10)

UNTIL = date(2026, 12, 2)
SLOTS = (time(10), time(17))
NIGHT = (time(21), time(8))
NOON = (time(12), time(13))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-11-30T09:00", "2026-11-30T10:00"),
        ("2026-11-30T09:59:59.999999", "2026-11-30T10:00"),
        ("2026-11-30T10:00", "2026-11-30T17:00"),
        ("2026-11-30T10:00:00.000001", "2026-11-30T17:00"),
        ("2026-11-30T17:00", "2026-12-01T10:00"),
        ("2026-11-30T23:59", "2026-12-01T10:00"),
        ("2026-12-02T00:00", "2026-12-02T10:00"),
        ("2026-12-02T16:59", "2026-12-02T17:00"),
    ],
)
def test_a_decline_is_tried_again_at_the_next_slot(after: str, expected: str) -> None:
    assert next_slot(moment(after), SLOTS, UNTIL) == moment(expected)


@pytest.mark.parametrize("after", ["2026-12-02T17:00", "2026-12-02T23:59", "2026-12-03T09:00"])
def test_after_the_last_slot_of_the_last_day_none_is_left(after: str) -> None:
    assert next_slot(moment(after), SLOTS, UNTIL) is None


@pytest.mark.parametrize(
    ("after", "expected"),
    [("2026-12-31T17:00", "2027-01-01T10:00"), ("2028-02-28T17:00", "2028-02-29T10:00")],
)
def test_slots_go_on_over_the_end_of_a_month(after: str, expected: str) -> None:
    assert next_slot(moment(after), SLOTS, date(2028, 12, 31)) == moment(expected)


def test_slots_need_no_order() -> None:
    assert next_slot(moment("2026-11-30T09:00"), (time(17), time(10)), UNTIL) == moment("2026-11-30T10:00")


def test_without_slots_a_decline_is_the_last_word() -> None:
    assert next_slot(moment("2026-11-30T09:00"), (), UNTIL) is None


@pytest.mark.parametrize("slots", [SLOTS, (time(17), time(10)), (time(17),)])
def test_the_last_slot_is_the_latest_of_the_last_day_and_none_comes_after_it(slots: tuple[time, ...]) -> None:
    last = last_slot(slots, UNTIL)
    assert last == moment("2026-12-02T17:00")
    assert next_slot(last, slots, UNTIL) is None


@pytest.mark.parametrize(
    ("at", "quiet", "expected"),
    [
        ("20:59:59.999999", NIGHT, False),
        ("21:00", NIGHT, True),
        ("23:59:59", NIGHT, True),
        ("00:00", NIGHT, True),
        ("07:59:59.999999", NIGHT, True),
        ("08:00", NIGHT, False),
        ("12:00", NIGHT, False),
        ("11:59:59", NOON, False),
        ("12:00", NOON, True),
        ("12:59:59", NOON, True),
        ("13:00", NOON, False),
        ("00:00", NOON, False),
        ("23:59", (time(22), time(0)), True),
        ("00:00", (time(22), time(0)), False),
        ("00:00", (time(0), time(6)), True),
        ("09:00", (time(9), time(9)), False),
        ("03:00", None, False),
    ],
)
def test_quiet_hours_hold_from_their_start_up_to_their_end(
    at: str, quiet: QuietHours, expected: bool
) -> None:
    assert in_quiet_hours(moment(f"2026-12-01T{at}"), quiet) is expected


@pytest.mark.parametrize(
    ("at", "quiet", "expected"),
    [
        ("2026-12-01T20:59", NIGHT, "2026-12-01T20:59"),
        ("2026-12-01T21:00", NIGHT, "2026-12-02T08:00"),
        ("2026-12-31T23:59", NIGHT, "2027-01-01T08:00"),
        ("2026-12-01T00:00", NIGHT, "2026-12-01T08:00"),
        ("2026-12-01T07:59", NIGHT, "2026-12-01T08:00"),
        ("2026-12-01T08:00", NIGHT, "2026-12-01T08:00"),
        ("2026-12-01T12:30", NOON, "2026-12-01T13:00"),
        ("2026-12-01T23:00", (time(22), time(0)), "2026-12-02T00:00"),
        ("2026-12-01T09:00", (time(9), time(9)), "2026-12-01T09:00"),
        ("2026-12-01T03:00", None, "2026-12-01T03:00"),
    ],
)
def test_what_falls_into_quiet_hours_waits_for_their_end(at: str, quiet: QuietHours, expected: str) -> None:
    assert after_quiet_hours(moment(at), quiet) == moment(expected)


@pytest.mark.parametrize(
    ("at", "quiet", "expected"),
    [
        ("2026-12-01T10:00", NIGHT, "2026-12-01T11:00"),
        ("2026-12-01T19:59", NIGHT, "2026-12-01T20:59"),
        ("2026-12-01T20:00", NIGHT, "2026-12-02T08:00"),
        ("2026-12-01T06:59", NIGHT, "2026-12-01T08:00"),
        ("2026-12-01T07:01", NIGHT, "2026-12-01T08:01"),
        ("2026-12-31T23:30", None, "2027-01-01T00:30"),
    ],
)
def test_an_unsent_charge_is_due_an_hour_later_but_not_at_night(
    at: str, quiet: QuietHours, expected: str
) -> None:
    assert retry_unsent(moment(at), quiet) == moment(expected)


@pytest.mark.parametrize(
    ("cards", "hard_declined", "tried_in_run", "expected"),
    [
        pytest.param((1, 2), (), (), 1, id="the main card first"),
        pytest.param((1, 2), (1,), (), 2, id="the backup after a hard decline"),
        pytest.param((1, 2), (), (1,), 2, id="the backup after any decline in this run"),
        pytest.param((1, 2), (2,), (), 1, id="the main card again in a later run"),
        pytest.param((1, 2), (2,), (1,), None, id="both out"),
        pytest.param((1, 2), (), (1, 2), None, id="both tried"),
        pytest.param((1, 2), (1, 2), (), None, id="both hard declined"),
        pytest.param((1,), (1,), (), None, id="no backup card"),
        pytest.param((3,), (1, 2), (), 3, id="a new card"),
        pytest.param((), (), (), None, id="no card"),
    ],
)
def test_the_first_card_that_may_still_be_tried_is_chosen(
    cards: tuple[int, ...],
    hard_declined: tuple[int, ...],
    tried_in_run: tuple[int, ...],
    expected: int | None,
) -> None:
    assert choose_card(cards, hard_declined, tried_in_run) == expected


@pytest.mark.parametrize(
    ("declines", "now", "expected"),
    [
        pytest.param((), "2026-12-01T11:00", set(), id="no decline"),
        pytest.param(((1, "2026-12-01T10:00"),), "2026-12-01T11:00", {1}, id="before its slot"),
        pytest.param(((1, "2026-12-01T10:00"),), "2026-12-01T16:59:59", {1}, id="a second before its slot"),
        pytest.param(((1, "2026-12-01T10:00"),), "2026-12-01T17:00", set(), id="at its slot"),
        pytest.param(((1, "2026-12-01T10:00"),), "2026-12-02T03:00", set(), id="long after its slot"),
        pytest.param(
            ((1, "2026-12-01T10:00"), (2, "2026-12-01T17:00")), "2026-12-01T17:05", {2}, id="each by its own"
        ),
        pytest.param(
            ((1, "2026-12-01T10:00"), (1, "2026-12-01T17:00")), "2026-12-01T17:05", {1}, id="by its last"
        ),
        pytest.param(((1, "2026-12-02T17:00"),), "2026-12-02T18:00", {1}, id="no slot is left"),
        pytest.param(((1, "2026-12-02T17:00"),), "2026-12-09T18:00", {1}, id="and none comes any more"),
    ],
)
def test_a_declined_card_rests_until_its_next_slot(
    declines: tuple[tuple[int, str], ...], now: str, expected: set[int]
) -> None:
    moments = [(card, moment(at)) for card, at in declines]
    assert resting_cards(moments, moment(now), SLOTS, UNTIL) == expected
