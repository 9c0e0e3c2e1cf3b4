"""An item through its days: a job every morning, but for those on which the host is down (rules 1 and 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.billing.calendar import (
    DAY,
    Cycle,
    LateRules,
    can_still_be_announced,
    delivery_date,
    next_stored_date,
)
from tests.billing.brute_force import CODES, cycle_dates_from, date_after, is_cycle_date

pytestmark = pytest.mark.rule(1, 2)

OnMissed = Literal["deliver_late", "skip"]
NOTICE_DAYS, MAX_LATE_DAYS = 2, 14
SHORTEST = {"W": 7, "M": 28, "Y": 365}
"""The shortest that a cycle of one week, month or year can be, in days."""


class Round(NamedTuple):
    sealed_on: date
    delivery_on: date


def life(
    start: date, code: str, on_missed: OnMissed, days: int, is_up: Callable[[date], bool] = lambda _: True
) -> Iterator[Round]:
    """Yield the rounds of an item from a week before its start on: each is announced, paid and delivered."""
    cycle, stored = Cycle.parse(code), start
    late = LateRules(on_missed, MAX_LATE_DAYS, NOTICE_DAYS)
    for today in filter(is_up, (start + number * DAY for number in range(-7, days))):
        on = delivery_date(
            stored, start=start, cycle=cycle, today=today, late=late, missed_in_a_row=0, taken=()
        )
        if on <= today + NOTICE_DAYS * DAY:
            yield Round(today, on)
            stored = next_stored_date(start, cycle, on, on)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("on_missed", ["deliver_late", "skip"])
@pytest.mark.parametrize("start", [date(2026, 12, 1), date(2027, 1, 31), date(2028, 2, 29)], ids=str)
def test_with_a_job_every_day_each_cycle_date_is_announced_two_days_ahead(
    start: date, on_missed: OnMissed, code: str
) -> None:
    rounds = list(life(start, code, on_missed, days=800))
    dates = cycle_dates_from(start, code, start)
    assert rounds == [Round(on - 2 * DAY, on) for on, _ in zip(dates, rounds, strict=False)]
    assert rounds[-1].delivery_on > start + 400 * DAY


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("on_missed", ["deliver_late", "skip"])
@pytest.mark.parametrize("down", [1, 2, 3, 13, 14, 15, 16, 17, 30, 60])
def test_after_an_outage_there_is_one_round_and_then_the_cycle_again(
    down: int, on_missed: OnMissed, code: str
) -> None:
    start = date(2027, 1, 31)
    out, back = start - 2 * DAY, start - 2 * DAY + down * DAY
    rounds = list(life(start, code, on_missed, days=900, is_up=lambda day: not out <= day < back))
    on = rounds[0].delivery_on
    if start > back:
        assert rounds[0] == Round(back, start)
    elif on_missed == "deliver_late" and (back - start).days <= MAX_LATE_DAYS:
        assert rounds[0] == Round(back, back + 2 * DAY)
    else:
        assert rounds[0] == Round(on - 2 * DAY, next(cycle_dates_from(start, code, back + 2 * DAY)))
    assert [each.delivery_on for each in rounds[1:]] == [
        date_after(start, code, each.delivery_on) for each in rounds[:-1]
    ]


@settings(max_examples=100, deadline=None, database=None)
@given(
    start=st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    code=st.sampled_from(CODES),
    on_missed=st.sampled_from(["deliver_late", "skip"]),
    outages=st.lists(st.tuples(st.integers(-7, 400), st.integers(1, 60)), max_size=6),
)
def test_whatever_the_outages_no_two_deliveries_come_close_and_none_is_for_a_day_gone_by(
    start: date, code: str, on_missed: OnMissed, outages: list[tuple[int, int]]
) -> None:
    down = {start + (first + number) * DAY for first, length in outages for number in range(length)}
    rounds = list(life(start, code, on_missed, days=500, is_up=lambda day: day not in down))
    shortest = timedelta(int(code[0]) * SHORTEST[code[1]])
    assert all(can_still_be_announced(on, sealed_on) for sealed_on, on in rounds)
    assert all(on - sealed_on <= NOTICE_DAYS * DAY for sealed_on, on in rounds)
    assert all(2 * (second.delivery_on - first.delivery_on) > shortest for first, second in pairwise(rounds))
    late = [on for _, on in rounds if not is_cycle_date(start, code, on)]
    assert len(late) <= len(outages)
