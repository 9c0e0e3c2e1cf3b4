"""Rule 7: in quiet hours nobody is told anything and nothing is charged for the first time."""

from __future__ import annotations

import pytest

from lib.sandbox import Card, Fault
from tests.jobs import charging, crowd
from tests.jobs.notices import D, body, mails_to, message_states, notify, the_round
from tests.jobs.outbox import CUSTOMER_MAIL, CUSTOMER_SMS, KIM, counted, only
from tests.rig import Rig
from tests.shopkeeper import Item, member, open_shop, setting, subscription

pytestmark = pytest.mark.rule(7)

HOURS = [
    *[("21:00-08:00", time, True) for time in ("21:00", "23:59", "00:00", "07:59")],
    *[("21:00-08:00", time, False) for time in ("08:00", "12:00", "20:59")],
    *[("12:00-13:30", time, True) for time in ("12:00", "13:29")],
    *[("12:00-13:30", time, False) for time in ("11:59", "13:30", "23:00", "03:00")],
    *[("", time, False) for time in ("03:00", "22:00")],
    ("09:00-09:00", "09:00", False),
    ("00:00-00:00", "00:00", False),
]


@pytest.mark.parametrize(("quiet", "time", "is_quiet"), HOURS)
def test_rounds_are_sealed_at_any_hour_and_told_outside_quiet_hours(
    sqlite_rig: Rig, quiet: str, time: str, is_quiet: bool
) -> None:
    sqlite_rig.config(policy={"quiet_hours": quiet})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    counts = notify(sqlite_rig, f"2026-12-01T{time}").counts
    assert (counts["sealed"], counts["messages_accepted"]) == (1, 0 if is_quiet else 3)
    assert the_round(sqlite_rig)["state"] == ("sealed" if is_quiet else "due")


@pytest.mark.parametrize(("quiet", "time", "is_quiet"), HOURS)
def test_an_announced_round_is_charged_for_the_first_time_outside_quiet_hours(
    sqlite_rig: Rig, quiet: str, time: str, is_quiet: bool
) -> None:
    charging.announced(sqlite_rig)
    sqlite_rig.config(policy={"quiet_hours": quiet})
    charging.charge(sqlite_rig, f"2026-12-02T{time}")
    assert charging.state(sqlite_rig) == ("due" if is_quiet else "paid")


def test_what_waited_for_the_morning_is_charged_in_the_morning(rig: Rig) -> None:
    charging.announced(rig)
    charging.charge(rig, "2026-12-02T07:59")
    charging.charge(rig, "2026-12-02T08:00")
    assert (charging.state(rig), charging.charges(rig)) == ("paid", 1)


def test_a_round_that_costs_nothing_is_not_paid_at_night_either(rig: Rig) -> None:
    open_shop(rig)
    setting(rig, steps={1: 100})
    member(rig)
    subscription(rig, delivery_on=D, items=(Item(),))
    notify(rig)
    assert the_round(rig)["amount_krw"] == 0
    charging.charge(rig, "2026-12-02T07:59")
    assert charging.state(rig) == "due"
    charging.charge(rig, "2026-12-02T08:00")
    assert charging.state(rig) == "paid"


def test_a_second_try_at_night_is_made_where_the_shop_wants_it(rig: Rig) -> None:
    rig.config(policy={"retry_times": ["10:00", "22:00"]})
    charging.announced(rig, charging.SOFT, "approve")
    charging.charge(rig)
    charging.charge(rig, "2026-12-02T22:00")
    assert (charging.state(rig), charging.attempts(rig)) == ("paid", ["declined", "approved"])


def test_what_waited_for_the_morning_names_the_day_that_is_left(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig, "2026-12-01T21:30")
    notify(any_rig, "2026-12-02T08:00")
    found = the_round(any_rig)
    assert (found["announced_on"].day, found["charge_on"].day) == (2, 3)
    assert "2026년 12월 3일(목)" in body(mails_to(any_rig, KIM)[0])


def test_what_a_night_puts_off_is_not_told_twice_in_the_morning(rig: Rig) -> None:
    open_shop(rig)
    subscription(rig, delivery_on=D)
    for at in ("2026-12-01T05:00", "2026-12-01T06:00", "2026-12-01T08:00", "2026-12-01T08:30"):
        notify(rig, at)
    assert (message_states(rig), len(mails_to(rig, KIM))) == (["accepted"] * 3, 1)


SLOW = Fault("delay", "dot", seconds=1.2, times=1)
"""Long enough for the quiet hours to begin meanwhile."""
NEARLY_QUIET = {"quiet_hours": "09:00:01-10:00"}


def crowded(rig: Rig) -> None:
    """Put in so many customers that two calls of the mail server are needed."""
    rig.config(policy=NEARLY_QUIET, mail={"connections": 1})
    open_shop(rig)
    only(rig, CUSTOMER_MAIL, CUSTOMER_SMS)
    for number in range(60):
        subscription(rig, f"S-{number:02}", delivery_on=D)


def test_a_run_that_is_overtaken_by_the_quiet_hours_begins_no_further_message(rig: Rig) -> None:
    crowded(rig)
    rig.sandbox.smtp.faults.add(SLOW)
    notify(rig)
    assert (counted(rig, state="accepted"), len(rig.sandbox.smtp.book)) == (50, 50)
    assert rig.sandbox.solapi.released() == []
    notify(rig, "2026-12-01T10:00")
    assert counted(rig, state="accepted") == 120


def test_a_run_that_is_overtaken_sends_no_unknown_mail_again(rig: Rig) -> None:
    crowded(rig)
    rig.config(policy={"quiet_hours": ""}, mail={"connections": 1})
    notify(rig)
    rig.ours(
        "UPDATE message SET state = 'unknown', next_try_at = queued_at - INTERVAL 1 MINUTE "
        "WHERE channel = 'mail'"
    )
    rig.config(policy=NEARLY_QUIET, mail={"connections": 1})
    rig.sandbox.smtp.faults.add(SLOW)
    notify(rig)
    assert (counted(rig, state="unknown"), len(rig.sandbox.smtp.book)) == (10, 110)


def test_a_run_that_is_overtaken_begins_no_further_first_charge(rig: Rig) -> None:
    crowd.crowd(rig, 5)
    rig.config(policy={"quiet_hours": "10:00:01-11:00"})
    rig.sandbox.toss.faults.add(Fault("delay", "charge", seconds=1.2, times=1))
    for number in range(1, 6):
        rig.sandbox.toss.register(Card(f"bk-{number}"))
    charging.charge(rig, charging.CHARGE_AT, "--workers", "1")
    assert crowd.states(rig) == {"paid": 1, "due": 4}
    charging.charge(rig, "2026-12-02T11:00")
    assert crowd.states(rig) == {"paid": 5}
