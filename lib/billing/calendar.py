"""When: cycle dates, late deliveries, and the days of a round's notice and charge (rules 1, 2 and 5)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

DAY = timedelta(days=1)
MISSED_IN_A_ROW_MAX = 2
"""Once an item missed this many rounds, delivering late would only miss again: it waits for its cycle."""


@dataclass(frozen=True)
class Cycle:
    """The repetition of an item: every `count` weeks (W) or months (M)."""

    unit: Literal["W", "M"]
    count: int

    @classmethod
    def parse(cls, code: str) -> Cycle:
        """Read a code of the shop: 1W to 4W, 1M to 6M or 1Y; ValueError for any other."""
        if code not in _CYCLES:
            raise ValueError(f"no cycle is called {code!r}; 1W to 4W, 1M to 6M and 1Y are")
        return _CYCLES[code]


_CYCLES = {
    **{f"{count}W": Cycle("W", count) for count in range(1, 5)},
    **{f"{count}M": Cycle("M", count) for count in range(1, 7)},
    "1Y": Cycle("M", 12),
}


@dataclass(frozen=True)
class LateRules:
    """What happens to an item whose date has come without a round. All figures are days."""

    on_missed: Literal["deliver_late", "skip"]
    max_late_days: int
    notice_days: int
    """From the notice to the delivery."""


@dataclass(frozen=True)
class ChargeWindow:
    """The first and the last day on which a round may be charged."""

    charge_on: date
    charge_until: date


def cycle_date(start: date, cycle: Cycle, k: int) -> date:
    """Return d(k), the date `k` cycles after `start`; `k` may be negative.

    Months are counted from `start`, so a short month does not shift the later ones: a day that a month
    lacks becomes its last.
    """
    if cycle.unit == "W":
        return start + timedelta(weeks=cycle.count * k)
    year, month = divmod(_months(start) + cycle.count * k, 12)
    _, last_day = monthrange(year, month + 1)
    return date(year, month + 1, min(start.day, last_day))


def first_cycle_date_from(start: date, cycle: Cycle, day: date) -> date:
    """Return the first cycle date on or after `day`."""
    return cycle_date(start, cycle, _first_cycle_from(start, cycle, day))


def next_date(start: date, cycle: Cycle, delivery_on: date) -> date:
    """Return the date of an item after its round of `delivery_on`, on or off the cycle.

    A cycle date nearer to the delivery than half its own cycle is passed over: after a late delivery the
    customer would get two at once. (The one behind it is always far enough.)
    """
    k = _first_cycle_from(start, cycle, delivery_on + DAY)
    previous, following = cycle_date(start, cycle, k - 1), cycle_date(start, cycle, k)
    is_far_enough = 2 * (following - delivery_on) > following - previous
    return following if is_far_enough else cycle_date(start, cycle, k + 1)


def next_stored_date(start: date, cycle: Cycle, delivery_on: date, stored: date) -> date:
    """Return what the item's date becomes after a round: a later date set by the customer stands."""
    return max(next_date(start, cycle, delivery_on), stored)


def delivery_date(
    stored: date,
    *,
    start: date,
    cycle: Cycle,
    today: date,
    late: LateRules,
    missed_in_a_row: int,
    taken: Container[date],
) -> date:
    """Return the delivery date D of an item's coming round; always after `today`.

    `missed_in_a_row` counts the item's newest rounds that ended missed, up to the first that did not.
    `taken` holds the dates of the subscription's other rounds, in any state.
    """
    on = stored
    if stored <= today:
        on = today + timedelta(days=late.notice_days)
        if _waits_for_cycle(late, today - stored, missed_in_a_row):
            on = first_cycle_date_from(start, cycle, on)
    while on in taken:
        on += DAY
    return on


def can_still_be_announced(delivery_on: date, on: date) -> bool:
    """Tell whether a notice on the day `on` is in time: D-1 at the latest."""
    return on < delivery_on


def charge_window(
    delivery_on: date, announced_on: date, *, charge_days_before: int, retry_days: int
) -> ChargeWindow:
    """Return the days on which a round may be charged: never the day of the notice, never first after D.

    `announced_on` is the day of the notice or, where no message is required, that of the seal, which stands
    for it. `retry_days` includes the first day. ValueError for a day on which no round can be announced.
    """
    if not can_still_be_announced(delivery_on, announced_on):
        raise ValueError(f"a round of {delivery_on} cannot be announced on {announced_on}")
    charge_on = max(delivery_on - timedelta(days=charge_days_before), announced_on + DAY)
    return ChargeWindow(charge_on, charge_on + timedelta(days=retry_days - 1))


def last_charge_day(delivery_on: date, retry_days: int) -> date:
    """Return the last day on which a round can be charged, however late its notice; rule 5 counts from it."""
    return delivery_on + timedelta(days=retry_days - 1)


def _first_cycle_from(start: date, cycle: Cycle, day: date) -> int:
    """Return the smallest k with d(k) >= day."""
    distance = (day - start).days // 7 if cycle.unit == "W" else _months(day) - _months(start)
    k = distance // cycle.count
    return k if cycle_date(start, cycle, k) >= day else k + 1


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _waits_for_cycle(late: LateRules, past: timedelta, missed_in_a_row: int) -> bool:
    return (
        late.on_missed == "skip"
        or past > timedelta(days=late.max_late_days)
        or missed_in_a_row >= MISSED_IN_A_ROW_MAX
    )
