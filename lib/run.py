"""What every step of one run is given: the database, the clock, the options and where to count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lib.clock import Clock
from lib.matters import Matters
from lib.settings import Settings
from lib.store import Store


@dataclass(frozen=True)
class Scope:
    """Which part of the work a run takes: `--subscription`, `--limit`, `--workers`."""

    subscriptions: tuple[str, ...] = ()
    limit: int | None = None
    workers: int | None = None


@dataclass
class Run:
    """One run of one job."""

    settings: Settings
    store: Store
    clock: Clock
    matters: Matters
    scope: Scope = Scope()
    postponed: list[str] = field(default_factory=list)
    """Why something could not be done now although nothing is wrong with it: the run ends with 75."""
    refused: list[str] = field(default_factory=list)
    """Why the run must stop for the configuration's sake: it ends with 78."""
    notes: list[str] = field(default_factory=list)
    """What is worth saying and changes nothing about how the run ends."""

    on_step: Callable[[int], None] = lambda _number: None
    """Told how many rounds or messages went by, for a progress bar."""

    @property
    def counts(self) -> Counter[str]:
        """What was done so far, for the summary."""
        return self.store.counted

    def postpone(self, why: str) -> None:
        """Note once what has to wait for another run."""
        if why not in self.postponed:
            self.postponed.append(why)

    def note(self, what: str) -> None:
        """Note what the run left to others."""
        self.notes.append(what)

    def refuse(self, why: str) -> None:
        """Note once what is wrong with the configuration."""
        if why not in self.refused:
            self.refused.append(why)


def real_now() -> datetime:
    """Return the real time, for leases only: a business clock may stand elsewhere."""
    return datetime.now(UTC)


def lease(seconds: float) -> datetime:
    """Return when a lease taken now ends, in real time."""
    return real_now() + timedelta(seconds=seconds)
