"""What customers, the shop's pages, cron and an operator do, one act after another, at one business clock."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lib.failpoints import Step
from lib.sandbox import Card, TossSwitches
from tests import shopkeeper
from tests.chaos import armed
from tests.chaos.armed import Armed, Kind, Plan
from tests.chaos.dumps import Backup
from tests.rig import Rig, Run
from tests.shopkeeper import Item, card, contract, open_shop, product, service, subscription
from tests.stateful.faults import GATEWAY, LATE_SECONDS, LEASE, MAIL, PATIENCE, SMS
from tests.stateful.model import SEOUL, Customer, Model

PG = "tosspayments"
FIRST_MORNING = datetime(2026, 12, 1, 9)
A_MINUTE = timedelta(minutes=1)
ENDS = {0, 1, 75}
"""How a run may end by itself, here where the configuration is right."""
KILLED = -9
PRICES = {1: 12_900, 2: 8_000}
PLENTY = 1_000
LEFT_OPEN = (
    "SELECT 'attempt' AS what, attempt_id AS id, state FROM payment_attempt"
    " WHERE state IN ('sending', 'unknown', 'in_doubt') UNION ALL "
    "SELECT 'round', round_id, state FROM billing_round WHERE state IN ('charging', 'in_doubt', 'held')"
    " OR (state = 'paid' AND written_at IS NULL) UNION ALL "
    "SELECT 'message', message_id, state FROM message WHERE state IN ('sending', 'unknown') UNION ALL "
    "SELECT 'reset', reset_id, state FROM pg_reset WHERE state <> 'done'"
)
A_MOMENT = 0.01
"""Seconds in which a simulator is through with what a killed run sent it."""


@dataclass
class Moment:
    """One blow after so many fail points, whichever they are."""

    number: int
    kind: Kind

    def falls(self, _step: Step, _met: int) -> Kind | None:
        """Say what strikes the next fail point, if anything does."""
        self.number -= 1
        return self.kind if self.number == 0 else None


@dataclass
class Scene:
    """One shop from its first morning on; `figures` outlives it."""

    rig: Rig
    figures: Counter[str]
    now: datetime = FIRST_MORNING
    model: Model = field(default_factory=Model)
    _dump: Backup | None = None
    _is_late: bool = False

    def __post_init__(self) -> None:
        """Forget whatever was before, here and at the neighbours."""
        rig = self.rig
        rig.home.empty()
        for simulator in (rig.sandbox.toss, rig.sandbox.smtp, rig.sandbox.solapi):
            simulator.reset()
        rig.config(
            gateway={PG: {"workers": 2, "read_timeout": PATIENCE, "lease": LEASE}},
            mail={"connections": 1},
        )
        shutil.rmtree(rig.settings().paths.spool, ignore_errors=True)
        self.behave("gateway", "well")
        open_shop(rig)
        for number, price in PRICES.items():
            product(rig, number, price)

    # The neighbours.

    def behave(self, who: str, how: str, lag_minutes: int = 0) -> None:
        """Let a neighbour behave in a way from now on."""
        sandbox = self.rig.sandbox
        match who:
            case "gateway":
                sandbox.toss.faults.clear()
                sandbox.toss.faults.add(*GATEWAY[how])
                sandbox.toss.switches = TossSwitches(inquiry_lag_s=60 * lag_minutes)
                self._is_late = any(fault.kind == "delay" for fault in GATEWAY[how])
            case "mail":
                sandbox.smtp.faults.clear()
                sandbox.smtp.faults.add(*MAIL[how])
            case "sms":
                sandbox.solapi.faults.clear()
                sandbox.solapi.faults.add(*SMS[how])

    # The customers.

    def subscribe(
        self, days: int, cycle: str, script: tuple[str, ...], *, two: bool, reachable: bool
    ) -> None:
        """Apply for a subscription with a new card."""
        number = len(self.model.customers) + 1
        name, phone = f"S-{number}", f"0103000{number:04d}"
        items = tuple(Item(product_no, PRICES[product_no], cycle=cycle) for product_no in (1, 2)[: 1 + two])
        key = self._issue(f"m{number}", script)
        subscription(
            self.rig,
            name,
            delivery_on=self.now.date() + timedelta(days=days),
            member_id=f"m{number}",
            card_id=card(self.rig, f"m{number}", key, registered_at=self.now),
            items=items,
            buyer_email=f"m{number}@example.com" if reachable else f"m{number}+refuse@example.com",
            buyer_cellphone=phone,
            created_date=self.now,
        )
        self.model.customers.append(Customer(name, phone, sum(item.price for item in items)))

    def _issue(self, member_id: str, script: tuple[str, ...]) -> str:
        key = f"key-{len(self.model.registered) + 1}-of-{member_id}"
        self.rig.sandbox.toss.register(Card(key, script=script))
        self.model.registered[key] = self.now
        return key

    def change_card(self, customer: Customer, script: tuple[str, ...], *, keep_old: bool) -> None:
        """Put in a new main card; the old one becomes the backup card, or is no longer used."""
        member_id = customer.subscription_id.replace("S-", "m")
        new = card(self.rig, member_id, self._issue(member_id, script), registered_at=self.now)
        self._change(
            customer, f"backup_card_id = {'card_id' if keep_old else 'NULL'}, card_id = :new", new=new
        )

    def change_state(self, customer: Customer, to: str) -> None:
        """Cancel, pause or resume, as far as the page of the shop offers it."""
        allowed = {"U": ("P", "C"), "P": ("U", "C"), "C": ()}
        before = self.rig.shop(
            "SELECT subscription_state AS state FROM subscription WHERE subscription_id = :id",
            id=customer.subscription_id,
        )[0]["state"]
        if to in allowed[before]:
            self._change(customer, "subscription_state = :to", to=to)
            customer.state = to  # type: ignore[assignment]  # one of the three

    def _change(self, customer: Customer, columns: str, **values: object) -> None:
        self.rig.shop(
            f"UPDATE subscription SET {columns} WHERE subscription_id = :id",
            id=customer.subscription_id,
            **values,
        )

    def change_items(self, customer: Customer, columns: str, **values: object) -> None:
        """Change the items that are in use, as the page of the shop does."""
        self.rig.shop(
            f"UPDATE subscription_item SET {columns} WHERE subscription_id = :id"
            " AND subscription_state IN ('U', 'B')",
            id=customer.subscription_id,
            **values,
        )

    def move_date(self, customer: Customer, days: int) -> None:
        """Have the next delivery on another day, always ahead."""
        on = self.now.date() + timedelta(days=days)
        self.change_items(
            customer,
            "expected_delivery_date = :on, expected_pay_date = :pay_on",
            on=on,
            pay_on=on - timedelta(days=1),
        )

    def change_product(self, product_no: int, price: int, stock: int | None) -> None:
        """Give a product a price and a stock."""
        self.rig.shop(
            "UPDATE product SET price = :price, stock_quantity = :stock WHERE product_no = :product_no",
            price=price,
            stock=stock,
            product_no=product_no,
        )

    # The clock and cron.

    def run(self, job: str, *arguments: str) -> Run:
        """Run a job to its end; it says by its exit code that all is well, or what is to be done."""
        with self._counted(job):
            ended = self.rig.run(job, "--as-of", self._as_of(), *arguments, check=None)
        assert ended.exit_code in ENDS, f"{job} ended with {ended.exit_code}\n{ended.stderr}"
        if ended.exit_code != max(ENDS):
            left = self._under_way(job)
            assert left == [], f"{job} said {ended.exit_code} and left {left}"
        return ended

    def run_armed(self, *jobs: tuple[str, Plan, tuple[str, ...]]) -> None:
        """Run jobs as processes of their own, all at once, with blows; then everybody's leases pass."""
        with self._counted(*(job for job, _, _ in jobs)):
            started = [
                armed.start(self.rig, job, "--as-of", self._as_of(), *arguments, plan=plan)
                for job, plan, arguments in jobs
            ]
            for each in started:
                self._wait(each)
        self.leases_pass()

    def _wait(self, process: Armed) -> None:
        ended = process.wait()
        self.figures.update(f"fired {kind}" for _, kind in process.fired)
        allowed = ENDS | {KILLED} if process.fired else ENDS
        assert ended.exit_code in allowed, f"ended with {ended.exit_code}\n{ended.stderr}"
        assert ended.summary or process.fired, ended.stderr

    @contextmanager
    def _counted(self, *jobs: str) -> Iterator[None]:
        """Let the simulators have the time of the jobs, and what they still have in hand take effect."""
        self.rig.sandbox.clock.set(self.now.replace(tzinfo=SEOUL))
        yield
        time.sleep(LATE_SECONDS if self._is_late else A_MOMENT)
        self.figures.update(jobs)
        self.now += A_MINUTE

    def leases_pass(self) -> None:
        """Let the real time pass that a lost run's claims are left alone for."""
        self.rig.ours("UPDATE payment_attempt SET lease_until = UTC_TIMESTAMP(6) WHERE closed_at IS NULL")
        self.rig.ours("UPDATE message SET lease_until = '2000-01-01' WHERE state = 'sending'")

    def _as_of(self) -> str:
        return self.now.isoformat(timespec="minutes")

    def _under_way(self, job: str) -> list[dict[str, Any]]:
        """Return what a run would have ended that came to its end: messages, and attempts if it charges."""
        messages = self.rig.ours("SELECT message_id, kind, lease_until FROM message WHERE state = 'sending'")
        attempts = self.rig.ours("SELECT order_no, lease_until FROM payment_attempt WHERE state = 'sending'")
        return messages + (attempts if job == "charge_d1" else [])

    def left_open(self) -> list[dict[str, Any]]:
        """Return what has not come to its end: attempts, rounds, messages and resets."""
        return self.rig.ours(LEFT_OPEN)

    # The operators.

    def top_up(self, bulk_mail: int, sms: int) -> None:
        """Set both balances, whatever they were."""
        shopkeeper.credits(self.rig, bulk_mail, sms)

    def pg_in_use_again(self) -> None:
        """Contract with the PG anew and have its service in use, where that is not so."""
        if not self.rig.shop("SELECT 1 FROM pg_contract WHERE state = 'in_use'"):
            contract(self.rig, PG, applied_at=self.now, in_use_at=self.now)
        self.rig.shop("DELETE FROM subscription_service")
        service(self.rig, PG, in_use_at=self.now)

    def back_up(self) -> None:
        """Take a dump of our schema."""
        self._dump = Backup(self.rig.home, self.rig.folder).take(["ours"])

    def restore(self) -> None:
        """Put our schema back as it was at the last dump, if there is one; the shop's stays as it is."""
        if self._dump:
            self._dump.restore("ours")
            self.model.is_restored = True
            self.leases_pass()
            self.rig.remember_credits()
            self.figures["restored"] += 1
