"""What a chaos run counts, and how it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from lib.failpoints import Step
from tests.chaos.armed import KINDS


@dataclass(frozen=True)
class Fault:
    """One sort of fault that fired; `place` is a step, a neighbour, or what a storm calls it."""

    source: str
    job: str
    place: str
    kind: str


@dataclass
class Figures:
    """Counted, not planned: a fault is here only if it fired."""

    fired: Counter[Fault] = field(default_factory=Counter)
    left_by_kills: list[int] = field(default_factory=list)
    """How many attempts each killed charge_d1 left open of those it had begun."""
    storm_left: float = 0
    """Attempts left open by a wave of a storm, per run of charge_d1 that broke off in it, at most."""
    for_a_person: Counter[str] = field(default_factory=Counter)
    """What was still open when a play was over, by state."""
    plays: int = 0
    rounds: int = 0
    won: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Take another's figures in."""
        self.fired += other.fired
        self.for_a_person += other.for_a_person
        self.left_by_kills += other.left_by_kills
        self.violations += other.violations
        self.storm_left = max(self.storm_left, other.storm_left)
        self.plays += other.plays
        self.rounds += other.rounds
        self.won += other.won

    @property
    def faults(self) -> int:
        """How many faults fired."""
        return self.fired.total()

    def steps(self) -> Counter[tuple[str, str]]:
        """Count by step and kind what fired at fail points."""
        counted: Counter[tuple[str, str]] = Counter()
        for fault, number in self.fired.items():
            if fault.place in STEPS:
                counted[fault.place, fault.kind] += number
        return counted


STEPS = frozenset(Step)
FAIL_POINT, WIRE, COMMIT, SERVER, STORM = "fail point", "wire", "lost COMMIT", "server killed", "storm"


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    """Lay rows out in columns, words to the left and numbers to the right."""
    lines = [head, *(tuple(_cell(each) for each in row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    is_number = [lines[-1][place][:1].isdigit() for place in range(len(head))]
    for line in lines:
        cells = zip(line, widths, is_number, strict=True)
        yield "  " + "  ".join(c.rjust(w) if right else c.ljust(w) for c, w, right in cells).rstrip()


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def tell(figures: Figures, workers: int, seconds: float, *, steps: bool = True) -> Iterator[str]:
    """Yield the lines of the whole account."""
    yield f"{figures.faults:,} faults fired in {figures.plays:,} plays, {seconds:,.0f} s"
    yield ""
    yield from table(("where from", "kind", "faults"), _by(figures, "source", "kind"))
    yield ""
    yield from table(("job", "faults"), _by(figures, "job"))
    if steps:
        yield ""
        yield from _tell_steps(figures)
    yield ""
    if figures.rounds:
        yield (
            f"in storms: {figures.rounds:,} rounds, {figures.won:,} won charged; a run of charge_d1 "
            f"that broke off left at most {figures.storm_left:g} attempts open"
        )
    left = figures.left_by_kills
    yield (
        f"killed runs of charge_d1: {len(left):,}; attempts left open by one: "
        f"at most {max(left, default=0):,} (workers: {workers:,})"
    )
    doubts = figures.for_a_person
    yield f"left open for a person at the end: {doubts.total():,}{_listed(doubts)}"
    yield f"violations: {len(figures.violations):,}"
    yield from figures.violations


def _by(figures: Figures, *names: str) -> list[tuple[object, ...]]:
    counted: Counter[tuple[str, ...]] = Counter()
    for fault, number in figures.fired.items():
        counted[tuple(getattr(fault, name) for name in names)] += number
    return [(*key, number) for key, number in sorted(counted.items())]


def _tell_steps(figures: Figures) -> Iterator[str]:
    counted = figures.steps()
    rows = [(step.value, *(counted[step, kind] for kind in KINDS)) for step in Step]
    yield from table(("step", *KINDS), rows)
    fewest = min(min(numbers) for _, *numbers in rows)
    yield f"  fewest of a step and kind: {fewest:,}"


def _listed(counted: Counter[str]) -> str:
    said = ", ".join(f"{name} {number:,}" for name, number in sorted(counted.items()))
    return f" ({said})" if said else ""


def thin(figures: Figures, least: int) -> list[str]:
    """Return the steps and kinds that fired less often than that."""
    counted = figures.steps()
    short = [(step, kind) for step in Step for kind in KINDS if counted[step, kind] < least]
    return [
        f"{step} {','.join(kind for _, kind in kinds)}"
        for step, kinds in groupby(short, key=lambda each: each[0])
    ]
