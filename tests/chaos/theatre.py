"""The stage on which the days are played again and again, with a proxy before each neighbour of the jobs."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from lib import failpoints
from lib.failpoints import Step
from tests.chaos import framing
from tests.chaos.days import Day, leases_run_out
from tests.chaos.proxy import Proxy, Strike
from tests.homes import Home
from tests.jobs.crowd import book_equals_ledger
from tests.rig import Rig, Run, bench

DONE, MATTERS, TRY_AGAIN = 0, 1, 75
WORKERS = 2
CONNECT_SECONDS = 5
PATIENCES_IN_A_LEASE = 8
"""A batch begins only where its lease outlives the slowest mail, four patiences, or the slowest text."""

Ending = Mapping[str, list[str]]


@dataclass
class Theatre:
    """One stage for many plays of the same days."""

    rig: Rig
    proxies: Mapping[str, Proxy]
    _undisturbed: dict[str, tuple[dict[str, Any], Ending]] = field(default_factory=dict)
    _met: dict[str, Counter[Step]] = field(default_factory=dict)

    def undisturbed(self, day: Day) -> tuple[dict[str, Any], Ending]:
        """Return what a day's first run counts and how the day ends when nothing breaks."""
        if day.called not in self._undisturbed:
            self.begin(day)
            with _watched() as met:
                counts = self.rig.run(day.job, "--as-of", day.at).counts
            self.run_until_quiet(day)
            self._met[day.called] = met
            self._undisturbed[day.called] = counts, ending(self.rig, day)
        return self._undisturbed[day.called]

    def met(self, day: Day) -> Counter[Step]:
        """Return how often a day's first run meets each step when nothing breaks."""
        self.undisturbed(day)
        return self._met[day.called]

    def play(self, day: Day, **strikes: Strike) -> Run:
        """Play a day whose first run is struck, by neighbour; it ends as it does when nothing breaks."""
        _, end = self.undisturbed(day)
        self.begin(day)
        self.lay(**strikes)
        ended = self.rig.run(day.job, "--as-of", day.at, check=None)
        self.assert_sound(ended)
        self.finish(day, end)
        return ended

    def begin(self, day: Day) -> None:
        """Empty the shop and everybody's books, and let a new day begin."""
        rig = self.rig
        rig.home.empty()
        for simulator in (rig.sandbox.toss, rig.sandbox.smtp, rig.sandbox.solapi):
            simulator.reset()
        self.configure(day)
        shutil.rmtree(rig.settings().paths.spool, ignore_errors=True)
        day.begin(rig)

    def lay(self, **strikes: Strike | None) -> None:
        """Lay one strike at each neighbour that is named."""
        for name, strike in strikes.items():
            self.proxies[name].lay(strike)

    def assert_sound(self, ended: Run) -> None:
        """Hold a struck run to its word: it did what it could, or says itself that it has to run again."""
        for proxy in self.proxies.values():
            proxy.lay(None)
        assert ended.exit_code in {DONE, TRY_AGAIN}, f"exit {ended.exit_code}: {ended.stderr}"
        self.assert_invariants()
        if ended.exit_code == DONE:
            left = self._left_under_way()
            assert left == [], f"left under way by a run that ended well: {left}"

    def assert_invariants(self) -> None:
        """Hold everything to what must hold at any moment."""
        broken = self.rig.invariants()
        assert broken == [], "\n".join(broken)

    def finish(self, day: Day, end: Ending) -> None:
        """Run again until nothing is left to do: the day ends as if nothing had been broken."""
        self.run_until_quiet(day)
        self.assert_invariants()
        found = ending(self.rig, day)
        assert found == end, f"it ended otherwise: {_differences(end, found)}"
        assert book_equals_ledger(self.rig), "the PG's book and the ledger differ"

    def configure(self, day: Day) -> None:
        """Configure the jobs: they reach everybody through the proxies, and have the day's patience."""
        at = {name: f"127.0.0.1:{proxy.port}" for name, proxy in self.proxies.items()}
        url = make_url(self.rig.home.url).set(port=self.proxies["database"].port)
        lease = {} if day.lease is None else {"lease": day.lease}
        patience = day.patience if day.lease is None else day.lease / PATIENCES_IN_A_LEASE
        self.rig.config(
            policy=day.policy,
            database={"url": url.render_as_string(hide_password=False)},
            gateway={
                "tosspayments": {
                    "base_url": f"http://{at['gateway']}",
                    "read_timeout": day.patience,
                    "workers": WORKERS,
                    **lease,
                },
            },
            mail={
                "smtp_url": f"smtp://{at['smtp']}",
                "timeout": patience,
                "final_dot_timeout": patience,
                "connections": 1,
                **lease,
            },
            sms={
                "base_url": f"http://{at['sms']}",
                "connect_timeout": min(patience, CONNECT_SECONDS),
                "read_timeout": patience,
                **lease,
            },
        )

    def run_until_quiet(self, day: Day) -> None:
        """Run at all the day's later times, and once more for nothing."""
        for at in day.later:
            leases_run_out(self.rig)
            self.rig.run(day.job, "--as-of", at)
        leases_run_out(self.rig)
        before = self.rig.checksums()
        self.rig.run(day.job, "--as-of", day.later[-1])
        assert self.rig.checksums() == before, "the last run still had something to do"

    def left_for_a_person(self) -> Counter[str]:
        """Count by state the rounds that wait for a person's decision."""
        rows = self.rig.ours("SELECT state FROM billing_round WHERE state IN ('in_doubt', 'held')")
        return Counter(row["state"] for row in rows)

    def _left_under_way(self) -> list[dict[str, Any]]:
        return self.rig.ours(
            "SELECT 'message' AS what, message_id AS id FROM message WHERE state = 'sending' UNION ALL "
            "SELECT 'attempt', attempt_id FROM payment_attempt WHERE state = 'sending'"
        )


@contextmanager
def _watched() -> Iterator[Counter[Step]]:
    """Count the steps that runs in this process meet."""
    met: Counter[Step] = Counter()

    def visit(step: Step) -> None:
        met[step] += 1

    failpoints.visitors.append(visit)
    yield met
    failpoints.visitors.remove(visit)


@contextmanager
def theatre(home: Home, folder: Path, *, guarded: bool = True) -> Iterator[Theatre]:
    """Open the stage between two schemas and the simulators; `guarded`: the invariants hold at the end."""
    with bench(home, folder, guarded=guarded) as rig, ExitStack() as opened:
        port = make_url(home.url).port
        assert port is not None
        ports = {
            "database": (port, framing.mysql),
            "gateway": (rig.sandbox.toss.port, framing.http),
            "smtp": (rig.sandbox.smtp.port, framing.smtp),
            "sms": (rig.sandbox.solapi.port, framing.http),
        }
        yield Theatre(rig, {name: opened.enter_context(Proxy(*each)) for name, each in ports.items()})
        rig.config()


OURS = {
    "rounds": "SELECT subscription_id, delivery_on, state, amount_krw, announced_on, charge_on, charge_until,"
    " written_at IS NULL AS is_unwritten FROM billing_round",
    "paid": "SELECT r.subscription_id, p.kind, p.amount_krw FROM payment p"
    " JOIN payment_attempt a ON a.order_no = p.order_no JOIN billing_round r ON r.round_id = a.round_id",
    "messages": "SELECT kind, subscription_id, recipient, channel, state, units FROM message",
    "matters": "SELECT kind FROM matter",
    "resets": "SELECT pg_code, state FROM pg_reset",
}
THE_SHOPS = {
    "orders": "SELECT o.subscription_id, o.delivery_date, l.product_no, l.quantity FROM orders o"
    " JOIN order_item l ON l.order_id = o.order_id",
    "subscriptions": "SELECT subscription_id, subscription_state, card_id IS NULL FROM subscription",
    "items": "SELECT subscription_id, subscription_state, subscription_shipments_sequence,"
    " expected_delivery_date FROM subscription_item",
    "cards": "SELECT member_id, masked_number FROM card",
    "stock": "SELECT product_no, stock_quantity FROM product",
    "credits": "SELECT channel, balance FROM message_credit",
    "log": "SELECT subscription_id, event FROM subscription_log",
    "services": "SELECT pg_code, state FROM subscription_service",
}


def ending(rig: Rig, day: Day) -> Ending:
    """Return what is left of a day, here and at the neighbours, without the numbers that chance decides."""
    found = {name: rig.ours(sql) for name, sql in OURS.items()}
    found |= {name: rig.shop(sql) for name, sql in THE_SHOPS.items()}
    left = {name: sorted(str(tuple(row.values())) for row in rows) for name, rows in found.items()}
    mails = [(mail.recipients, message_from_bytes(mail.raw)) for mail in rig.sandbox.smtp.book]
    # What was sent again under the same Message-ID is one mail for its reader.
    letters = {(to, mail["Subject"], mail["Message-ID"]) for to, mail in mails}
    told = Counter((to, subject) for to, subject, _ in letters)
    left["letters"] = sorted(f"{number} {to} {subject}" for (to, subject), number in told.items())
    left["texts"] = sorted(f"{sms.to} {sms.text}" for sms in rig.sandbox.solapi.released())
    left["booked"] = sorted(str(each.amount) for each in rig.sandbox.toss.approvals())
    return _without_digests(left) if day.has_digests else left


def _without_digests(left: dict[str, list[str]]) -> Ending:
    """Leave out what is one a run; that the balance is what the debits left of it is an invariant."""
    left["messages"] = [each for each in left["messages"] if not each.startswith("('digest'")]
    left["letters"] = [each for each in left["letters"] if "operator@" not in each]
    del left["credits"]
    return left


def _differences(end: Ending, found: Ending) -> str:
    """Say what is missing and what is too much."""
    said = []
    for name, rows in end.items():
        wanted, had = Counter(rows), Counter(found[name])
        said += [f"-{name} {each}" for each in (wanted - had).elements()]
        said += [f"+{name} {each}" for each in (had - wanted).elements()]
    return "\n".join(said)
