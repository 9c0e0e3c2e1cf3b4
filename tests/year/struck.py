"""Jobs that are struck by faults, and run again at the same moment until they have nothing left to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sqlalchemy.engine import make_url

from lib.sandbox.faults import Faults
from tests.chaos import armed, framing
from tests.chaos.proxy import Proxy
from tests.rig import Rig, Run
from tests.town import Policy, Subscription, Town
from tests.year import faults
from tests.year.faults import Job, Simulator, Tally

DONE, MATTERS, TRY_AGAIN = 0, 1, 75
AGAIN_AFTER = (timedelta(0), timedelta(minutes=1), timedelta(minutes=2))
"""After the first run. Longer it must not take: the storefront's next event may come three minutes later."""
MOST_RUNS = 8
LONG_AGO = "2000-01-01 00:00:00.000000"

OPEN = """
SELECT 'attempt' AS what, order_no AS name FROM payment_attempt WHERE state IN ('sending', 'unknown')
UNION ALL SELECT 'round', order_id FROM billing_round WHERE state = 'charging'
UNION ALL SELECT 'order', order_id FROM billing_round WHERE state = 'paid' AND written_at IS NULL
UNION ALL SELECT 'message', subject FROM message WHERE state IN ('sending', 'unknown')
UNION ALL SELECT 'put off', subject FROM message WHERE state = 'queued' AND tries > 0
UNION ALL SELECT 'reset', pg_code FROM pg_reset WHERE state <> 'done'
"""
HELD = "SELECT subscription_id FROM billing_round WHERE state = 'held'"
TIME_PASSES = (
    "UPDATE payment_attempt SET lease_until = :past WHERE closed_at IS NULL",
    "UPDATE payment_attempt SET next_check_at = :past WHERE state = 'unknown'",
    "UPDATE message SET lease_until = :past WHERE state = 'sending'",
    "UPDATE message SET next_try_at = :past WHERE state IN ('queued', 'unknown') AND tries > 0",
)
"""Leases end, and what is asked after or tried again later is due."""


@dataclass
class Striker:
    """Strikes runs of one life, by chance; `often` is the share of runs that are struck."""

    rig: Rig
    town: Town
    policy: Policy
    rng: Random
    tally: Tally
    configure: Callable[..., object]
    """Writes the life's configuration, with some keys overridden."""
    is_quiet: Callable[[datetime], bool]
    often: float
    proxy: Proxy | None = None
    """Stands between the jobs and a database server."""
    words: list[str] = field(default_factory=list)
    """What struck the last run."""

    def run(self, job: Job, at: datetime, options: list[str]) -> int:
        """Run a job to the end of its work; returns how many PG events it took up."""
        before, self.words = self._resets(), []
        strikes = (self.rng.random() < self.often) + (self.rng.random() < self.often / 3)
        for number in range(MOST_RUNS):
            told = [] if self._resets() > before else options
            as_of = at + AGAIN_AFTER[min(number, len(AGAIN_AFTER) - 1)]
            arguments = ["--as-of", f"{as_of:%Y-%m-%dT%H:%M}", *told]
            ended = self._struck(job, arguments) if number < strikes else self._plain(job, arguments)
            self._judge(job, at, ended, is_struck=number < strikes)
            if self._is_over(ended, at):
                return self._resets() - before
            self._let_time_pass()
        left = ", ".join(f"{row['what']} {row['name']}" for row in self.rig.ours(OPEN))
        raise AssertionError(f"{job} {at}: not over after {MOST_RUNS} runs: {left}\n{ended.stderr}")

    def _plain(self, job: Job, arguments: list[str]) -> Run:
        return self.rig.run(job, *arguments, check=None)

    def _struck(self, job: Job, arguments: list[str]) -> Run:
        ways = [self._by_simulators, self._by_simulators, self._by_kill]
        if self.proxy:
            ways += [self._by_cut, self._by_proxy]
        return faults.one_of(self.rng, ways)(job, arguments)

    def _by_simulators(self, job: Job, arguments: list[str]) -> Run:
        drawn = faults.draw_troubles(self.rng, job, self._barred(job))
        before = [self._faults(trouble.at).struck for trouble, _ in drawn]
        for trouble, falling in drawn:
            self._faults(trouble.at).add(*falling)
        try:
            return self._plain(job, arguments)
        finally:
            for (trouble, _), number in zip(drawn, before, strict=True):
                self._faults(trouble.at).clear()
                self._count(trouble.name, self._faults(trouble.at).struck - number)

    def _faults(self, name: Simulator) -> Faults:
        match name:
            case "toss":
                return self.rig.sandbox.toss.faults
            case "smtp":
                return self.rig.sandbox.smtp.faults
        return self.rig.sandbox.solapi.faults

    def _by_kill(self, job: Job, arguments: list[str]) -> Run:
        return self._armed(job, arguments, "kill")

    def _by_cut(self, job: Job, arguments: list[str]) -> Run:
        return self._armed(job, arguments, "cut")

    def _armed(self, job: Job, arguments: list[str], kind: armed.Kind) -> Run:
        ended, fired = armed.run(self.rig, job, *arguments, plan=faults.draw_plan(self.rng, job, kind))
        name = "process killed" if kind == "kill" else "connections cut"
        self._count(name, len(fired), " ".join(step for step, _ in fired))
        return ended

    def _by_proxy(self, job: Job, arguments: list[str]) -> Run:
        assert self.proxy
        name, strike = faults.draw_strike(self.rng)
        url = make_url(self.rig.home.url).set(port=self.proxy.port)
        self.configure(database={"url": url.render_as_string(hide_password=False)})
        self.proxy.lay(strike)
        try:
            return self._plain(job, arguments)
        finally:
            self.proxy.lay(None)
            self.configure()
            self._count(name, min(strike.fired, 1))

    def _count(self, name: str, number: int, where: str = "") -> None:
        if number:
            self.tally.fired[name] += number
            self.words.append(f"{number} {name} {where}".strip())

    def _barred(self, job: Job) -> frozenset[Simulator]:
        """Leave in peace what would legitimately change the ending.

        A digest carries what is known at the end of a run, so an answer learnt later makes another. And where
        every address of a customer is refused, it decides between two mails which refusal is told first.
        """
        barred: set[Simulator] = set()
        if job == "charge_d1" and self.policy.operator_mail == "digest":
            barred.add("toss")
        unreachable = {key for key, each in self.town.subscriptions.items() if self._is_unreachable(each)}
        if unreachable - {row["subscription_id"] for row in self.rig.ours(HELD)}:
            barred |= {"smtp", "solapi"}
        return frozenset(barred)

    def _is_unreachable(self, subscription: Subscription) -> bool:
        member = self.town.members[subscription.member_id]
        mail, phone = subscription.email or member.email, subscription.cellphone or member.cellphone
        is_lost = "+refuse" in mail and phone in self.town.refused_numbers
        return subscription.state == "U" and is_lost

    def _judge(self, job: Job, at: datetime, ended: Run, *, is_struck: bool) -> None:
        is_killed = ended.exit_code < 0
        if ended.exit_code not in {DONE, MATTERS, TRY_AGAIN} and not is_killed:
            raise AssertionError(f"{job} {at}: {ended.exit_code}\n{ended.stderr}\n{ended.stdout}")
        if is_struck and self.words:
            broken = self.rig.invariants()
            self.tally.violations += [f"{job} {at}: {line}" for line in broken]

    def _is_over(self, ended: Run, at: datetime) -> bool:
        left = {row["what"] for row in self.rig.ours(OPEN)} - ({"put off"} if self.is_quiet(at) else set())
        return ended.exit_code in {DONE, MATTERS} and not left

    def _let_time_pass(self) -> None:
        for statement in TIME_PASSES:
            self.rig.ours(statement, past=LONG_AGO)

    def _resets(self) -> int:
        return int(self.rig.ours("SELECT COUNT(*) AS n FROM pg_reset")[0]["n"])


@contextmanager
def before_server(rig: Rig) -> Iterator[Proxy | None]:
    """Stand between the jobs and the database, where it is a server."""
    port = make_url(rig.home.url).port
    if port is None:
        yield None
        return
    with Proxy(port, framing.mysql) as proxy:
        yield proxy
