"""What to list, and between which days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PAGE = 100
DAY = timedelta(days=1)
LONGEST_BEFORE = timedelta(days=31)
"""A round is charged at most so long before its delivery (charge_days_before is below 30)."""
LONG_AGO, NEVER = date(1970, 1, 1), date(9999, 1, 1)


class FilterError(Exception):
    """A filter that the list does not know; the text says which it does."""


@dataclass(frozen=True)
class Wanted:
    """What to list; None is no filter. Dates are the shop's, both included."""

    by: Literal["applied", "charge", "cancelled"] | None = None
    since: date | None = None
    until: date | None = None
    state: str | None = None
    member: str | None = None
    product: str | None = None
    cycle: str | None = None
    rounds: bool = False
    limit: int = 0
    """0: all."""

    @property
    def last_delivery(self) -> date:
        """The latest delivery whose charge may still lie within the period."""
        return NEVER if self.until is None else min(self.until + LONGEST_BEFORE, NEVER)


def check_state(given: str | None, known: Mapping[str, str]) -> None:
    """Raise FilterError for a state that is none of the known ones."""
    if given is not None and given not in known:
        names = ", ".join(f"{key}({word})" for key, word in known.items())
        raise FilterError(f"--state {given}: 쓸 수 있는 상태는 {names} 입니다")
