"""The one business clock: as-of at the start of a run plus the real time elapsed since."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Clock:
    """Tell business time for one run; `as_of` is aware, `zone` is the shop's."""

    as_of: datetime
    zone: ZoneInfo
    _started: float = field(default_factory=monotonic)

    def now(self) -> datetime:
        """Return the business moment now, in UTC: what happens is decided by its value at that moment."""
        # Added in UTC: in its own zone Python moves the hands of the clock, over a change of summer time too.
        return self.as_of.astimezone(UTC) + timedelta(seconds=monotonic() - self._started)

    def local(self) -> datetime:
        """Return the business moment now in the shop's zone, naive, as the shop's columns hold it."""
        return self.to_local(self.now())

    def to_local(self, moment: datetime) -> datetime:
        """Turn a UTC moment, aware or naive, into the shop's naive local time, in whole seconds.

        Cut here: given a fraction, MySQL would round a DATETIME, at midnight into the next day.
        """
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(self.zone).replace(tzinfo=None, microsecond=0)

    def to_utc(self, local: datetime) -> datetime:
        """Turn the shop's naive local time into an aware UTC moment."""
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def start_of(self, day: date) -> datetime:
        """Return the UTC moment at which a day begins in the shop's zone."""
        return self.to_utc(datetime.combine(day, time.min))

    @property
    def today(self) -> date:
        """The shop's date at the start of the run: what is due is decided by it."""
        return self.as_of.astimezone(self.zone).date()
