"""What an operator may order by hand: `--pg CODE --confirm SHOP_NAME --reason TEXT` (rule 12)."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from tests.jobs.resetting import (
    BY_HAND,
    DELIVERY,
    EVENT,
    LONG_AFTER,
    OTHER_PG,
    PG,
    RESET_AT,
    SHOP_NAME,
    card_ids,
    matters,
    pg_changed,
    reset,
    reset_states,
    states,
    subscribed,
    two_pgs,
)
from tests.rig import ROOT, Rig
from tests.shopkeeper import card, contract, open_shop, subscription, terminate_contract

pytestmark = pytest.mark.rule(12)

LATER_STILL = "2026-12-20T10:00"


@pytest.fixture
def rig(sqlite_rig: Rig) -> Rig:
    """Give a shop in a file: nothing here moves money."""
    return sqlite_rig


def kept(rig: Rig) -> list[tuple[str, str]]:
    """Return reason and opener of every reset, `an operator` for whoever runs the tests."""
    rows = rig.ours("SELECT reason, opened_by FROM pg_reset ORDER BY reset_id")
    return [
        (row["reason"], row["opened_by"] if row["opened_by"] == "reset_pg" else "an operator") for row in rows
    ]


def rehearsed(rig: Rig, *options: str) -> str:
    """Return what a dry run says to a person."""
    config = str(rig.folder / "jeonggi.toml")
    command = [sys.executable, "-m", "jobs.reset_pg", "--config", config, "--as-of", RESET_AT, "--dry-run"]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_an_order_without_any_event_is_the_event(rig: Rig) -> None:
    subscribed(rig)
    later = card(rig, "later", registered_at=datetime(2026, 12, 2, 14))
    assert reset(rig, *BY_HAND).counts["cancelled"] == 1
    (row,) = rig.ours("SELECT event_at FROM pg_reset")
    assert timedelta() <= row["event_at"] - datetime(2026, 12, 2, 4) < timedelta(minutes=2)
    assert (card_ids(rig), kept(rig)) == ([later], [("operator", "an operator")])


def test_an_order_takes_up_the_waiting_event_and_opens_no_other(rig: Rig) -> None:
    subscribed(rig)
    newer = card(rig, "newer", registered_at=EVENT + timedelta(days=1))
    subscription(rig, "S-newer", delivery_on=DELIVERY, member_id="newer", card_id=newer)
    pg_changed(rig)
    reset(rig, at=LONG_AFTER, check=1)
    done = reset(rig, *BY_HAND, "--reason", "카페24 안내", at=LONG_AFTER)
    assert (done.counts["resets"], kept(rig)) == (1, [("카페24 안내", "an operator")])
    assert (states(rig), card_ids(rig), matters(rig)) == ({"S-1": "C", "S-newer": "U"}, [newer], [])


def test_orders_take_up_waiting_events_oldest_first_before_one_is_an_event_itself(rig: Rig) -> None:
    subscribed(rig)
    for days in (40, 30):
        pg_changed(rig, at=EVENT - timedelta(days=days))
        contract(rig, in_use_at=EVENT - timedelta(days=days - 1))
    for at in (LONG_AFTER, LATER_STILL, "2026-12-20T11:00"):
        reset(rig, *BY_HAND, at=at)
    rows = rig.ours("SELECT event_at FROM pg_reset ORDER BY reset_id")
    days_ago = [round((EVENT - timedelta(hours=9) - row["event_at"]) / timedelta(days=1)) for row in rows]
    assert days_ago == [40, 30, -18]


def test_an_order_takes_up_a_fresh_event_too_and_its_reason_is_kept(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    reset(rig, *BY_HAND, "--reason", "PG 변경")
    assert (reset_states(rig), kept(rig)) == (["done"], [("PG 변경", "an operator")])


def test_without_a_reason_of_his_own_that_of_the_contract_is_kept(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig, termination="reset")
    reset(rig, *BY_HAND)
    assert kept(rig) == [("reset", "an operator")]


def test_a_reason_of_any_length_is_kept_as_far_as_it_fits(rig: Rig) -> None:
    subscribed(rig)
    reset(rig, *BY_HAND, "--reason", "가" * 300)
    assert kept(rig) == [("가" * 200, "an operator")]


def test_an_order_goes_on_with_an_unfinished_reset_and_opens_no_other(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    reset(rig)
    rig.ours("UPDATE pg_reset SET state = 'cancelled', finished_at = NULL")
    assert reset(rig, *BY_HAND).counts["resets"] == 0
    assert (reset_states(rig), kept(rig)) == (["done"], [("changed", "reset_pg")])


def test_an_unfinished_reset_comes_before_an_event_that_waits(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig, at=EVENT - timedelta(days=30))
    contract(rig, in_use_at=EVENT)
    reset(rig, *BY_HAND)
    pg_changed(rig, at=EVENT + timedelta(minutes=10))
    rig.ours("UPDATE pg_reset SET state = 'open', finished_at = NULL")
    reset(rig, *BY_HAND, at=LONG_AFTER)
    assert reset_states(rig) == ["done"]
    reset(rig, *BY_HAND, at=LONG_AFTER)
    assert reset_states(rig) == ["done", "done"]


def test_an_order_for_one_pg_leaves_the_waiting_event_of_another(rig: Rig) -> None:
    two_pgs(rig)
    terminate_contract(rig, at=EVENT - timedelta(days=30), pg_code=OTHER_PG)
    reset(rig, *BY_HAND, check=1)
    assert states(rig) == {"S-1": "C", "S-other": "U"}


def test_an_order_given_twice_within_a_second_is_no_mishap(rig: Rig) -> None:
    subscribed(rig)
    reset(rig, *BY_HAND)
    assert reset(rig, *BY_HAND).counts["cancelled"] == 0
    assert set(reset_states(rig)) == {"done"}


@pytest.mark.parametrize(
    "known_by",
    [
        "DELETE FROM subscription_service",
        "DELETE FROM pg_contract",
        "UPDATE pg_contract SET state = 'terminated', terminated_at = '2026-10-01', termination = 'renewed'",
    ],
    ids=["its contract", "its service", "a contract that ended"],
)
def test_a_pg_may_be_named_that_the_shop_knows_in_any_way(rig: Rig, known_by: str) -> None:
    subscribed(rig, card_id=None)
    rig.shop(known_by)
    reset(rig, *BY_HAND)
    assert states(rig) == {"S-1": "C"}


def test_a_pg_may_be_named_of_which_only_cards_are_left(rig: Rig) -> None:
    open_shop(rig)
    card(rig, "haneul", pg_code="allat")
    reset(rig, "--pg", "allat", "--confirm", SHOP_NAME, check=1)
    assert (card_ids(rig), [kind for kind, _ in matters(rig)]) == ([], ["key_left"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--pg", PG, "--confirm", "햇빛커피"), "쇼핑몰 이름이 다릅니다"),
        (("--pg", PG, "--confirm", ""), "쇼핑몰 이름이 다릅니다"),
        (("--pg", "inicis", "--confirm", SHOP_NAME), "이 PG의 계약, 서비스, 카드가 쇼핑몰에 없습니다"),
        (("--pg", PG), "--pg 와 --confirm 은 함께"),
        (("--confirm", SHOP_NAME), "--pg 와 --confirm 은 함께"),
        (("--subscription", "S-1"), "--subscription 과 --limit 은 쓸 수 없습니다"),
        (("--limit", "1"), "--subscription 과 --limit 은 쓸 수 없습니다"),
    ],
    ids=["wrong name", "no name", "unknown PG", "no --confirm", "no --pg", "--subscription", "--limit"],
)
def test_a_wrong_order_changes_nothing_and_leaves_no_run_record(
    rig: Rig, options: tuple[str, ...], said: str
) -> None:
    subscribed(rig)
    pg_changed(rig)
    rig.config()
    before = rig.checksums(exclude=())
    told = reset(rig, *options, check=2)
    assert said in told.stderr
    assert told.summary == {"exit_code": 2, "error": "UsageError"}
    assert rig.checksums(exclude=()) == before


def test_a_dry_run_of_an_order_tells_what_it_would_end(rig: Rig) -> None:
    subscribed(rig, 2)
    rig.config()
    told = rehearsed(rig, *BY_HAND)
    assert f"{PG} 2026-12-02 13:00 운영자 지시: 해지 2건, 회차 취소 0건, 카드 삭제 2장" in told
    assert reset_states(rig) == []


def test_a_dry_run_tells_what_begins_what_waits_and_what_goes_on(rig: Rig) -> None:
    two_pgs(rig)
    terminate_contract(rig, at=EVENT - timedelta(days=30), pg_code=OTHER_PG)
    pg_changed(rig)
    rig.config()
    assert rehearsed(rig).splitlines()[:2] == [
        "nicepay 2026-11-02 12:00 오래되어 --confirm 을 기다림: 해지 1건, 회차 취소 0건, 카드 삭제 1장",
        "tosspayments 2026-12-02 12:00 변경: 해지 1건, 회차 취소 0건, 카드 삭제 2장",
    ]
    reset(rig, check=1)
    rig.ours("UPDATE pg_reset SET state = 'purged', finished_at = NULL")
    said = "tosspayments 2026-12-02 12:00 계속 (purged 단계부터): 해지 0건, 회차 취소 0건, 카드 삭제 0장"
    assert said in rehearsed(rig, *BY_HAND)
