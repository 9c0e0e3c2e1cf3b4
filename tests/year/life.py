"""One life of a town: the storefront's events, the jobs and the model, step by step on the same days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random

from tests.chaos.proxy import Proxy
from tests.model import MessageKey
from tests.rig import Rig
from tests.town import PG, Policy
from tests.year import comparison, reading
from tests.year.faults import Job, Tally
from tests.year.front import Front
from tests.year.mirror import NOTHING, Mirror, snapshot
from tests.year.struck import Striker
from tests.year.tables import shop_name
from tests.year.weather import Away, Neighbour, Weather

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
    tally: Tally = field(default_factory=Tally)
    """Which faults fell on the jobs; none, unless `strike` says so."""
    nowhere: int = 0
    """A port where nobody listens."""
    _striker: Striker | None = None
    _refunds: Counter[str] = field(default_factory=Counter)
    """Credits given back in the last run, by channel."""

    def __post_init__(self) -> None:
        shop = {"first_delivery": self.policy.first_delivery}
        self.configure = partial(self.rig.config, policy=_configured(self.policy), shop=shop)
        self.configure()
        self.mirror = Mirror(self.rig)
        self.mirror.bring(NOTHING, self.front.town)
        self.away = Away(partial(reading.read_unsent, self.rig), partial(reading.read_tried, self.rig))
        self.model = Weather(self.front.town, self.policy, self._chosen_by_the_jobs, self.away)

    def strike(self, rng: Random, proxy: Proxy | None, *, often: float) -> None:
        """From now on let faults fall on the jobs, on such a share of the runs."""
        self._striker = Striker(
            rig=self.rig,
            town=self.front.town,
            policy=self.policy,
            rng=rng,
            tally=self.tally,
            configure=self.configure,
            is_quiet=self.model.post.is_quiet,
            often=often,
            proxy=proxy,
        )

    def send_away(self, neighbours: frozenset[Neighbour]) -> None:
        """From now on these neighbours, and no others, do not listen."""
        if neighbours == self.away.now:
            return
        self.away.now = neighbours
        nobody = f"127.0.0.1:{self.nowhere}"
        web = {"base_url": f"http://{nobody}"}
        self.configure(
            gateway={"tosspayments": web if "PG" in neighbours else {}},
            mail={"smtp_url": f"smtp://{nobody}"} if "mail" in neighbours else {},
            sms=web if "sms" in neighbours else {},
        )

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
        """Run a job, and let the model do the same; the model knows of no fault but a neighbour away."""
        options = ["--pg", PG, "--confirm", shop_name(self.front.town)] if confirmed else []
        refunded = reading.read_refunds(self.rig)
        events = self._run(name, at, options)
        self._say(at, " ".join([name, *options, *self._what_fell()]))
        self._refunds = reading.read_refunds(self.rig) - refunded
        match name:
            case "notify_d2":
                self.model.notify(at)
            case "charge_d1":
                self.model.charge(at)
            case "reset_pg":
                for number in range(max(1, events)):
                    self.model.reset(at, confirmed=confirmed and number == 0)
        self.tally.fired.update(self.away.missed)
        self.away.missed.clear()

    def _run(self, name: Job, at: datetime, options: list[str]) -> int:
        """Run a job to the end of its work; returns how many PG events it took up, where it was struck."""
        if self._striker and not self.away.now:
            return self._striker.run(name, at, options)
        fine = {0, 1, 75} if self.away.now else {0, 1}
        ended = self.rig.run(name, "--as-of", f"{at:%Y-%m-%dT%H:%M}", *options, check=None)
        assert ended.exit_code in fine, f"{name} {at}: {ended.exit_code}\n{ended.stderr}\n{ended.stdout}"
        return 0

    def _what_fell(self) -> list[str]:
        if self.away.now or self._striker is None:
            return [f"({each} away)" for each in sorted(self.away.now)]
        return [f"[{each}]" for each in self._striker.words]

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
