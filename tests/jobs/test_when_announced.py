"""Rule 1 as it runs: which notice fixes the days of the charge, and that the charge keeps to them."""

from __future__ import annotations

from datetime import date

import pytest

from lib.sandbox import Fault
from tests.billing.brute_force import DAY
from tests.jobs.notices import body, mails_to, texts_sent
from tests.jobs.when import charge, days_of_charge, deliveries, notify, ordered
from tests.rig import Rig
from tests.shopkeeper import Flag, Item, mail_switch, open_shop, sms_switch, subscription
from tests.shopkeeper import credits as set_credits

pytestmark = pytest.mark.rule(1)

D = date(2026, 12, 3)
D_2, D_1 = D - 2 * DAY, D - DAY
KIM = "haneul@example.com"
PUT_OFF = Fault("error", "rcpt", status=451, times=1)


def only_mail(rig: Rig) -> None:
    """Put in a subscription whose customer is told by mail alone."""
    open_shop(rig)
    sms_switch(rig, customer="F")
    mail_switch(rig, "payment_notice", operator="F")
    subscription(rig, "S-1", delivery_on=D)


@pytest.mark.parametrize(
    ("announced_on", "charged_on"),
    [(D_2, D_1), (D_1, D)],
    ids=["announced on D-2", "announced on D-1"],
)
def test_the_charge_is_on_the_day_it_was_announced_for(
    rig: Rig, announced_on: date, charged_on: date
) -> None:
    only_mail(rig)
    notify(rig, announced_on)
    assert days_of_charge(rig) == [(announced_on, charged_on, charged_on + 2 * DAY)]
    assert f"{charged_on.year}년 {charged_on.month}월 {charged_on.day}일" in body(mails_to(rig, KIM)[0])
    charge(rig, announced_on, "20:00")
    assert rig.sandbox.toss.approvals() == []
    charge(rig, charged_on, "08:00")
    assert (deliveries(rig), ordered(rig)) == ([(D, "paid")], [D])
    assert rig.ours("SELECT sent_on FROM payment_attempt") == [{"sent_on": charged_on}]


def test_a_notice_claimed_again_on_a_later_day_moves_the_charge_and_names_the_new_day(
    sqlite_rig: Rig,
) -> None:
    only_mail(sqlite_rig)
    sqlite_rig.sandbox.smtp.faults.add(PUT_OFF)
    notify(sqlite_rig, D_2)
    assert days_of_charge(sqlite_rig) == [(None, D_1, D + DAY)]
    notify(sqlite_rig, D_1)
    assert days_of_charge(sqlite_rig) == [(D_1, D, D + 2 * DAY)]
    (mail,) = mails_to(sqlite_rig, KIM)
    assert "12월 3일(목)" in body(mail)


def test_a_notice_claimed_again_on_the_same_day_moves_nothing(sqlite_rig: Rig) -> None:
    only_mail(sqlite_rig)
    sqlite_rig.sandbox.smtp.faults.add(PUT_OFF)
    notify(sqlite_rig, D_2)
    notify(sqlite_rig, D_2, "12:00")
    assert days_of_charge(sqlite_rig) == [(D_2, D_1, D + DAY)]


def test_a_round_whose_notice_was_only_claimed_is_not_charged_on_the_day_it_named(rig: Rig) -> None:
    only_mail(rig)
    rig.sandbox.smtp.faults.add(Fault("error", "rcpt", status=451))
    notify(rig, D_2)
    charge(rig, D_1)
    assert (deliveries(rig), rig.sandbox.toss.approvals()) == ([(D, "sealed")], [])


def test_a_round_announced_by_one_message_keeps_its_days_when_the_other_comes_later(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D + 7 * DAY)
    sqlite_rig.config(policy={"notice_days_before": 9})
    sqlite_rig.sandbox.smtp.faults.add(PUT_OFF)
    notify(sqlite_rig, D_2)
    fixed = days_of_charge(sqlite_rig)
    assert fixed == [(D_2, D + 6 * DAY, D + 8 * DAY)]
    notify(sqlite_rig, D + 2 * DAY)
    assert days_of_charge(sqlite_rig) == fixed
    (mail,) = mails_to(sqlite_rig, KIM)
    assert "12월 9일(수)" in body(mail)
    assert "12/9 결제됩니다" in texts_sent(sqlite_rig)[0]


def test_on_the_day_of_the_charge_the_other_message_no_longer_leaves(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D)
    sqlite_rig.sandbox.smtp.faults.add(Fault("error", "rcpt", status=451, subject=KIM))
    notify(sqlite_rig, D_2)
    sqlite_rig.sandbox.smtp.faults.clear()
    notify(sqlite_rig, D_1)
    assert (days_of_charge(sqlite_rig), mails_to(sqlite_rig, KIM)) == ([(D_2, D_1, D + DAY)], [])


def test_a_text_found_to_have_left_only_on_the_day_of_the_charge_is_charged_the_day_after(rig: Rig) -> None:
    open_shop(rig)
    mail_switch(rig, "payment_notice", customer="F", operator="F")
    subscription(rig, "S-1", delivery_on=D)
    faults = rig.sandbox.solapi.faults
    lost = (Fault("drop", endpoint) for endpoint in ("group", "delete"))
    faults.add(Fault("drop", "send", processed=True), *lost)
    notify(rig, D_2)
    faults.clear()
    charge(rig, D_1)
    charge(rig, D_1, "17:00")
    assert (deliveries(rig), days_of_charge(rig)) == ([(D, "due")], [(D_1, D_1, D + DAY)])
    charge(rig, D)
    assert (deliveries(rig), len(texts_sent(rig))) == ([(D, "paid")], 1)


def test_a_message_to_the_operator_fixes_no_day(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    mail_switch(sqlite_rig, "payment_notice", customer="F")
    set_credits(sqlite_rig, sms=0)
    subscription(sqlite_rig, "S-1", delivery_on=D)
    notify(sqlite_rig, D_2, check=1)
    assert len(mails_to(sqlite_rig, "operator@example.com")) == 1
    assert (deliveries(sqlite_rig), days_of_charge(sqlite_rig)) == ([(D, "sealed")], [(None, None, None)])


def test_the_last_day_for_a_notice_is_d_1_up_to_the_last_minute_that_is_not_quiet(sqlite_rig: Rig) -> None:
    only_mail(sqlite_rig)
    notify(sqlite_rig, D_1, "20:59")
    assert days_of_charge(sqlite_rig) == [(D_1, D, D + 2 * DAY)]


def test_a_notice_that_missed_d_1_is_never_sent_and_the_round_is_missed(sqlite_rig: Rig) -> None:
    only_mail(sqlite_rig)
    notify(sqlite_rig, D_1, "21:00")
    assert deliveries(sqlite_rig) == [(D, "sealed")]
    notify(sqlite_rig, D, "08:00", check=1)
    assert deliveries(sqlite_rig) == [(D, "missed"), (D + 2 * DAY, "due")]
    (mail,) = mails_to(sqlite_rig, KIM)
    assert "12월 5일(토)" in body(mail)


NOT_REQUIRED = [
    pytest.param({"require_notice": "none"}, "T", id="the shop requires none"),
    pytest.param({}, "F", id="both switches are off"),
]


@pytest.mark.parametrize(("policy", "switch"), NOT_REQUIRED)
@pytest.mark.parametrize(("sealed_on", "charge_on"), [(D_2, D_1), (D_1, D)], ids=["on D-2", "on D-1"])
def test_where_no_message_is_required_the_seal_fixes_the_days(
    rig: Rig, policy: dict[str, object], switch: Flag, sealed_on: date, charge_on: date
) -> None:
    rig.config(policy=policy)
    open_shop(rig)
    mail_switch(rig, "payment_notice", switch, switch)
    sms_switch(rig, customer=switch)
    subscription(rig, "S-1", delivery_on=D)
    notify(rig, sealed_on, "22:00")
    assert days_of_charge(rig) == [(sealed_on, charge_on, charge_on + 2 * DAY)]
    charge(rig, sealed_on, "23:00")
    assert deliveries(rig) == [(D, "due")]
    charge(rig, charge_on)
    assert deliveries(rig) == [(D, "paid")]


def test_a_message_that_is_not_required_moves_no_day_however_late_it_leaves(rig: Rig) -> None:
    rig.config(policy={"require_notice": "none"})
    only_mail(rig)
    rig.sandbox.smtp.faults.add(Fault("error", "rcpt", status=451))
    notify(rig, D_2)
    notify(rig, D_1)
    charge(rig, D_1)
    assert (deliveries(rig), days_of_charge(rig)) == ([(D, "paid")], [(D_2, D_1, D + DAY)])


@pytest.mark.parametrize(
    ("policy", "noticed_on", "charge_on", "charge_until"),
    [
        pytest.param({"notice_days_before": 1, "charge_days_before": 0}, D_1, D, D + 2 * DAY, id="1 and 0"),
        pytest.param({"charge_days_before": 0}, D_2, D, D + 2 * DAY, id="2 and 0"),
        pytest.param({"charge_days_before": 0}, D_1, D, D + 2 * DAY, id="2 and 0, a day late"),
        pytest.param(
            {"notice_days_before": 7, "charge_days_before": 3, "retry_days": 1},
            D - 7 * DAY,
            D - 3 * DAY,
            D - 3 * DAY,
            id="7 and 3, one day",
        ),
        pytest.param(
            {"notice_days_before": 7, "charge_days_before": 3, "retry_days": 2},
            D - 3 * DAY,
            D - 2 * DAY,
            D - DAY,
            id="7 and 3, four days late",
        ),
        pytest.param(
            {"notice_days_before": 7, "charge_days_before": 3}, D_1, D, D + 2 * DAY, id="7 and 3, on D-1"
        ),
        pytest.param(
            {"notice_days_before": 30, "charge_days_before": 29, "retry_days": 14},
            D - 30 * DAY,
            D - 29 * DAY,
            D - 16 * DAY,
            id="30 and 29, fourteen days",
        ),
    ],
)
def test_the_shop_chooses_how_long_before_the_delivery_it_tells_and_charges(
    rig: Rig, policy: dict[str, object], noticed_on: date, charge_on: date, charge_until: date
) -> None:
    rig.config(policy=policy)
    only_mail(rig)
    notify(rig, noticed_on)
    assert days_of_charge(rig) == [(noticed_on, charge_on, charge_until)]
    charge(rig, charge_on - DAY, "20:00")
    assert deliveries(rig) == [(D, "due")]
    charge(rig, charge_on)
    assert deliveries(rig) == [(D, "paid")]


@pytest.mark.parametrize("notice_days", [1, 3, 30])
def test_nothing_is_announced_before_the_shops_own_day_of_the_notice(
    sqlite_rig: Rig, notice_days: int
) -> None:
    sqlite_rig.config(policy={"notice_days_before": notice_days, "charge_days_before": 0})
    only_mail(sqlite_rig)
    notify(sqlite_rig, D - (notice_days + 1) * DAY, "20:59")
    assert deliveries(sqlite_rig) == []
    notify(sqlite_rig, D - notice_days * DAY, "08:00")
    assert deliveries(sqlite_rig) == [(D, "due")]


@pytest.mark.parametrize(
    ("day", "hour", "state"),
    [(D + DAY, "23:59", "paid"), (D + 2 * DAY, "00:00", "missed")],
    ids=["the last minute", "the minute after"],
)
def test_a_round_is_charged_up_to_the_end_of_its_last_day_and_no_later(
    rig: Rig, day: date, hour: str, state: str
) -> None:
    rig.config(policy={"quiet_hours": ""})
    only_mail(rig)
    notify(rig, D_2)
    charge(rig, day, hour, check=1 if state == "missed" else 0)
    assert deliveries(rig) == [(D, state)]


def test_what_was_announced_is_announced_once_however_often_the_job_runs(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D, items=(Item(cycle="1W"),))
    for hour in ("08:00", "09:00", "17:00", "20:59"):
        notify(sqlite_rig, D_2, hour)
    notify(sqlite_rig, D_1)
    assert (len(mails_to(sqlite_rig, KIM)), len(texts_sent(sqlite_rig)), len(deliveries(sqlite_rig))) == (
        1,
        1,
        1,
    )
