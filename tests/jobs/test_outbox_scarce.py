"""Rule 7: while credits run out: customers before operators, to the last one, never below zero."""

from __future__ import annotations

import pytest

from tests.jobs.notices import D, ledger, notify, open_matters, texts_sent
from tests.jobs.outbox import (
    CUSTOMER_MAIL,
    CUSTOMER_SMS,
    OPERATOR_MAIL,
    counted,
    name_for_bytes,
    only,
    rename_shop,
    waiting,
)
from tests.rig import Rig
from tests.shopkeeper import Item, credits_left, open_shop, subscription
from tests.shopkeeper import credits as set_credits

pytestmark = pytest.mark.rule(7)

TOP_UP_AT = "2026-12-01T10:00"


def shop_with(rig: Rig, number: int, *ways: str) -> None:
    open_shop(rig)
    only(rig, *ways)
    for index in range(1, number + 1):
        subscription(rig, f"S-{index:02}", delivery_on=D)


@pytest.mark.parametrize(
    ("left", "still_waiting"),
    [
        (0, ["customer S-01", "operator S-01", "customer S-02", "operator S-02"]),
        (1, ["operator S-01", "customer S-02", "operator S-02"]),
        (2, ["operator S-01", "operator S-02"]),
        (3, ["operator S-02"]),
        (4, []),
    ],
)
def test_the_last_credits_go_to_customers_then_to_operators(
    any_rig: Rig, left: int, still_waiting: list[str]
) -> None:
    shop_with(any_rig, 2, CUSTOMER_MAIL, OPERATOR_MAIL)
    set_credits(any_rig, bulk_mail=left)
    counts = notify(any_rig, check=1 if still_waiting else 0).counts
    assert waiting(any_rig) == still_waiting
    assert (credits_left(any_rig)["bulk_mail"], len(ledger(any_rig))) == (0, left)
    assert (counts["messages_no_credit"], counts["credits_needed"]["bulk_mail"]) == (4 - left, 4 - left)
    assert counts["credits_left"]["bulk_mail"] == 0


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_an_lms_takes_three_credits_or_none(rig: Rig, left: int) -> None:
    shop_with(rig, 1, CUSTOMER_SMS)
    rename_shop(rig, name_for_bytes(91))
    set_credits(rig, sms=left)
    counts = notify(rig, check=0 if left == 3 else 1).counts
    assert credits_left(rig)["sms"] == (0 if left == 3 else left)
    assert counts["credits_needed"]["sms"] == (0 if left == 3 else 3)


def long_before_short(rig: Rig) -> None:
    """Queue a text of 91 bytes before one of 90, and leave credit for the second only."""
    open_shop(rig)
    only(rig, CUSTOMER_SMS)
    rename_shop(rig, name_for_bytes(90))
    subscription(rig, "S-01", delivery_on=D, items=(Item(product_no=2, price=112_900),))
    subscription(rig, "S-02", delivery_on=D)
    set_credits(rig, sms=2)


def test_an_lms_that_two_credits_do_not_pay_keeps_no_sms_back(any_rig: Rig) -> None:
    long_before_short(any_rig)
    notify(any_rig, check=1)
    assert (waiting(any_rig), credits_left(any_rig)["sms"]) == (["customer S-01"], 1)


def test_an_lms_goes_as_soon_as_its_three_credits_are_there(any_rig: Rig) -> None:
    long_before_short(any_rig)
    notify(any_rig, check=1)
    set_credits(any_rig, sms=2)
    notify(any_rig, TOP_UP_AT)
    assert waiting(any_rig) == ["customer S-01"]
    set_credits(any_rig, sms=3)
    notify(any_rig, "2026-12-01T11:00")
    assert (waiting(any_rig), credits_left(any_rig)["sms"]) == ([], 0)


def test_credits_that_run_out_in_the_middle_of_a_run_reach_every_customer_first(rig: Rig) -> None:
    shop_with(rig, 60, CUSTOMER_MAIL, OPERATOR_MAIL)
    set_credits(rig, bulk_mail=65)
    notify(rig, check=1)
    assert counted(rig, recipient="customer", state="accepted") == 60
    assert counted(rig, recipient="operator", state="accepted") == 5
    assert (counted(rig, state="no_credit"), credits_left(rig)["bulk_mail"]) == (55, 0)


def test_who_has_waited_for_credit_comes_before_who_is_new(rig: Rig) -> None:
    shop_with(rig, 2, CUSTOMER_MAIL)
    set_credits(rig, bulk_mail=0)
    notify(rig, check=1)
    subscription(rig, "S-00", delivery_on=D)
    set_credits(rig, bulk_mail=2)
    notify(rig, TOP_UP_AT)
    assert waiting(rig) == ["customer S-00"]


def test_a_new_customer_comes_before_an_operator_who_has_waited(rig: Rig) -> None:
    shop_with(rig, 1, CUSTOMER_MAIL, OPERATOR_MAIL)
    set_credits(rig, bulk_mail=1)
    notify(rig, check=1)
    subscription(rig, "S-02", delivery_on=D)
    set_credits(rig, bulk_mail=1)
    notify(rig, TOP_UP_AT)
    assert waiting(rig) == ["operator S-01", "operator S-02"]


def test_a_shop_that_never_bought_credits_has_none(any_rig: Rig) -> None:
    shop_with(any_rig, 1, CUSTOMER_MAIL, CUSTOMER_SMS)
    any_rig.shop("DELETE FROM message_credit")
    notify(any_rig, check=1)
    assert waiting(any_rig) == ["customer S-01"] * 2
    assert open_matters(any_rig) == [("no_credit", "bulk_mail"), ("no_credit", "sms")]
    set_credits(any_rig)
    notify(any_rig, TOP_UP_AT)
    assert (waiting(any_rig), open_matters(any_rig)) == ([], [])


def test_a_lack_of_credit_is_told_once_until_it_is_over(rig: Rig) -> None:
    shop_with(rig, 1, CUSTOMER_MAIL)
    set_credits(rig, bulk_mail=0)
    notify(rig, check=1)
    notify(rig, TOP_UP_AT)
    set_credits(rig, bulk_mail=1)
    notify(rig, "2026-12-01T11:00")
    subscription(rig, "S-02", delivery_on=D)
    ended = notify(rig, "2026-12-01T12:00", check=1)
    assert open_matters(rig) == [("no_credit", "bulk_mail")]
    assert "대량메일 건수" in ended.stderr


def test_two_runs_at_once_spend_every_credit_once(rig: Rig) -> None:
    shop_with(rig, 60, CUSTOMER_MAIL, CUSTOMER_SMS)
    set_credits(rig, bulk_mail=33, sms=21)
    for ended in [
        rig.finish(each) for each in [rig.start("notify_d2", "--as-of", "2026-12-01T09:00") for _ in "ab"]
    ]:
        assert ended.exit_code in {0, 1}
    assert credits_left(rig) == {"bulk_mail": 0, "sms": 0}
    assert (counted(rig, state="accepted"), counted(rig, state="no_credit")) == (54, 66)
    assert (len(rig.sandbox.smtp.book), len(texts_sent(rig))) == (33, 21)
