"""Cycle dates found by looking at one day after another: slow, and by another way than the program's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

CODES = ("1W", "2W", "3W", "4W", "1M", "2M", "3M", "4M", "5M", "6M", "1Y")
DAY = timedelta(days=1)


def is_cycle_date(start: date, code: str, day: date) -> bool:
    """Tell whether a day is a whole number of cycles from the anchor, before or after it."""
    number, unit = int(code[0]), code[1]
    if unit == "W":
        return (day - start).days % (7 * number) == 0
    months_apart = (day.year - start.year) * 12 + day.month - start.month
    is_last_of_month = (day + DAY).month != day.month
    is_its_day = day.day == start.day or (is_last_of_month and day.day < start.day)
    return is_its_day and months_apart % (12 * number if unit == "Y" else number) == 0


def cycle_dates_from(start: date, code: str, day: date) -> Iterator[date]:
    """Yield every cycle date from a day on, for ever."""
    days = (day + number * DAY for number in count())
    return (each for each in days if is_cycle_date(start, code, each))


def cycle_date_up_to(start: date, code: str, day: date) -> date:
    """Return the last cycle date up to a day."""
    days = (day - number * DAY for number in count())
    return next(each for each in days if is_cycle_date(start, code, each))


def date_after(start: date, code: str, delivery_on: date) -> date:
    """Return the first cycle date that is further from a delivery than half the cycle it ends."""
    previous = cycle_date_up_to(start, code, delivery_on)
    for following in cycle_dates_from(start, code, delivery_on + DAY):
        if (following - delivery_on) + (following - delivery_on) > following - previous:
            return following
        previous = following
    raise AssertionError
