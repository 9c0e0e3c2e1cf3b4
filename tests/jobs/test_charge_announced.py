"""charge_d1: what is charged is what was announced; receiver and card are read at the charge."""

from __future__ import annotations

import pytest

from tests.jobs.charging import CHARGE_AT, DELIVERY, MAIN, announced, charge, charges, state, the_round
from tests.rig import Rig
from tests.shopkeeper import card, credits, open_shop, setting, subscription  # noqa: A004 the field's word

pytestmark = pytest.mark.rule(1, 8, 9)


def _amounts(rig: Rig) -> list[int]:
    return [approval.amount for approval in rig.sandbox.toss.approvals()]


def test_a_round_that_nobody_was_told_of_is_not_charged(rig: Rig) -> None:
    open_shop(rig)
    credits(rig, bulk_mail=0, sms=0)
    subscription(rig, delivery_on=DELIVERY)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00", check=1)
    charge(rig)
    assert (state(rig), charges(rig)) == ("sealed", 0)


def test_a_round_is_not_charged_on_the_day_of_its_notice(rig: Rig) -> None:
    announced(rig)
    charge(rig, "2026-12-01T20:59")
    assert (state(rig), charges(rig)) == ("due", 0)


def test_no_first_charge_in_quiet_hours(rig: Rig) -> None:
    announced(rig)
    charge(rig, "2026-12-02T07:30")
    assert (state(rig), charges(rig)) == ("due", 0)
    charge(rig, "2026-12-02T08:00")
    assert state(rig) == "paid"


def test_a_shipping_fee_changed_after_the_notice_counts_from_the_next_round(rig: Rig) -> None:
    announced(rig)
    rig.shop("UPDATE shipping_policy SET base_fee = 3000")
    charge(rig)
    assert _amounts(rig) == [12_900]


def test_the_card_of_the_day_of_the_charge_pays(rig: Rig) -> None:
    announced(rig)
    rig.shop("UPDATE subscription SET card_id = :new", new=card(rig, billing_key="bk-new"))
    charge(rig)
    assert [approval.billing_key for approval in rig.sandbox.toss.approvals()] == ["bk-new"]


def test_nothing_to_pay_is_paid_without_the_gateway(rig: Rig) -> None:
    open_shop(rig)
    subscription(rig, "S-1", delivery_on=DELIVERY)
    setting(rig, steps={1: 100})
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    ended = charge(rig)
    assert (state(rig), charges(rig), ended.counts["paid"], ended.counts["written"]) == ("paid", 0, 1, 1)
    assert the_round(rig)["order_id"].endswith("00")
    assert rig.shop("SELECT payment_amount FROM orders") == [{"payment_amount": 0}]


def test_a_round_is_charged_once_and_only_once(rig: Rig) -> None:
    announced(rig)
    for hour in (10, 11, 17):
        charge(rig, f"2026-12-02T{hour}:00")
    assert (_amounts(rig), charges(rig)) == ([12_900], 1)


def test_only_the_named_subscription_is_charged(rig: Rig) -> None:
    announced(rig)
    main = card(rig, billing_key="bk-2")
    subscription(rig, "S-2", delivery_on=DELIVERY, card_id=main)
    rig.run("notify_d2", "--as-of", "2026-12-01T10:00")
    charge(rig, CHARGE_AT, "--subscription", "S-1")
    assert [approval.billing_key for approval in rig.sandbox.toss.approvals()] == [MAIN]


def test_a_limit_leaves_the_rest_to_the_next_run(rig: Rig) -> None:
    announced(rig)
    subscription(rig, "S-2", delivery_on=DELIVERY)
    rig.run("notify_d2", "--as-of", "2026-12-01T10:00")
    counts = [charge(rig, CHARGE_AT, "--limit", "1").counts for _ in range(2)]
    assert [(each["due"], each["paid"]) for each in counts] == [(1, 1), (1, 1)]
