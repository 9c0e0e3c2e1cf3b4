"""One operator mail for a whole run, and the hours in which nobody is disturbed."""

from __future__ import annotations

import pytest

from tests.jobs.notices import (
    D_MINUS_1,
    D,
    body,
    ledger,
    mails_to,
    message_states,
    notify,
    the_round,
)
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product, sms_switch, subscription
from tests.shopkeeper import credits as set_credits

OPERATOR = "operator@example.com"


def three(rig: Rig) -> None:
    rig.config(policy={"operator_mail": "digest"})
    open_shop(rig)
    sms_switch(rig, customer="F")
    product(rig, 2, product_name="보성 녹차", sold_out="T")
    for number in range(1, 4):
        items = (Item(), Item(product_no=2)) if number == 1 else (Item(),)
        subscription(rig, f"S-{number}", delivery_on=D, items=items)


def test_a_digest_tells_operators_of_the_whole_run_in_one_mail(any_rig: Rig) -> None:
    three(any_rig)
    notify(any_rig)
    (mail,) = mails_to(any_rig, OPERATOR)
    lines = body(mail).splitlines()
    assert "[결제 안내 3건]" in lines
    assert "- S-1 김하늘 · 12/3(목) 배송분 · 12,900원 · 빠진 상품 1개" in lines
    assert "- S-3 김하늘 · 12/3(목) 배송분 · 12,900원" in lines


def test_the_digest_pays_for_what_it_carries(any_rig: Rig) -> None:
    three(any_rig)
    notify(any_rig)
    assert sorted(message_states(any_rig)) == ["accepted"] * 4 + ["merged"] * 3
    assert ledger(any_rig) == [("debit", "bulk_mail", 1)] * 4


def test_a_run_without_events_sends_no_digest(any_rig: Rig) -> None:
    three(any_rig)
    notify(any_rig)
    notify(any_rig, D_MINUS_1)
    assert len(mails_to(any_rig, OPERATOR)) == 1


def test_a_digest_without_credit_waits_like_any_mail(any_rig: Rig) -> None:
    three(any_rig)
    set_credits(any_rig, bulk_mail=3)
    notify(any_rig, check=1)
    assert mails_to(any_rig, OPERATOR) == []
    set_credits(any_rig, bulk_mail=1)
    notify(any_rig, "2026-12-01T10:00")
    assert len(mails_to(any_rig, OPERATOR)) == 1


@pytest.mark.parametrize(
    ("as_of", "sent"),
    [
        ("2026-12-01T07:59", 0),
        ("2026-12-01T08:00", 3),
        ("2026-12-01T20:59", 3),
        ("2026-12-01T21:00", 0),
    ],
)
def test_in_quiet_hours_rounds_are_sealed_but_nobody_is_told(any_rig: Rig, as_of: str, sent: int) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    counts = notify(any_rig, as_of).counts
    assert (counts["sealed"], counts["messages_accepted"]) == (1, sent)
    assert the_round(any_rig)["state"] == ("due" if sent else "sealed")


def test_what_waited_for_the_morning_names_the_day_that_is_left(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig, "2026-12-01T21:30")
    notify(any_rig, "2026-12-02T08:00")
    found = the_round(any_rig)
    assert (found["announced_on"].day, found["charge_on"].day) == (2, 3)
    assert "2026년 12월 3일(목)" in body(mails_to(any_rig, "haneul@example.com")[0])
