"""The rig itself: one subscription goes all the way, and what must not hold is noticed."""

from __future__ import annotations

import signal
from datetime import date, datetime

from tests.rig import Rig
from tests.shopkeeper import Item, consent, credits_left, open_shop, setting, subscription

DELIVERY = date(2026, 12, 3)


def test_a_subscription_is_announced_charged_and_written(any_rig: Rig) -> None:
    open_shop(any_rig)
    given = subscription(any_rig, "S-1", delivery_on=DELIVERY, items=(Item(price=12_900, quantity=2),))
    announced = any_rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    charged = any_rig.run("charge_d1", "--as-of", "2026-12-02T10:00")
    assert (announced.counts["sealed"], charged.counts["paid"], charged.counts["written"]) == (1, 1, 1)
    assert [approval.amount for approval in any_rig.sandbox.toss.approvals()] == [25_800]
    assert any_rig.shop("SELECT subscription_id, payment_amount FROM orders") == [
        {"subscription_id": given.subscription_id, "payment_amount": 25_800}
    ]
    assert credits_left(any_rig)["bulk_mail"] == 998


def test_a_second_run_leaves_every_checksum_as_it_is(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=DELIVERY)
    any_rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    before = any_rig.checksums()
    any_rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    assert any_rig.checksums() == before


def test_a_changed_cell_changes_the_checksum_of_its_table_only(any_rig: Rig) -> None:
    open_shop(any_rig)
    before = any_rig.checksums()
    any_rig.shop("UPDATE shop SET shop_name = '다른 가게'")
    after = any_rig.checksums()
    assert [table for table in after if after[table] != before[table]] == ["shop"]


def test_the_rig_begins_empty(any_rig: Rig) -> None:
    assert any_rig.shop("SELECT * FROM subscription") + any_rig.ours("SELECT * FROM billing_round") == []


def test_the_shopkeeper_fills_what_the_contract_shows(any_rig: Rig) -> None:
    open_shop(any_rig)
    items = (Item(price=12_900), Item(product_no=2, price=8_000, cycle="2W", option_price=500))
    given = subscription(any_rig, delivery_on=DELIVERY, items=items)
    setting(any_rig, products=(1, 2), steps={1: 5, 3: 10})
    consent(any_rig, given.item_ids[0], 13_500, datetime(2026, 11, 20, 9))
    shown = any_rig.ours("SELECT item_id, applied_price, cycle FROM v_item ORDER BY item_id")
    assert [row["item_id"] for row in shown] == list(given.item_ids)
    assert [(row["applied_price"], row["cycle"]) for row in shown] == [(12_900, "1M"), (8_500, "2W")]
    assert len(any_rig.ours("SELECT setting_no FROM v_setting")) == 2


def test_an_approval_that_the_ledger_does_not_have_is_noticed(rig: Rig) -> None:
    open_shop(rig)
    subscription(rig, delivery_on=DELIVERY)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    rig.run("charge_d1", "--as-of", "2026-12-02T10:00")
    kept = rig.ours("SELECT * FROM payment")[0]
    rig.ours("DELETE FROM payment")
    assert any(line == f"approval_lost: {kept['order_no']}" for line in rig.invariants())
    rig.sandbox.toss.reset()
    rig.broken_on_purpose = {line.partition(":")[0] for line in rig.invariants()}


def test_a_credit_that_vanished_is_noticed(any_rig: Rig) -> None:
    open_shop(any_rig)
    any_rig.shop("UPDATE message_credit SET balance = 999 WHERE channel = 'sms'")
    assert any_rig.invariants() == ["credits_add_up: sms 999"]
    any_rig.broken_on_purpose = {"credits_add_up"}


def test_a_job_can_be_killed(rig: Rig) -> None:
    open_shop(rig)
    started = rig.start("notify_d2", "--as-of", "2026-12-01T09:00")
    started.kill()
    assert rig.finish(started).exit_code == -signal.SIGKILL
