"""When and on which card to try again, and the hours in which nobody is disturbed (rules 7, 9 and 10).

Every datetime is the shop's local time, naive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta

UNSENT_RETRY = timedelta(hours=1)
QuietHours = tuple[time, time] | None
"""From the first (included) to the second (excluded), over midnight where that is earlier; None: never."""


def next_slot(after: datetime, retry_times: Sequence[time], charge_until: date) -> datetime | None:
    """Return the first slot strictly later than a decline, or None: none is left up to `charge_until`."""
    days = (after.date(), after.date() + timedelta(days=1))
    slots = (datetime.combine(day, slot) for day in days for slot in retry_times)
    coming = min((slot for slot in slots if slot > after), default=None)
    return coming if coming and coming.date() <= charge_until else None


def last_slot(retry_times: Sequence[time], charge_until: date) -> datetime:
    """Return the last slot there is for a round; a decline at it is final."""
    return datetime.combine(charge_until, max(retry_times))


def in_quiet_hours(at: datetime, quiet: QuietHours) -> bool:
    """Tell whether `at` is a time for no message and no first charge; equal ends are never quiet."""
    if quiet is None:
        return False
    start, end = quiet
    if start <= end:
        return start <= at.time() < end
    return at.time() >= start or at.time() < end


def after_quiet_hours(at: datetime, quiet: QuietHours) -> datetime:
    """Return `at` itself or, within quiet hours, the moment they end."""
    if quiet is None or not in_quiet_hours(at, quiet):
        return at
    ends_at = datetime.combine(at.date(), quiet[1])
    return ends_at if ends_at > at else ends_at + timedelta(days=1)


def retry_unsent(at: datetime, quiet: QuietHours) -> datetime:
    """Return when a charge that was not sent, or proven not charged, `at` this moment is due again."""
    return after_quiet_hours(at + UNSENT_RETRY, quiet)


def choose_card(
    cards: Sequence[int], hard_declined: Collection[int], tried_in_run: Collection[int]
) -> int | None:
    """Return the first of main and backup card without a hard decline in the round and untried in the run."""
    return next((card for card in cards if card not in hard_declined and card not in tried_in_run), None)


def resting_cards(
    declines: Iterable[tuple[int, datetime]], now: datetime, retry_times: Sequence[time], charge_until: date
) -> set[int]:
    """Return the cards whose next slot after a decline (card, moment) has not come or will not come.

    A round may be due before that slot for its other card's sake: the declined one is not tried then.
    """
    return {
        card
        for card, declined_at in declines
        if (slot := next_slot(declined_at, retry_times, charge_until)) is None or slot > now
    }
