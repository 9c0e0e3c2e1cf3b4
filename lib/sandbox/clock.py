"""The simulators' business time: real time, moved by whoever drives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SettableClock:
    """Run at real speed from a moment that can be set, so that idempotency keys and lags can age."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the business moment, in UTC."""
        return datetime.now(UTC) + self._ahead

    def set(self, moment: datetime) -> None:
        """Make `moment` (aware) the time now."""
        self._ahead = moment - datetime.now(UTC)

    def reset(self) -> None:
        """Go back to real time."""
        self._ahead = timedelta(0)
