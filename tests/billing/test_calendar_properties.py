"""What holds for every anchor, cycle and day, held against a search through the days one by one (rule 2)."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.billing.calendar import (
    DAY,
    Cycle,
    LateRules,
    cycle_date,
    delivery_date,
    first_cycle_date_from,
    next_date,
    next_stored_date,
)
from tests.billing.brute_force import (
    CODES,
    cycle_date_up_to,
    cycle_dates_from,
    date_after,
    is_cycle_date,
)

pytestmark = pytest.mark.rule(2)

some = settings(max_examples=80, deadline=None, database=None)
codes = st.sampled_from(CODES)
starts = st.dates(date(2023, 1, 1), date(2029, 12, 31)) | st.sampled_from(
    [date(2024, 2, 29), date(2027, 1, 31), date(2027, 8, 31), date(2027, 11, 30), date(2028, 1, 29)]
)
apart = st.integers(-800, 1_200).map(timedelta)
"""How far a day is from the anchor."""


@some
@given(start=starts, code=codes)
def test_counting_from_the_anchor_leaves_out_no_cycle_date(start: date, code: str) -> None:
    counted = [cycle_date(start, Cycle.parse(code), k) for k in range(-2, 4)]
    assert counted == list(islice(cycle_dates_from(start, code, counted[0]), 6))


@some
@given(start=starts, code=codes, far=apart)
def test_no_cycle_date_lies_between_a_day_and_the_first_from_it(
    start: date, code: str, far: timedelta
) -> None:
    found = first_cycle_date_from(start, Cycle.parse(code), start + far)
    assert found == next(cycle_dates_from(start, code, start + far))


@some
@given(start=starts, code=codes, far=apart)
@example(start=date(2028, 2, 29), code="1Y", far=timedelta(183))
@example(start=date(2027, 1, 31), code="1M", far=timedelta(14))
def test_the_next_date_is_the_first_cycle_date_that_is_far_enough(
    start: date, code: str, far: timedelta
) -> None:
    assert next_date(start, Cycle.parse(code), start + far) == date_after(start, code, start + far)


@some
@given(start=starts, code=codes, far=apart)
def test_two_deliveries_are_more_than_half_a_cycle_apart(start: date, code: str, far: timedelta) -> None:
    delivery_on = start + far
    following = next_date(start, Cycle.parse(code), delivery_on)
    ended = following - cycle_date_up_to(start, code, following - DAY)
    assert following > delivery_on
    assert 2 * (following - delivery_on) > ended


@some
@given(start=starts, code=codes, far=apart)
def test_nobody_waits_longer_than_a_cycle_and_a_half(start: date, code: str, far: timedelta) -> None:
    delivery_on = start + far
    first, second = islice(cycle_dates_from(start, code, delivery_on + DAY), 2)
    assert next_date(start, Cycle.parse(code), delivery_on) in {first, second}


@some
@given(start=starts, code=codes, far=apart, rounds=st.integers(1, 30))
def test_a_late_delivery_never_shifts_the_anchor(start: date, code: str, far: timedelta, rounds: int) -> None:
    cycle, on = Cycle.parse(code), start + far
    deliveries = [on := next_date(start, cycle, on) for _ in range(rounds)]
    assert all(is_cycle_date(start, code, each) for each in deliveries)
    assert deliveries == list(islice(cycle_dates_from(start, code, deliveries[0]), rounds))


@some
@given(start=starts, code=codes, far=apart, later=st.integers(0, 400).map(timedelta))
def test_a_later_delivery_has_no_earlier_next_date(
    start: date, code: str, far: timedelta, later: timedelta
) -> None:
    cycle, on = Cycle.parse(code), start + far
    assert next_date(start, cycle, on) <= next_date(start, cycle, on + later)


@some
@given(start=starts, code=codes, far=apart, moved=st.integers(-60, 400).map(timedelta))
def test_the_date_after_a_round_is_the_later_of_the_cycles_and_the_customers(
    start: date, code: str, far: timedelta, moved: timedelta
) -> None:
    on = start + far
    found = next_stored_date(start, Cycle.parse(code), on, on + moved)
    assert found == max(date_after(start, code, on), on + moved)


@some
@given(
    start=starts,
    code=codes,
    far=apart,
    past=st.integers(-3, 40) | st.sampled_from([13, 14, 15, 16]),
    on_missed=st.sampled_from(["deliver_late", "skip"]),
    max_late_days=st.sampled_from([0, 1, 14, 30]),
    notice_days=st.sampled_from([1, 2, 7, 30]),
    missed=st.integers(0, 3),
    taken=st.frozensets(st.integers(-1, 40)),
)
def test_the_coming_delivery_is_what_the_rule_says_word_by_word(  # noqa: PLR0913 every word of the rule
    *,
    start: date,
    code: str,
    far: timedelta,
    past: int,
    on_missed: str,
    max_late_days: int,
    notice_days: int,
    missed: int,
    taken: frozenset[int],
) -> None:
    today = start + far
    rounds = {today + number * DAY for number in taken}
    if past < 0:
        expected = today - past * DAY
    elif on_missed == "skip" or past > max_late_days or missed >= 2:
        expected = next(cycle_dates_from(start, code, today + notice_days * DAY))
    else:
        expected = today + notice_days * DAY
    while expected in rounds:
        expected += DAY
    found = delivery_date(
        today - past * DAY,
        start=start,
        cycle=Cycle.parse(code),
        today=today,
        late=LateRules("skip" if on_missed == "skip" else "deliver_late", max_late_days, notice_days),
        missed_in_a_row=missed,
        taken=rounds,
    )
    assert found == expected
    assert found > today
    assert found not in rounds
