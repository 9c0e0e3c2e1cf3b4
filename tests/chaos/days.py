"""One day of each job, with something of everything that it meets on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from lib.sandbox import Fault
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
    patience: float = 0.5
    """Seconds that a job waits for a gateway or a provider; a slow answer takes longer."""


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
            # A reset leaves it to a person what a PG did not say in time: here a slow answer is in time.
            patience=3,
        ),
    )
}
