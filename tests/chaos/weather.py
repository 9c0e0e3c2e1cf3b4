"""The weather of a storm: how many runs of which jobs, when, what fails meanwhile, and what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from lib.failpoints import Step
from lib.sandbox import Fault

DELIVERY = date(2026, 12, 4)
LATE = 1.4
"""Seconds after which an effect comes that nobody waits for any more."""
MIXES: tuple[tuple[str, ...], ...] = (
    ("charge_d1",),
    ("charge_d1", "reset_pg"),
    ("notify_d2", "charge_d1"),
    ("notify_d2", "charge_d1", "reset_pg"),
)
WAVES = (
    "2026-12-02T09:00",
    "2026-12-02T11:00",
    "2026-12-03T09:30",
    "2026-12-03T10:05",
    "2026-12-03T12:00",
    "2026-12-03T17:05",
    "2026-12-04T10:05",
    "2026-12-04T17:05",
    "2026-12-05T10:05",
    "2026-12-06T10:05",
)
AT_THE_PG = (
    Fault("drop", "charge", processed=True, rate=0.08),
    Fault("drop", "charge", rate=0.04),
    Fault("delay", "charge", seconds=LATE, rate=0.03),
    Fault("error", "charge", status=500, processed=True, rate=0.03),
    Fault("truncated", "charge", rate=0.02),
    Fault("error", "inquiry", status=503, rate=0.2),
    Fault("drop", "forget", processed=True, rate=0.05),
)
LOST_AT_THE_EVENT = Fault("drop", "charge", processed=True, rate=0.5)
AT_THE_MAIL_SERVER = (
    Fault("drop", "dot", processed=True, rate=0.04),
    Fault("drop", "dot", rate=0.03),
    Fault("error", "rcpt", status=451, rate=0.03),
    Fault("delay", "dot", processed=True, seconds=LATE, rate=0.01),
)
AT_THE_PROVIDER = (
    Fault("drop", "send", processed=True, rate=0.2),
    Fault("drop", "send", rate=0.1),
    Fault("error", "group", status=500, rate=0.2),
)


@dataclass(frozen=True)
class Weather:
    """One storm: `seed` decides everything that the machine does not."""

    seed: int
    runners: int
    jobs: tuple[str, ...]
    size: int = 90
    waves: tuple[str, ...] = WAVES
    event: int | None = None
    """In which wave the PG is changed, counted from 0."""
    odds: float = 0.008
    """Of a blow, at every step of every run."""

    @classmethod
    def of(cls, seed: int, runners: int = 0) -> Weather:
        """Return the weather of a seed; `runners`: 0 is as the seed has it."""
        jobs = MIXES[seed % len(MIXES)]
        # Most often while the first charges are under way.
        event = (2, 2, 5, 2, 3)[seed % 5] if "reset_pg" in jobs else None
        return cls(seed, runners or len(jobs) + seed * 3 % (9 - len(jobs)), jobs, event=event)


@dataclass
class Figures:
    """What a storm came to."""

    weather: Weather
    faults: Counter[str] = field(default_factory=Counter)
    """Those that fired, by kind."""
    by_job: Counter[str] = field(default_factory=Counter)
    blows: Counter[tuple[str, Step, str]] = field(default_factory=Counter)
    """By job, step and kind."""
    runs: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    """What the storefront did meanwhile."""
    rounds: Counter[str] = field(default_factory=Counter)
    won: int = 0
    kills: int = 0
    """Of runs of charge_d1."""
    left_open: float = 0
    """Attempts left open by a wave per run of charge_d1 that broke off in it, at most."""
    doubts: int = 0
    seconds: float = 0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        weather = self.weather
        head = f"seed {weather.seed}, {weather.runners} at once of {' and '.join(weather.jobs)}"
        lines = (
            f"{head}: {self.runs.total():,} runs, {self.faults.total():,} faults, {self.seconds:.0f} s",
            f"faults: {_listed(self.faults)}",
            f"blows by job: {_listed(self.by_job)}",
            f"storefront: {_listed(self.acts)}",
            f"rounds: {_listed(self.rounds)}; {self.won:,} won charged; {self.doubts} for a person",
            f"{self.kills} kills of charge_d1; a run that broke off left at most {self.left_open:g} open",
            f"{len(self.violations)} violations",
            *self.violations,
        )
        return "\n  ".join(lines)


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counted.items())) or "none"
