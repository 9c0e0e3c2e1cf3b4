"""Rule 7: a notice that nobody needs any more expires, and what it was debited is given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest

from lib.sandbox import Card
from tests.jobs import charging
from tests.jobs.notices import (
    D_MINUS_1,
    D,
    ledger,
    mails_to,
    message_states,
    notify,
    open_matters,
    rounds,
    states,
    the_round,
)
from tests.jobs.outbox import (
    CUSTOMER_MAIL,
    CUSTOMER_SMS,
    KIM,
    LATER,
    LOST_MAIL,
    OPERATOR_MAIL,
    counted,
    only,
    text_is_refused_with,
)
from tests.rig import Rig
from tests.shopkeeper import card, credits_left, member, open_shop, subscription, terminate_contract
from tests.shopkeeper import credits as set_credits

pytestmark = pytest.mark.rule(7)

D_DAY = "2026-12-03T08:00"


def due(rig: Rig, *ways: str, buyer_email: str = KIM) -> None:
    open_shop(rig)
    only(rig, *ways)
    member(rig)
    rig.sandbox.toss.register(Card(charging.MAIN))
    subscription(rig, delivery_on=D, card_id=card(rig, billing_key=charging.MAIN), buyer_email=buyer_email)


def no_credit(rig: Rig) -> None:
    """Leave a mail waiting that was never debited."""
    due(rig, CUSTOMER_MAIL, OPERATOR_MAIL)
    set_credits(rig, bulk_mail=0)
    notify(rig, check=1)
    set_credits(rig)


def at_night(rig: Rig) -> None:
    """Leave a mail waiting that nobody tried to send."""
    due(rig, CUSTOMER_MAIL, OPERATOR_MAIL)
    notify(rig, "2026-12-01T22:00")


def put_off(rig: Rig) -> None:
    """Leave a mail waiting that was debited and put off by its server."""
    due(rig, CUSTOMER_MAIL, OPERATOR_MAIL, buyer_email=LATER)
    rig.shop("UPDATE shop SET operator_email = 'op+later@example.com'")
    notify(rig)
    assert credits_left(rig)["bulk_mail"] == 998


def cancelled(rig: Rig) -> None:
    rig.shop("UPDATE subscription SET subscription_state = 'C'")
    notify(rig, D_MINUS_1)


def paused(rig: Rig) -> None:
    rig.shop("UPDATE subscription_item SET subscription_state = 'B'")
    charging.charge(rig)


def reset(rig: Rig) -> None:
    terminate_contract(rig, datetime(2026, 12, 2, 9))
    rig.shop(
        "INSERT INTO automail_setting (type_code, use_customer, use_admin) VALUES "
        "('subscription_auto_cancel', 'F', 'F')"
    )
    rig.run("reset_pg", "--as-of", "2026-12-02T10:00")


def its_day_comes(rig: Rig) -> None:
    charging.charge(rig, D_DAY, check=1)


WAITS = [no_credit, at_night, put_off]
ENDS: list[tuple[Callable[[Rig], None], str]] = [
    (cancelled, "void"),
    (paused, "void"),
    (reset, "void"),
    (its_day_comes, "missed"),
]


@pytest.mark.parametrize("waits", WAITS)
@pytest.mark.parametrize(("ends", "state"), ENDS)
def test_with_its_round_a_waiting_notice_is_over_and_costs_nothing(
    rig: Rig, waits: Callable[[Rig], None], ends: Callable[[Rig], None], state: str
) -> None:
    waits(rig)
    ends(rig)
    assert the_round(rig)["state"] == state
    assert message_states(rig) == ["expired"] * 2
    assert credits_left(rig)["bulk_mail"] == 1_000
    assert len(ledger(rig)) == (4 if waits is put_off else 0)


def announced_by_text(rig: Rig) -> None:
    """Announce a round by its text message while the mails wait for credit."""
    due(rig, CUSTOMER_MAIL, CUSTOMER_SMS, OPERATOR_MAIL)
    set_credits(rig, bulk_mail=0)
    notify(rig, check=1)
    set_credits(rig)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        pytest.param("2026-12-01T20:59", "accepted", id="until_the_evening_before"),
        pytest.param("2026-12-01T21:00", "no_credit", id="still_waiting_at_night"),
        pytest.param("2026-12-02T00:00", "expired", id="over_when_the_day_begins"),
        pytest.param("2026-12-02T08:00", "expired", id="over_in_the_morning"),
    ],
)
def test_once_announced_a_notice_is_wanted_until_the_day_of_the_charge(rig: Rig, at: str, state: str) -> None:
    announced_by_text(rig)
    notify(rig, at)
    assert states(rig) == {CUSTOMER_SMS: "accepted", CUSTOMER_MAIL: state, OPERATOR_MAIL: state}


def test_a_notice_of_a_paid_round_is_over(rig: Rig) -> None:
    announced_by_text(rig)
    charging.charge(rig)
    assert the_round(rig)["state"] == "paid"
    assert (counted(rig, state="expired"), mails_to(rig, KIM)) == (2, [])


def test_a_notice_of_a_declined_round_is_over_too(rig: Rig) -> None:
    announced_by_text(rig)
    rig.sandbox.toss.register(Card(charging.MAIN, script=(charging.SOFT,)))
    charging.charge(rig)
    assert (the_round(rig)["state"], counted(rig, kind="payment_notice", state="expired")) == ("due", 2)


@pytest.mark.parametrize(
    ("at", "state", "charge_on"),
    [
        ("2026-12-02T20:59", "accepted", date(2026, 12, 3)),
        ("2026-12-03T00:00", "expired", None),
    ],
)
def test_not_announced_a_notice_is_wanted_until_the_day_of_the_delivery(
    rig: Rig, at: str, state: str, charge_on: date | None
) -> None:
    no_credit(rig)
    rig.run("charge_d1", "--as-of", at, check=None)
    assert message_states(rig) == [state] * 2
    assert the_round(rig)["charge_on"] == charge_on


@pytest.mark.parametrize("credit", [0, 1_000])
def test_a_run_that_closes_no_round_lets_its_notice_expire_on_the_day_of_the_delivery(
    rig: Rig, credit: int
) -> None:
    no_credit(rig)
    set_credits(rig, bulk_mail=credit)
    rig.run("reset_pg", "--as-of", D_DAY)
    assert (message_states(rig), the_round(rig)["state"]) == (["expired"] * 2, "sealed")
    charging.charge(rig, D_DAY, check=1)
    assert (the_round(rig)["state"], credits_left(rig)["bulk_mail"]) == ("missed", credit)


@pytest.mark.parametrize("credit", [0, 1])
def test_the_operators_notice_of_a_held_round_is_over(rig: Rig, credit: int) -> None:
    due(rig, CUSTOMER_SMS, OPERATOR_MAIL)
    set_credits(rig, bulk_mail=0)
    text_is_refused_with(rig, "1060")
    notify(rig, check=1)
    assert states(rig) == {CUSTOMER_SMS: "refused", OPERATOR_MAIL: "no_credit"}
    set_credits(rig, bulk_mail=credit)
    notify(rig, "2026-12-01T10:00")
    assert (the_round(rig)["state"], states(rig)[OPERATOR_MAIL]) == ("held", "expired")
    assert credits_left(rig)["bulk_mail"] == credit


def test_a_text_message_that_is_over_gets_its_debit_back(rig: Rig) -> None:
    due(rig, CUSTOMER_SMS)
    text_is_refused_with(rig, "1024")
    notify(rig)
    assert ledger(rig) == [("debit", "sms", 1)]
    cancelled(rig)
    assert (message_states(rig), credits_left(rig)["sms"]) == (["expired"], 1_000)
    assert ledger(rig) == [("debit", "sms", 1), ("refund", "sms", 1)]


def test_a_mail_that_may_have_left_is_not_over_but_never_sent_again(rig: Rig) -> None:
    due(rig, CUSTOMER_MAIL)
    rig.sandbox.smtp.faults.add(*LOST_MAIL)
    notify(rig)
    rig.sandbox.smtp.faults.clear()
    cancelled(rig)
    notify(rig, "2026-12-02T11:00")
    assert (message_states(rig), mails_to(rig, KIM)) == (["unknown"], [])
    assert ledger(rig) == [("debit", "bulk_mail", 1)]


def test_a_round_missed_for_want_of_credit_goes_on_at_the_next_possible_day(rig: Rig) -> None:
    due(rig, CUSTOMER_MAIL)
    set_credits(rig, bulk_mail=0)
    notify(rig, check=1)
    ended = notify(rig, D_DAY, check=1)
    assert (ended.counts["missed"], ended.counts["sealed"], ended.counts["late"]) == (1, 1, 1)
    assert [(each["state"], each["delivery_on"]) for each in rounds(rig)] == [
        ("missed", D),
        ("sealed", date(2026, 12, 5)),
    ]
    assert message_states(rig) == ["expired", "no_credit"]
    set_credits(rig, bulk_mail=1)
    notify(rig, "2026-12-03T09:00")
    charging.charge(rig, "2026-12-04T10:00")
    assert [each["state"] for each in rounds(rig)] == ["missed", "paid"]
    assert (len(mails_to(rig, KIM)), len(rig.sandbox.toss.approvals())) == (1, 1)


def test_what_is_missed_for_want_of_credit_is_told_to_a_person(rig: Rig) -> None:
    no_credit(rig)
    set_credits(rig, bulk_mail=0)
    charging.charge(rig, D_DAY, check=1)
    assert open_matters(rig) == [("missed", f"round {the_round(rig)['round_id']}")]
