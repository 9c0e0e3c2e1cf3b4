"""Anything that customers, operators, cron, the clock, the neighbours and a kill can do, in any order."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lib.failpoints import Step
from tests.chaos.armed import Blow, Kind, Plan, Watch
from tests.jobs.charging import HARD, SOFT
from tests.rig import Rig
from tests.shopkeeper import terminate_contract
from tests.stateful.acts import PG, PLENTY, PRICES, Moment, Scene
from tests.stateful.desk import settle_everything, settle_messages
from tests.stateful.faults import GATEWAY, MAIL, SMS
from tests.stateful.model import Customer

BY_HAND = ("--pg", PG, "--confirm", "달빛커피")
JOBS = ("notify_d2", "charge_d1", "reset_pg")
HOURS = {"notify_d2": time(9), "charge_d1": time(10, 5)}
STRUCK = ("", "charge_d1", "charge_d1", "charge_d1", "notify_d2", "notify_d2", "reset_pg")
OPERATORS = (
    *("settles", "settles", "contracts anew", "contracts anew", "takes a backup", "takes a backup"),
    *("restores it", "resets by hand", "changed", "reset", "renewed"),
)
SCRIPTS = (
    ("approve",),
    ("approve",),
    ("approve",),
    (SOFT, "approve"),
    (SOFT,),
    (HARD,),
    ("INVALID_ORDER_NAME", "approve"),
)
AFTER_A_RESTORE = {"approval_lost", "ordered_is_written", "written_is_ordered", "debited_once"}
"""What a restored schema cannot know before the next runs have found it out."""
DAYS_TO_DRAIN = 4
"""At most; a doubt is a person's after one, and retries last two more."""

who = st.integers(0, 5)
days = st.integers(1, 5)
scripts = st.sampled_from(SCRIPTS)
kinds: st.SearchStrategy[Kind] = st.sampled_from(("kill", "kill", "cut"))
plans = st.one_of(
    st.builds(Moment, st.integers(2, 9), kinds),
    st.builds(Moment, st.integers(2, 24), kinds),
    st.builds(Blow, st.sampled_from(Step), kinds, st.sampled_from((1, 1, 2))),
)
"""What strikes a run: the fail point where it stands after so many, or a certain one."""


class Shop(RuleBasedStateMachine):
    """One shop, from its first morning to the day on which everything has come to an end."""

    def __init__(self, rig: Rig, figures: Counter[str]) -> None:
        super().__init__()
        self.scene = Scene(rig, figures)
        figures["examples"] += 1

    def _customer(self, number: int) -> Customer:
        customers = self.scene.model.customers
        return customers[number % len(customers)]

    @initialize(first=scripts, second=scripts)
    def open(self, first: tuple[str, ...], second: tuple[str, ...]) -> None:
        """Three subscriptions are there from the start."""
        self.scene.subscribe(2, "1W", ("approve",), two=False, reachable=True)
        self.scene.subscribe(3, "1M", first, two=True, reachable=True)
        self.scene.subscribe(4, "1W", second, two=True, reachable=True)

    @rule(
        on=days,
        cycle=st.sampled_from(("1W", "1M")),
        script=scripts,
        two=st.booleans(),
        reachable=st.sampled_from((True, True, False)),
    )
    def subscribe(self, on: int, cycle: str, script: tuple[str, ...], *, two: bool, reachable: bool) -> None:
        self.scene.subscribe(on, cycle, script, two=two, reachable=reachable)

    @rule(
        number=who,
        what=st.sampled_from(("cancel", "pause", "pause the items", "resume", "move", "card", "backup")),
        script=scripts,
        on=st.integers(1, 9),
    )
    def customer_changes(self, number: int, what: str, script: tuple[str, ...], on: int) -> None:
        scene, customer = self.scene, self._customer(number)
        match what:
            case "cancel":
                scene.change_state(customer, "C")
            case "pause":
                scene.change_state(customer, "P")
            case "pause the items":
                scene.change_items(customer, "subscription_state = 'B'")
            case "resume":
                scene.change_state(customer, "U")
                scene.change_items(customer, "subscription_state = 'U'")
            case "move":
                scene.move_date(customer, on)
            case _:
                scene.change_card(customer, script, keep_old=what == "backup")

    @rule(
        product_no=st.sampled_from(sorted(PRICES)),
        percent=st.sampled_from((50, 100, 150)),
        stock=st.sampled_from((None, None, 0, 3)),
        credits_left=st.sampled_from(((PLENTY, PLENTY), (PLENTY, PLENTY), (2, PLENTY), (PLENTY, 0), (0, 0))),
    )
    def shop_changes(
        self, product_no: int, percent: int, stock: int | None, credits_left: tuple[int, int]
    ) -> None:
        self.scene.change_product(product_no, PRICES[product_no] * percent // 100, stock)
        self.scene.top_up(*credits_left)

    @rule(
        minutes=st.sampled_from((10, 45, 120, 420, 1440)), job=st.sampled_from(JOBS), plan=st.none() | plans
    )
    def run_later(self, minutes: int, job: str, plan: Plan | None) -> None:
        self.scene.now += timedelta(minutes=minutes)
        if plan:
            self.scene.run_armed((job, plan, ()))
        else:
            self.scene.run(job)

    @rule(
        struck=st.sampled_from(STRUCK),
        plan=plans,
        others=st.sampled_from(((), (), ("notify_d2",), ("charge_d1",), ("reset_pg",))),
        ordered=st.sampled_from(((), (), BY_HAND)),
        gateway=st.sampled_from(("", "", "well", "replies lost", "requests lost", *sorted(GATEWAY))),
    )
    def a_day_of_cron(
        self, struck: str, plan: Plan, others: tuple[str, ...], ordered: tuple[str, ...], gateway: str
    ) -> None:
        """The next morning comes with its runs; one of them is struck, perhaps another job beside it."""
        if gateway:
            self.scene.behave("gateway", gateway)
        arguments = {"reset_pg": ordered}
        runs = [(struck, plan), *((other, Watch()) for other in others)]
        for job in self._mornings(JOBS if struck == "reset_pg" else JOBS[:2]):
            if job == struck:
                self.scene.run_armed(*((name, each, arguments.get(name, ())) for name, each in runs))
            else:
                self.scene.run(job)

    def _mornings(self, jobs: tuple[str, ...]) -> Iterator[str]:
        """Let the hours of cron come: the notices at nine, the charges from five past ten on."""
        for job in jobs:
            if job in HOURS:
                today = datetime.combine(self.scene.now, HOURS[job])
                self.scene.now = today if today > self.scene.now else today + timedelta(days=1)
            yield job

    @rule(
        gateway=st.sampled_from(sorted(GATEWAY)),
        lag=st.sampled_from((0, 0, 5, 90)),
        mail=st.sampled_from(sorted(MAIL)),
        sms=st.sampled_from(sorted(SMS)),
        who=st.sampled_from(("all", "gateway", "gateway", "mail", "sms", "none")),
    )
    def neighbours_change(self, gateway: str, lag: int, mail: str, sms: str, who: str) -> None:
        """From now on one of the neighbours, or all, behave in another way, the others well."""
        self.scene.behave("gateway", gateway if who in {"all", "gateway"} else "well", lag)
        self.scene.behave("mail", mail if who in {"all", "mail"} else "well")
        self.scene.behave("sms", sms if who in {"all", "sms"} else "well")

    @rule(what=st.sampled_from(OPERATORS), ways=st.permutations(("--due", "--failed", "--void")))
    def operator_acts(self, what: str, ways: list[str]) -> None:
        scene = self.scene
        match what:
            case "settles":
                settle_everything(scene, *ways)
            case "resets by hand":
                scene.run("reset_pg", *BY_HAND)
            case "contracts anew":
                scene.pg_in_use_again()
            case "takes a backup":
                scene.back_up()
            case "restores it":
                scene.restore()
            case termination:
                terminate_contract(scene.rig, scene.now, termination)
                if termination != "renewed":
                    scene.model.end_contract(scene.now)
                scene.now += timedelta(minutes=1)

    @invariant()
    def everything_holds(self) -> None:
        scene = self.scene
        scene.figures["steps"] += 1
        excused = AFTER_A_RESTORE if scene.model.is_restored else set()
        broken = [line for line in scene.rig.invariants() if line.partition(":")[0] not in excused]
        assert broken + scene.model.violations(scene.rig.sandbox) == []
        for row in scene.rig.ours("SELECT event_local FROM pg_reset"):
            scene.model.end_contract(row["event_local"])
        scene.model.begin_step()

    def teardown(self) -> None:
        """Hold the shop to its end; a story that broke off before has been told already."""
        if sys.exc_info()[0] is None:
            self._drain()

    def _drain(self) -> None:
        scene = self.scene
        for neighbour in ("gateway", "mail", "sms"):
            scene.behave(neighbour, "well")
        scene.top_up(PLENTY, PLENTY)
        scene.leases_pass()
        for day in range(DAYS_TO_DRAIN):
            for job in self._mornings(JOBS):
                scene.run(job)
            settle_everything(scene, "--failed", "--void")
            scene.now += timedelta(hours=7)
            scene.run("charge_d1")
            self.everything_holds()
            if day and not scene.left_open():
                break
        self._leave_nothing()

    def _leave_nothing(self) -> None:
        """Whatever no run may end by itself is ended by a person; then nothing is left."""
        scene = self.scene
        if any(row["what"] == "reset" for row in scene.left_open()):
            scene.run("reset_pg", *BY_HAND)
        settle_messages(scene)
        settle_everything(scene, "--failed", "--void")
        scene.run("charge_d1")
        self.everything_holds()
        assert scene.left_open() == []
        assert list(scene.rig.settings().paths.spool.glob("approvals-*")) == []
        scene.figures["approvals"] += len(scene.rig.sandbox.toss.approvals())
