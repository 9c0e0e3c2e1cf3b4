"""What goes wrong in a year: answers that get lost, processes that are killed, connections that are cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal, TypeVar

from lib.failpoints import Step
from lib.sandbox import Fault
from tests.chaos import armed, proxy
from tests.chaos.armed import Blow, Chance, Plan
from tests.chaos.framing import is_anything, is_commit, is_query
from tests.chaos.proxy import Strike

T = TypeVar("T")
Job = Literal["notify_d2", "charge_d1", "reset_pg"]
Simulator = Literal["toss", "smtp", "solapi"]
OFTEN = 10**9
LATER, BROKEN = 451, 500
SILENCE = (Fault("drop", "group"), Fault("drop", "delete"))
"""With these nothing can be read back, so a text whose release got no answer stays unknown."""

REACHED: Mapping[Job, tuple[str, ...]] = {
    "notify_d2": ("run", "close", "seal", "send", "settle"),
    "charge_d1": ("run", "close", "send", "charge", "settle", "write"),
    "reset_pg": ("run", "send", "settle", "write", "reset"),
}
"""Of which kinds the steps are that a job may reach."""


@dataclass(frozen=True)
class Trouble:
    """A kind of fault at one of the simulators."""

    name: str
    at: Simulator
    faults: tuple[Fault, ...]


TROUBLES: Mapping[Job, tuple[Trouble, ...]] = {
    "notify_d2": (
        Trouble("mail lost after the dot", "smtp", (Fault("drop", "dot", processed=True),)),
        Trouble("mail cut off at the dot", "smtp", (Fault("drop", "dot"),)),
        Trouble("mail put off", "smtp", (Fault("error", "rcpt", status=LATER),)),
        Trouble("mail server away", "smtp", (Fault("drop", "accept"),)),
        Trouble("texts lost after the release", "solapi", (Fault("drop", "send", processed=True), *SILENCE)),
        Trouble("texts cut off at the release", "solapi", (Fault("drop", "send"), *SILENCE)),
        Trouble("texts lost before the release", "solapi", (Fault("drop", "add", processed=True),)),
        Trouble("text provider breaks", "solapi", (Fault("error", "send", status=BROKEN),)),
        Trouble("text provider away", "solapi", (Fault("drop", "accept"),)),
    ),
    "charge_d1": (
        Trouble("reply lost", "toss", (Fault("drop", "charge", processed=True),)),
        Trouble("reply cut short", "toss", (Fault("truncated", "charge"),)),
        Trouble("reply broken off", "toss", (Fault("reset", "charge"),)),
        Trouble("request lost", "toss", (Fault("drop", "charge"),)),
        Trouble("PG breaks", "toss", (Fault("error", "charge", status=BROKEN),)),
        Trouble(
            "PG breaks after the charge", "toss", (Fault("error", "charge", processed=True, status=BROKEN),)
        ),
        Trouble(
            "reply and look-up lost",
            "toss",
            (Fault("drop", "charge", processed=True), Fault("drop", "inquiry")),
        ),
    ),
    "reset_pg": (
        Trouble("key deletion lost", "toss", (Fault("drop", "forget", processed=True),)),
        Trouble("PG breaks at a key", "toss", (Fault("error", "forget", status=BROKEN),)),
    ),
}
"""By the job that meets it first; every job delivers messages at its end."""


@dataclass
class Tally:
    """What fired, by kind, and what did not hold afterwards."""

    fired: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Write how often each kind fired, most often first."""
        return [f"  {name:40}{number:>8,}" for name, number in self.fired.most_common()]


def one_of(rng: Random, choices: Sequence[T]) -> T:
    return choices[rng.randint(0, len(choices) - 1)]


def draw_troubles(rng: Random, job: Job, barred: frozenset[Simulator]) -> list[tuple[Trouble, list[Fault]]]:
    """Draw a kind of trouble at one simulator or two, and how often and at which requests it falls."""
    known = [*TROUBLES[job], *(TROUBLES["notify_d2"] if job != "notify_d2" else ())]
    drawn: dict[Simulator, tuple[Trouble, list[Fault]]] = {}
    for at in dict.fromkeys(trouble.at for trouble in known if trouble.at not in barred):
        if rng.random() < 0.8:
            trouble = one_of(rng, [each for each in known if each.at == at])
            times, skip = one_of(rng, (1, 2, 3, None)), one_of(rng, (0, 0, 0, 1, 3))
            drawn[at] = trouble, [_limited(fault, times, skip) for fault in trouble.faults]
    return list(drawn.values())


def _limited(fault: Fault, times: int | None, skip: int) -> Fault:
    is_first = fault not in SILENCE and fault.endpoint != "inquiry"
    return replace(fault, times=times, skip=skip) if is_first else fault


def draw_plan(rng: Random, job: Job, kind: armed.Kind) -> Plan:
    """Draw where a process is struck: at one step of its own, or by chance at any."""
    if rng.random() < 0.7:
        return Chance(rng.randint(0, 10**6), one_of(rng, (0.03, 0.1, 0.1, 0.3)), (kind,))
    steps = [step for step in Step if step.partition(".")[0] in REACHED[job]]
    return Blow(one_of(rng, steps), kind, one_of(rng, (1, 1, 1, 2, 3)))


def draw_strike(rng: Random) -> tuple[str, Strike]:
    """Draw what breaks between a job and its database."""
    match one_of(rng, ("commit", "commit", "commit", "query", "query", "query", "away")):
        case "commit":
            lost: proxy.Kind = "before" if rng.random() < 0.5 else "after"
            return "COMMIT lost", Strike(lost, on=is_commit, nth=rng.randint(1, 12))
        case "query":
            kinds: tuple[proxy.Kind, ...] = ("before", "after", "reset", "half-close")
            kind = one_of(rng, kinds)
            return "statement lost", Strike(kind, on=is_query, nth=rng.randint(1, 120))
    return "database away", Strike("before", on=is_anything, nth=rng.randint(1, 120), times=OFTEN)
