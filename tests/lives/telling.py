"""What a life is made of, and how `ops show` is told in a few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lib.billing import texts, words
from tests.rig import Rig
from tests.shopkeeper import Subscribed

ID = "S-20261101-0000001"


@dataclass(frozen=True)
class Step:
    """One moment of a life: what is done (a job, or something in the shop), and what is then shown."""

    at: str
    what: str
    act: Callable[[Rig, str], object]
    shows: tuple[str, ...]


@dataclass(frozen=True)
class Life:
    """A subscription in its shop, and its steps."""

    title: str
    begin: Callable[[Rig], Subscribed]
    steps: tuple[Step, ...]


def job(name: str, exit_code: int = 0) -> Callable[[Rig, str], object]:
    """Run a job at the step's moment; `exit_code` is the one it must end with."""
    return lambda rig, at: rig.run(name, "--as-of", at, check=exit_code)


def nothing(rig: Rig, at: str) -> None:
    """Let time pass: no job ran."""


def sql(statement: str, **values: object) -> Callable[[Rig, str], object]:
    """Do what a page of the shop does."""
    return lambda rig, at: rig.shop(statement, at=at.replace("T", " "), **values)


def in_short(rig: Rig) -> tuple[str, ...]:
    """Say what `ops show` says: the state, the items with their dates, the rounds, what a person must do."""
    shown = rig.run("ops", "show", ID).summary
    return tuple(_lines(shown))


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    (subscription,) = shown["subscription"]
    yield words.SUBSCRIPTION[subscription["state"]]
    for item in shown["items"]:
        yield f"{item['cycle']} {words.ITEM[item['state']]} {item['delivery_on']} {item['round_no']}회차"
    for found in shown["rounds"]:
        amount = texts.won(found["amount_krw"])
        yield f"{found['delivery_on']} {words.ROUND[found['state']]} {amount}"
    for matter in shown["matters"]:
        yield f"확인할 일: {words.MATTER[matter['kind']]}"
