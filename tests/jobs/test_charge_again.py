"""charge_d1: a second run changes nothing; a dry run neither, and it says what would happen to whom."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lib.sandbox import Card, Fault
from tests.jobs.charging import CHARGE_AT, DELIVERY, HARD, NOTICE_AT, SOFT, announced, charge
from tests.rig import ROOT, Rig
from tests.shopkeeper import Item, card, setting, subscription

pytestmark = pytest.mark.rule(9, 10, 11)

SCRIPTS = {
    "bk-soft": SOFT,
    "bk-hard": HARD,
    "bk-refused": "NOT_MATCHES_CUSTOMER_KEY",
    "bk-unknown": "approve",
}


def _every_kind(rig: Rig) -> None:
    """Announce rounds that end paid, declined, refused, unknown, free, blocked and void."""
    announced(rig, items=(Item(max_rounds=1),))
    for place, (key, word) in enumerate(SCRIPTS.items(), start=2):
        rig.sandbox.toss.register(Card(key, script=(word,)))
        subscription(rig, f"S-{place}", delivery_on=DELIVERY, card_id=card(rig, billing_key=key))
    setting(rig, products=(7,), steps={1: 100})
    subscription(rig, "S-free", delivery_on=DELIVERY, items=(Item(product_no=7, price=5_000),))
    subscription(rig, "S-blocked", delivery_on=DELIVERY)
    subscription(rig, "S-void", delivery_on=DELIVERY)
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    rig.shop("UPDATE subscription SET card_id = NULL WHERE subscription_id = 'S-blocked'")
    rig.shop("UPDATE subscription SET subscription_state = 'C' WHERE subscription_id = 'S-void'")


def test_a_second_run_changes_no_table_but_its_own_record(rig: Rig) -> None:
    _every_kind(rig)
    charge(rig, CHARGE_AT, check=1)
    before, calls = rig.checksums(), len(rig.sandbox.toss.calls())
    charge(rig, CHARGE_AT)
    assert (rig.checksums(), len(rig.sandbox.toss.calls())) == (before, calls)


def test_a_second_run_changes_nothing_although_a_doubt_is_left(rig: Rig) -> None:
    _every_kind(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", times=1))
    charge(rig, CHARGE_AT, "--subscription", "S-5")
    rig.shop("UPDATE card SET customer_key = 'another' WHERE billing_key = 'bk-unknown'")
    charge(rig, "2026-12-02T10:05", check=1)
    before = rig.checksums()
    charge(rig, "2026-12-02T10:05")
    assert rig.checksums() == before


def test_a_dry_run_changes_nothing_anywhere(rig: Rig) -> None:
    _every_kind(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", times=1))
    charge(rig, "2026-12-02T08:00", "--subscription", "S-5")
    before, books = rig.checksums(exclude=()), _books(rig)
    charge(rig, CHARGE_AT, "--dry-run")
    assert (rig.checksums(exclude=()), _books(rig)) == (before, books)


def _books(rig: Rig) -> list[int]:
    return [len(each.book) for each in (rig.sandbox.toss, rig.sandbox.solapi, rig.sandbox.smtp)]


def test_a_dry_run_counts_what_would_happen(rig: Rig) -> None:
    _every_kind(rig)
    ended = charge(rig, CHARGE_AT, "--dry-run")
    assert (ended.counts["due"], ended.counts["void"], ended.counts["blocked"]) == (8, 1, 1)
    assert ended.summary["amount_krw"] == 5 * 12_900


def test_a_dry_run_says_what_would_happen_to_whom(rig: Rig) -> None:
    _every_kind(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", times=1))
    charge(rig, "2026-12-02T08:00", "--subscription", "S-5")
    said = _dry_run(rig)
    masks = {
        row["card_id"]: row["masked_number"] for row in rig.shop("SELECT card_id, masked_number FROM card")
    }
    (main,) = rig.shop("SELECT card_id FROM subscription WHERE subscription_id = 'S-1'")
    assert f"S-1 {DELIVERY} 1회차 12,900원 {masks[main['card_id']]} 결제" in said
    assert f"S-free {DELIVERY} 1회차 0원 0원, 결제 없이 완료" in said
    assert f"S-blocked {DELIVERY} 1회차 12,900원 진행 불가 (카드 없음)" in said
    assert f"S-void {DELIVERY} 1회차 12,900원 취소 (이용중인 신청이 아님)" in said
    assert [line for line in said if "S-5" in line] == []
    assert [line for line in said if line.endswith("결과를 다시 확인")] == [
        f"주문번호 {row['order_no']} tosspayments: 결과를 다시 확인"
        for row in rig.ours("SELECT order_no FROM payment_attempt")
    ]


def _dry_run(rig: Rig) -> list[str]:
    """Return the lines that a terminal or cron would get."""
    command = [sys.executable, "-m", "jobs.charge_d1", "--config", str(rig.config())]
    ended = subprocess.run(
        [*command, "--as-of", CHARGE_AT, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ended.stdout.splitlines()
