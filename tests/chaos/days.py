"""One day of each job, with something of everything that it meets on its way, and one after lost runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from lib.failpoints import Step
from lib.sandbox import Fault
from tests.chaos import armed
from tests.jobs.charging import SOFT
from tests.jobs.outbox import LOST_MAIL, LOST_SMS
from tests.jobs.resetting import DELIVERY, EVENT, OTHER_PG, pg_changed, second_pg
from tests.jobs.street import neighbour
from tests.rig import Rig
from tests.shopkeeper import Item, card, open_shop, product, subscription

LOST_REPLY = Fault("drop", "charge", processed=True)
STOCK = 50


@dataclass(frozen=True)
class Day:
    """What there is as a day begins, when something breaks, and when the job runs again until it is over."""

    job: str
    begin: Callable[[Rig], None]
    at: str
    later: tuple[str, ...]
    neighbours: tuple[str, ...] = ("database", "gateway", "smtp", "sms")
    patience: float = 10
    """Seconds that a job waits for a gateway or a provider."""
    lease: float | None = None
    """Seconds; the configuration's own where None."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    """The job's where empty; days of one name end in the same way."""

    @property
    def called(self) -> str:
        """What to say of it."""
        return self.name or self.job

    @property
    def has_digests(self) -> bool:
        """Whether operators get a mail a run, so that their number is that of the runs."""
        return self.policy.get("operator_mail") == "digest"


@contextmanager
def _nobody_answers(rig: Rig) -> Iterator[None]:
    """Whoever is told of something meanwhile: it stays unknown whether that arrived."""
    rig.sandbox.smtp.faults.add(*LOST_MAIL)
    rig.sandbox.solapi.faults.add(*LOST_SMS)
    yield
    for simulator in (rig.sandbox.smtp, rig.sandbox.solapi):
        simulator.faults.clear()


def _cancel(rig: Rig, name: str) -> None:
    rig.shop("UPDATE subscription SET subscription_state = 'C' WHERE subscription_id = :name", name=name)


def _charged_without_a_word(rig: Rig, name: str, at: str) -> None:
    rig.sandbox.toss.faults.add(LOST_REPLY)
    rig.run("charge_d1", "--as-of", at, "--subscription", name)
    rig.sandbox.toss.faults.clear()


def notices(rig: Rig) -> None:
    """Three rounds to seal; of two sealed before nobody knows who was told, and one is cancelled since."""
    open_shop(rig)
    neighbour(rig, "told")
    neighbour(rig, "gone")
    with _nobody_answers(rig):
        rig.run("notify_d2", "--as-of", "2026-12-01T09:00", check=None)
    _cancel(rig, "gone")
    for name in ("one", "two", "three"):
        neighbour(rig, name)


def charges(rig: Rig) -> None:
    """Cards that approve, decline, and approved without a word; notices of a later round are on their way."""
    open_shop(rig)
    product(rig, stock_quantity=STOCK)
    neighbour(rig, "approved")
    neighbour(rig, "backup", SOFT, backup=("approve",))
    neighbour(rig, "declined", SOFT, "approve")
    neighbour(rig, "unknown")
    neighbour(rig, "last", items=(Item(max_rounds=1),))
    neighbour(rig, "gone")
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    _cancel(rig, "gone")
    _charged_without_a_word(rig, "unknown", "2026-12-02T09:00")
    neighbour(rig, "later", delivery_on=date(2026, 12, 4))
    with _nobody_answers(rig):
        rig.run("notify_d2", "--as-of", "2026-12-02T09:30", check=None)


def changes(rig: Rig) -> None:
    """Rounds announced, one approved without a word, and the notices of a PG that stays."""
    open_shop(rig)
    for name in ("one", "two", "unknown"):
        neighbour(rig, name)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    _charged_without_a_word(rig, "unknown", "2026-12-02T10:00")
    second_pg(rig)
    subscription(
        rig,
        "stays",
        delivery_on=DELIVERY,
        member_id="one",
        card_id=card(rig, "one", pg_code=OTHER_PG),
        backup_card_id=card(rig, "one"),
        pg_code=OTHER_PG,
    )
    with _nobody_answers(rig):
        rig.run("notify_d2", "--as-of", "2026-12-02T11:00", check=None)
    pg_changed(rig, EVENT)


def _killed(rig: Rig, step: Step, at: str, *arguments: str, job: str = "charge_d1") -> None:
    ended, fired = armed.run(rig, job, "--as-of", at, *arguments, plan=armed.Blow(step, "kill"))
    assert fired == [(step, "kill")], ended.stderr


def _killed_with_a_spool(rig: Rig, name: str, at: str) -> None:
    """Lose a run between its spool and the COMMIT of what is in it."""
    _killed(rig, Step.RESULTS_MARKED, at, "--workers", "1", "--subscription", name)


def _killed_in_a_charge(rig: Rig, name: str, at: str) -> None:
    """Lose a run that has sent a charge and nothing of what came back."""
    _killed(rig, Step.REQUEST_SENT, at, "--workers", "1", "--subscription", name)


def leases_run_out(rig: Rig) -> None:
    """Let the real time pass that a lost run's claims are left alone for."""
    rig.ours("UPDATE payment_attempt SET lease_until = UTC_TIMESTAMP(6) WHERE closed_at IS NULL")
    rig.ours("UPDATE message SET lease_until = '2000-01-01' WHERE state = 'sending'")


def notices_after_lost_runs(rig: Rig) -> None:
    """Sealed and not yet told, as its notices were about to leave; and approvals that only a spool holds."""
    open_shop(rig)
    neighbour(rig, "spooled")
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    for name in ("one", "two"):
        neighbour(rig, name, delivery_on=date(2026, 12, 4))
    _killed(rig, Step.MAIL_HANDED_OVER, "2026-12-02T09:00", job="notify_d2")
    _killed_with_a_spool(rig, "spooled", "2026-12-02T09:30")
    neighbour(rig, "three", delivery_on=date(2026, 12, 4))
    leases_run_out(rig)


def charges_after_lost_runs(rig: Rig) -> None:
    """Approvals that only a spool holds, a charge nobody heard of, and rounds that nobody touched."""
    open_shop(rig)
    product(rig, stock_quantity=STOCK)
    for name in ("lost", "spooled", "one", "two"):
        neighbour(rig, name)
    neighbour(rig, "backup", SOFT, backup=("approve",))
    neighbour(rig, "failing", *[SOFT] * 9)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    _killed_in_a_charge(rig, "lost", "2026-12-02T09:00")
    _killed_with_a_spool(rig, "spooled", "2026-12-02T09:10")
    leases_run_out(rig)


def changes_after_lost_runs(rig: Rig) -> None:
    """The same, and before a run comes again the PG is changed."""
    open_shop(rig)
    for name in ("lost", "spooled", "one"):
        neighbour(rig, name)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    _killed_in_a_charge(rig, "lost", "2026-12-02T09:00")
    _killed_with_a_spool(rig, "spooled", "2026-12-02T09:10")
    leases_run_out(rig)
    pg_changed(rig, EVENT)


DAYS = {
    day.job: day
    for day in (
        Day(
            job="notify_d2",
            begin=notices,
            at="2026-12-01T10:00",
            later=("2026-12-01T10:20", "2026-12-01T10:40"),
            neighbours=("database", "smtp", "sms"),
        ),
        Day(
            job="charge_d1",
            begin=charges,
            at="2026-12-02T10:00",
            later=("2026-12-02T10:20", "2026-12-02T11:30", "2026-12-02T17:05"),
        ),
        Day(
            job="reset_pg",
            begin=changes,
            at="2026-12-02T13:00",
            later=("2026-12-02T13:20", "2026-12-02T13:40"),
        ),
    )
}

DIGEST = {"operator_mail": "digest"}
AFTER_LOST_RUNS = {
    day.name: day
    for day in (
        replace(
            DAYS["notify_d2"],
            name="notify_d2 after lost runs",
            begin=notices_after_lost_runs,
            at="2026-12-02T10:00",
            later=("2026-12-02T10:20", "2026-12-02T10:40"),
            policy=DIGEST,
        ),
        replace(
            DAYS["charge_d1"],
            name="charge_d1 after lost runs",
            begin=charges_after_lost_runs,
            policy=DIGEST,
        ),
        replace(
            DAYS["reset_pg"],
            name="reset_pg after lost runs",
            begin=changes_after_lost_runs,
            policy=DIGEST,
        ),
    )
}
ALL_DAYS: Mapping[str, Day] = DAYS | AFTER_LOST_RUNS
"""Between them they reach every step."""
