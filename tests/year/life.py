"""One life of a town: the storefront's events, the jobs and the model, step by step on the same days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

from tests.model import MessageKey, Model
from tests.rig import Rig
from tests.town import PG, Policy
from tests.year import comparison, reading
from tests.year.front import Front
from tests.year.mirror import NOTHING, Mirror, snapshot
from tests.year.tables import shop_name

Job = Literal["notify_d2", "charge_d1", "reset_pg"]
LATELY = timedelta(days=15)
KEPT_WORDS = 40
"""How many of the last steps a report of differences repeats."""


class UnlawfulError(AssertionError):
    """The jobs served messages that they must not have served, or did not serve one that they could."""


@dataclass
class Life:
    """A rig and a town that live the same days; `said` is what happened, newest last."""

    rig: Rig
    front: Front
    policy: Policy
    said: list[str] = field(default_factory=list)
    _refunds: Counter[str] = field(default_factory=Counter)
    """Credits given back in the last run, by channel."""

    def __post_init__(self) -> None:
        self.rig.config(policy=_configured(self.policy), shop={"first_delivery": self.policy.first_delivery})
        self.mirror = Mirror(self.rig)
        self.mirror.bring(NOTHING, self.front.town)
        self.model = Model(self.front.town, self.policy, self._chosen_by_the_jobs)

    def storefront(self, acts: Iterable[tuple[datetime, Callable[[], str]]]) -> None:
        """Let things happen on the shop's pages, in the town and then in the tables."""
        before = snapshot(self.front.town)
        for at, act in acts:
            if told := act():
                self._say(at, told)
        self.mirror.bring(before, self.front.town)

    def is_reset_waiting(self) -> bool:
        """Tell whether a contract ended for good and nobody reset its PG yet."""
        return any(
            (each.terminated_at, each.contract_no, each.pg_code) not in self.model.standing.resets
            for each in self.front.town.contracts
            if each.termination in {"changed", "reset"}
        )

    def job(self, name: Job, at: datetime, *, confirmed: bool = False) -> None:
        """Run a job, and let the model do the same."""
        options = ["--pg", PG, "--confirm", shop_name(self.front.town)] if confirmed else []
        refunded = reading.read_refunds(self.rig)
        ended = self.rig.run(name, "--as-of", f"{at:%Y-%m-%dT%H:%M}", *options, check=None)
        assert ended.exit_code in {0, 1}, f"{name} {at}: {ended.exit_code}\n{ended.stderr}\n{ended.stdout}"
        self._say(at, " ".join([name, *options]))
        self._refunds = reading.read_refunds(self.rig) - refunded
        match name:
            case "notify_d2":
                self.model.notify(at)
            case "charge_d1":
                self.model.charge(at)
            case "reset_pg":
                self.model.reset(at, confirmed=confirmed)

    def compare_lately(self, today: date) -> list[str]:
        """Return in what the jobs differ from the model, of what they touched in the last days."""
        return comparison.compare_lately(self.rig, self.model, today - LATELY)

    def compare_all(self) -> list[str]:
        """Return in what the jobs differ from the model."""
        return comparison.compare_all(self.rig, self.model)

    def told(self) -> str:
        """Return the last steps, a line each."""
        return "\n".join(self.said[-KEPT_WORDS:])

    def _say(self, at: datetime, told: str) -> None:
        self.said.append(f"{at:%Y-%m-%d %H:%M} {told}")

    def _chosen_by_the_jobs(self, keys: list[MessageKey], balance: int, units: int) -> list[MessageKey]:
        """Say which of the waiting messages get the credit: where it is short, those that the jobs served.

        What a refusal gives back in the same run may come in time for another message, or too late.
        """
        returned = self._refunds[keys[0][3]]
        if len(keys) * units <= balance - returned:
            return keys
        rows = reading.read_messages(self.rig, comparison.EVER)
        served = [key for key in keys if key in rows and rows[key]["debited"]]
        at_least = min(len(keys), max(0, balance - returned) // units)
        if not at_least * units <= len(served) * units <= balance + returned:
            told = f"{len(served)} of {len(keys)} served at {units} each from {balance}"
            raise UnlawfulError(f"{keys[0][2]} {keys[0][3]}: {told}\n{self.told()}")
        return served


def _configured(policy: Policy) -> dict[str, object]:
    """Write the operator's choices as the configuration has them."""
    options: dict[str, object] = {
        name: value for name, value in vars(policy).items() if name not in {"first_delivery", "quiet_hours"}
    }
    options["retry_times"] = [_clock(each) for each in policy.retry_times]
    quiet = policy.quiet_hours
    options["quiet_hours"] = f"{_clock(quiet[0])}-{_clock(quiet[1])}" if quiet else ""
    return options


def _clock(moment: time) -> str:
    return f"{moment:%H:%M}"
