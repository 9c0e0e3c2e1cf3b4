"""`ops show`: a subscription's whole life, under any of its names, without what nobody may read."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lib.clock import Clock
from lib.command import now
from lib.report.life import life
from lib.sandbox.faults import Fault
from tests.jobs.charging import MAIN, announced, charge
from tests.ops.desk import ops, order_no, text
from tests.rig import Rig
from tests.shopkeeper import open_shop, subscription


def _life(rig: Rig, wanted: str) -> dict[str, list[dict[str, Any]]]:
    clock = Clock(now(), rig.settings().shop.timezone)
    return {one.key: [dict(row) for row in one.rows] for one in life(rig.store(), clock, wanted)}


@pytest.fixture
def paid(any_rig: Rig) -> Rig:
    """One round, announced, charged and written."""
    announced(any_rig)
    charge(any_rig)
    return any_rig


def test_a_subscription_is_found_by_each_of_its_names(paid: Rig) -> None:
    round_id = paid.ours("SELECT round_id FROM billing_round")[0]["round_id"]
    for name in ("S-1", str(round_id), order_no(paid)):
        assert _life(paid, name)["subscription"][0]["subscription_id"] == "S-1"


@pytest.mark.parametrize("name", ["S-9", "999", "J1NOTHING01", "없는번호", "'; DROP TABLE shop; --"])
def test_what_nobody_is_called_is_not_found(paid: Rig, name: str) -> None:
    assert _life(paid, name) == {}


def test_the_order_of_the_shop_names_its_subscription(paid: Rig) -> None:
    paid.shop("UPDATE orders SET order_id = 'HAND-1'")
    assert _life(paid, "HAND-1")["subscription"][0]["subscription_id"] == "S-1"
    paid.shop("UPDATE orders SET order_id = :id", id=order_no(paid))


def test_a_life_is_told_in_the_order_of_time(paid: Rig) -> None:
    events = _life(paid, "S-1")["events"]
    told = [event["what"] for event in events]
    moments = [event["at"] for event in events]
    assert moments == sorted(moments)
    names = ["회차 확정", "결제 안내 고객 메일", "결제 시도 1", "원장", "주문 생성"]
    assert [told.index(name) for name in names] == sorted(told.index(name) for name in names)
    assert told.count("건수") == 3


def test_a_round_is_shown_with_its_lines(paid: Rig) -> None:
    found = _life(paid, "S-1")
    assert [(row["state"], row["amount_krw"]) for row in found["rounds"]] == [("paid", 12_900)]
    assert [(row["amount"], row["excluded_reason"]) for row in found["lines"]] == [(12_900, None)]


@pytest.mark.parametrize(
    ("at", "charge_on"), [("2026-12-01T09:00", date(2026, 12, 2)), ("2026-12-02T09:00", date(2026, 12, 3))]
)
def test_an_item_is_shown_with_the_day_its_open_round_is_charged(
    any_rig: Rig, at: str, charge_on: date
) -> None:
    open_shop(any_rig)
    subscription(any_rig, "S-1", delivery_on=date(2026, 12, 3))
    any_rig.run("notify_d2", "--as-of", at)
    found = _life(any_rig, "S-1")
    assert [row["charge_on"] for row in (*found["items"], *found["rounds"])] == [charge_on, charge_on]


def test_what_a_person_must_look_at_is_shown(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("alter", "charge", fields={"totalAmount": 99}))
    charge(rig, check=1)
    assert [row["kind"] for row in _life(rig, "S-1")["matters"]] == ["held"]


def test_a_subscription_that_left_the_shop_still_has_its_rounds(sqlite_rig: Rig) -> None:
    announced(sqlite_rig)
    charge(sqlite_rig)
    sqlite_rig.shop("DELETE FROM subscription")
    found = _life(sqlite_rig, "S-1")
    assert ("subscription" in found, len(found["rounds"])) == (False, 1)


@pytest.mark.parametrize("arguments", [("show", "S-1"), ("show", "S-1", "--json"), ("list",), ("service",)])
def test_no_key_phone_or_mail_address_is_ever_printed(sqlite_rig: Rig, arguments: tuple[str, ...]) -> None:
    announced(sqlite_rig)
    charge(sqlite_rig)
    said = text(sqlite_rig, *arguments)
    for secret in (MAIN, "customer-haneul", "haneul@example.com", "010-2000", "01020001234", "테헤란로"):
        assert secret not in said


def test_a_name_cannot_steer_the_terminal(sqlite_rig: Rig) -> None:
    announced(sqlite_rig, buyer_name="김[red]하늘\x1b[2J\u202e\n")
    said = text(sqlite_rig, "show", "S-1")
    assert "김[red]하늘" in said
    assert not {"\x1b", "\u202e"} & set(said)


def test_an_unknown_name_is_one_line_and_exit_2(sqlite_rig: Rig) -> None:
    sqlite_rig.config()
    ended = ops(sqlite_rig, "show", "S-9", check=2)
    assert ended.stderr.splitlines() == ["S-9: 그런 신청번호, 회차번호, 주문번호가 없습니다"]
