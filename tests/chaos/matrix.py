"""Every fail point times every kind, in each day that reaches it: struck, healed, compared."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Self

from lib.failpoints import Step
from tests.chaos import armed
from tests.chaos.armed import Armed, Kind, Plan, Watch
from tests.chaos.days import ALL_DAYS, Day, leases_run_out
from tests.chaos.figures import FAIL_POINT, Fault, Figures
from tests.chaos.theatre import DONE, TRY_AGAIN, WORKERS, Ending, Theatre

LEASE = 1.6
"""Seconds that a claim holds in a play with stopped runs."""
PATIENCE = 1.2
"""Seconds that a run gets while another stands still, perhaps with row locks, before that one goes on."""
SIGKILLED = -9
IN_A_RUN = 3
"""Blows of one play at most."""


@dataclass(frozen=True)
class Blows:
    """A step is struck each of these times that a run meets it."""

    step: Step
    kind: Kind
    nths: tuple[int, ...]

    def falls(self, step: Step, met: int) -> Kind | None:
        """Say what strikes a step that is met for the `met`-th time, if anything does."""
        return self.kind if step == self.step and met in self.nths else None


@dataclass(frozen=True)
class Along:
    """Each of these steps is struck when a run first meets it."""

    steps: frozenset[Step]
    kind: Kind

    def falls(self, step: Step, met: int) -> Kind | None:
        """Say what strikes a step that is met for the `met`-th time, if anything does."""
        return self.kind if step in self.steps and met == 1 else None


def strike(stage: Theatre, day: Day, step: Step, kind: Kind, nth: int) -> Figures:
    """Play a day whose runs are struck at a step, from the `nth` time on that it is met.

    A killed run is followed by another that meets its blow, while there are; a stopped one outlives its lease
    while another run does its work.
    """
    end = _begin(stage, replace(day, lease=LEASE) if kind == "stop" else day)
    figures = Figures(plays=1)
    plan = Blows(step, kind, tuple(range(nth, nth + IN_A_RUN)) if kind == "cut" else (nth,))
    for _ in range(IN_A_RUN if kind == "kill" else 1):
        if not _struck_run(stage, day, plan, figures):
            break
    _heal(stage, day, end, figures)
    return figures


def walk(stage: Theatre, day: Day) -> Figures:
    """Play a day on whose way a run is killed at each step, one after the other."""
    end = _begin(stage, day)
    figures = Figures(plays=1)
    for step in stage.met(day):
        _struck_run(stage, day, Blows(step, "kill", (1,)), figures)
    _heal(stage, day, end, figures)
    return figures


def ride(stage: Theatre, day: Day, part: int = 0, parts: int = 1) -> Figures:
    """Play a day whose one run loses its database the first time at every step, or every so-manieth."""
    end = _begin(stage, day)
    figures = Figures(plays=1)
    steps = frozenset(list(stage.met(day))[part::parts])
    _struck_run(stage, day, Along(steps, "cut"), figures)
    _heal(stage, day, end, figures)
    return figures


def _begin(stage: Theatre, day: Day) -> Ending:
    _, end = stage.undisturbed(ALL_DAYS[day.called])
    stage.begin(day)
    return end


def _heal(stage: Theatre, day: Day, end: Ending, figures: Figures) -> None:
    stage.configure(day)
    stage.finish(day, end)
    figures.for_a_person.update(stage.left_for_a_person())


def _struck_run(stage: Theatre, day: Day, plan: Blows | Along, figures: Figures) -> bool:
    """Let one run begin that a plan's blows fall on, and come to its end; True: one fell.

    While one stands still, others of the same job do its work, and are struck as well.
    """
    before = _open_attempts(stage)
    with _Crowd(stage, day, plan) as crowd:
        crowd.see_out()
        ended = [(run.wait(), run.fired) for run in crowd.runs]
    for run, fired in ended:
        figures.fired.update(Fault(FAIL_POINT, day.job, step, kind) for step, kind in fired)
        wanted = {SIGKILLED} if fired and plan.kind == "kill" else {DONE, TRY_AGAIN}
        assert run.exit_code in wanted, f"exit {run.exit_code}: {run.stderr}"
    stage.assert_invariants()
    is_struck = bool(ended[0][1])
    if plan.kind == "kill" and is_struck:
        left = len(_open_attempts(stage) - before)
        if day.job == "charge_d1":
            figures.left_by_kills.append(left)
        assert left <= WORKERS, f"{left} attempts were left open"
    leases_run_out(stage.rig)
    return is_struck


class _Crowd:
    """A run and those that come while it, or one of them, stands still."""

    def __init__(self, stage: Theatre, day: Day, plan: Plan) -> None:
        self._stage, self._day, self._plan = stage, day, plan
        self.runs: list[Armed] = []
        self._seen: dict[int, float] = {}
        """Since when runs stand still."""
        self._replaced: set[int] = set()

    def __enter__(self) -> Self:
        self._start(self._plan)
        return self

    def __exit__(self, *_: object) -> None:
        for run in self.runs:
            if run.process.is_alive():
                run.kill()
                run.process.join()

    def see_out(self) -> None:
        """Wait until all have ended; each that stands still outlives its lease while another comes."""
        while any(run.process.is_alive() for run in self.runs):
            for run in [each for each in self.runs if each.is_stopped()]:
                still = time.monotonic() - self._seen.setdefault(run.pid, time.monotonic())
                if still > LEASE + PATIENCE:
                    del self._seen[run.pid]
                    run.go_on()
                elif still > LEASE and run.pid not in self._replaced:
                    self._replaced.add(run.pid)
                    self._start(self._plan if len(self.runs) < IN_A_RUN else Watch())
            time.sleep(0.02)

    def _start(self, plan: Plan) -> None:
        self.runs.append(armed.start(self._stage.rig, self._day.job, "--as-of", self._day.at, plan=plan))


def _open_attempts(stage: Theatre) -> set[int]:
    rows = stage.rig.ours("SELECT attempt_id FROM payment_attempt WHERE state IN ('sending', 'unknown')")
    return {row["attempt_id"] for row in rows}


def reaching(stage: Theatre, step: Step) -> list[Day]:
    """Return the days whose first run meets a step."""
    return [day for day in ALL_DAYS.values() if step in stage.met(day)]
