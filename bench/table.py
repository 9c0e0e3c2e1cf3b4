"""The table that the bench prints: a line for everything measured, medians over the repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.measure import Cost

HEADINGS = (
    "measured",
    "unit",
    "units",
    "per second",
    "of the limit",
    "times plain",
    "statements",
    "commits",
    "CPU ms",
    "CPU ms of others",
    "peak MiB",
)


@dataclass(frozen=True)
class Line:
    """One measurement. Statements, commits and CPU are shown for one unit."""

    name: str
    unit: str
    units: int
    seconds: float
    limit_s: float | None = None
    """How long the same work takes at the bare limits."""
    plain_s: float | None = None
    """How long the plain script takes for one unit."""
    cost: Cost | None = None

    @property
    def figures(self) -> tuple[float | None, ...]:
        """Return everything from the rate on, in the order of the headings."""
        rate = self.units / self.seconds
        of_limit = None if self.limit_s is None else self.limit_s / self.seconds
        times_plain = None if self.plain_s is None else self.plain_s * rate
        if self.cost is None:
            return rate, of_limit, times_plain, None, None, None, None, None
        each = (
            self.cost.statements,
            self.cost.commits,
            1000 * self.cost.cpu_s,
            1000 * self.cost.others_cpu_s,
        )
        return rate, of_limit, times_plain, *(total / self.units for total in each), self.cost.peak_mib


FORMATS = ("{:,.1f}", "{:.0%}", "{:.1f}", "{:.2f}", "{:.3f}", "{:.2f}", "{:.2f}", "{:.0f}")


def table(repeats: Sequence[Sequence[Line]]) -> str:
    """Return a Markdown table of the medians; every repeat has the same lines."""
    rows = [HEADINGS, ("---", "---", *["---:"] * (len(HEADINGS) - 2))]
    for same in zip(*repeats, strict=True):
        columns = zip(*(line.figures for line in same), strict=True)
        shown = [_shown(form, column) for form, column in zip(FORMATS, columns, strict=True)]
        rows.append((same[0].name, same[0].unit, f"{same[0].units:,}", *shown))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(form: str, figures: Sequence[float | None]) -> str:
    known = [figure for figure in figures if figure is not None]
    return form.format(median(known)) if known else ""
