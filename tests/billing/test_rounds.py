"""Rule 3: what is dropped from a round, and what blocks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from lib.billing.rounds import (
    CardStanding,
    Goods,
    PgStanding,
    Standing,
    blocked_reason,
    card_fault,
    dropped_reason,
    pg_fault,
)

pytestmark = pytest.mark.rule(3)

REGISTERED = datetime(2026, 10, 1, 9)
OPEN = PgStanding(is_in_use=True, is_service_in_use=True)
CARD = CardStanding("haneul", "tosspayments", REGISTERED)
GOODS = Goods(price=12_900, excluded_reason=None, is_on_sale=True, is_sold_out=False, stock=None)
FINE = Standing(
    is_shop_ready=True,
    member_id="haneul",
    is_withdrawn=False,
    pg=OPEN,
    card=CARD,
    is_reachable=True,
    earliest_on=date(2026, 12, 3),
    first_delivery=date(2026, 12, 1),
    is_ordered=False,
)


def test_nothing_stands_in_the_way_of_an_ordinary_round() -> None:
    assert blocked_reason(FINE) is None


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (replace(FINE, is_shop_ready=False), "shop_not_ready"),
        (replace(FINE, is_withdrawn=True), "member_withdrawn"),
        (replace(FINE, is_reachable=False), "no_address"),
        (replace(FINE, earliest_on=date(2026, 11, 30)), "before_first_delivery"),
        (replace(FINE, is_ordered=True), "already_ordered"),
        (replace(FINE, card=None), "no_card"),
        (replace(FINE, card=replace(CARD, member_id="bada")), "foreign_card"),
        (replace(FINE, pg=replace(OPEN, ended_at=REGISTERED)), "contract_ended"),
        (replace(FINE, pg=replace(OPEN, is_resetting=True)), "reset_in_progress"),
        (replace(FINE, pg=replace(OPEN, is_in_use=False)), "pg_not_in_use"),
        (replace(FINE, pg=replace(OPEN, is_service_in_use=False)), "service_not_in_use"),
    ],
)
def test_each_fault_blocks_the_round_and_is_named(standing: Standing, reason: str) -> None:
    assert blocked_reason(standing) == reason


@pytest.mark.parametrize(
    ("pg", "reason"),
    [
        (replace(OPEN, is_in_use=False, ended_at=REGISTERED), "pg_not_in_use"),
        (replace(OPEN, is_service_in_use=False, ended_at=REGISTERED), "service_not_in_use"),
        (replace(OPEN, is_resetting=True, ended_at=REGISTERED), "reset_in_progress"),
        (PgStanding(is_resetting=True), "reset_in_progress"),
        (PgStanding(is_service_in_use=True), "pg_not_in_use"),
        (PgStanding(), "pg_not_in_use"),
    ],
)
def test_what_hinders_the_whole_pg_is_named_before_what_hinders_one_card(pg: PgStanding, reason: str) -> None:
    assert blocked_reason(replace(FINE, pg=pg)) == card_fault(CARD, "haneul", pg) == pg_fault(pg) == reason


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (replace(FINE, is_shop_ready=False, is_withdrawn=True, card=None), "shop_not_ready"),
        (replace(FINE, is_withdrawn=True, is_reachable=False, card=None), "member_withdrawn"),
        (replace(FINE, is_ordered=True, card=None), "already_ordered"),
        (replace(FINE, card=replace(CARD, member_id="bada"), pg=PgStanding()), "foreign_card"),
        (replace(FINE, card=None, pg=PgStanding()), "no_card"),
    ],
)
def test_of_several_faults_the_first_is_named(standing: Standing, reason: str) -> None:
    assert blocked_reason(standing) == reason


def test_a_round_on_the_first_day_of_ours_is_not_blocked() -> None:
    assert blocked_reason(replace(FINE, earliest_on=date(2026, 12, 1))) is None


@pytest.mark.parametrize(
    ("ended_at", "fault"),
    [
        (datetime(2026, 9, 30, 23, 59, 59), None),
        (datetime(2026, 10, 1, 9), "contract_ended"),
        (datetime(2026, 10, 1, 9, 0, 1), "contract_ended"),
    ],
)
def test_a_card_ends_with_the_contract_it_was_registered_under_and_no_other(
    ended_at: datetime, fault: str | None
) -> None:
    assert card_fault(CARD, "haneul", replace(OPEN, ended_at=ended_at)) == fault


@pytest.mark.parametrize(
    ("goods", "wanted", "reason"),
    [
        (GOODS, 1, None),
        (None, 1, None),
        (replace(GOODS, is_on_sale=False), 1, None),
        (replace(GOODS, is_on_sale=False, stock=1), 1, None),
        (replace(GOODS, is_on_sale=False, is_sold_out=True), 1, "sold_out"),
        (replace(GOODS, is_on_sale=False, excluded_reason="set_product"), 1, "set_product"),
        (replace(GOODS, excluded_reason="set_product"), 1, "set_product"),
        (replace(GOODS, excluded_reason="one_plus_n"), 1, "one_plus_n"),
        (replace(GOODS, is_sold_out=True), 1, "sold_out"),
        (replace(GOODS, stock=2), 2, None),
        (replace(GOODS, stock=2), 3, "short_of_stock"),
        (replace(GOODS, stock=0), 1, "short_of_stock"),
        (replace(GOODS, stock=-3), 1, "short_of_stock"),
        (replace(GOODS, is_sold_out=True, stock=9), 1, "sold_out"),
        (replace(GOODS, excluded_reason="one_plus_n", is_sold_out=True), 1, "one_plus_n"),
    ],
)
def test_what_cannot_be_delivered_is_dropped(goods: Goods | None, wanted: int, reason: str | None) -> None:
    assert dropped_reason(goods, wanted, "drop") == reason


@pytest.mark.parametrize(
    ("goods", "reason"),
    [
        (replace(GOODS, is_sold_out=True), None),
        (replace(GOODS, stock=0), None),
        (replace(GOODS, excluded_reason="set_product"), "set_product"),
        (replace(GOODS, excluded_reason="one_plus_n", is_sold_out=True), "one_plus_n"),
        (None, None),
    ],
)
def test_a_shop_may_charge_what_is_sold_out_but_never_a_set(goods: Goods | None, reason: str | None) -> None:
    assert dropped_reason(goods, 1, "charge") == reason
