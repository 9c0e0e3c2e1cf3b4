"""Rows of the shop that nothing can be charged from (rule 14)."""

from __future__ import annotations

import pytest

from lib.billing.faults import MOST_WON, discount_fault, item_fault, sums_fault
from lib.billing.invoice import Setting

pytestmark = pytest.mark.rule(14)

USUAL = {"cycle": "1M", "quantity": 1, "applied_price": 12_900, "round_no": 1}
STEPS = ((2, 10), (5, 100), (6, 101))


def setting(unit: str) -> Setting:
    return Setting(1, unit, per_piece=False, threshold=None, waives_region_fee=False, steps=STEPS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("cycle", "9X", "의 주기 '9X'을(를) 알 수 없음"),
        ("cycle", "", "의 주기 ''을(를) 알 수 없음"),
        ("cycle", "1m", "의 주기 '1m'을(를) 알 수 없음"),
        ("quantity", 0, "의 수량이 0임"),
        ("quantity", -1, "의 수량이 -1임"),
        ("applied_price", -1, "의 가격이 0보다 작거나 회차가 1보다 작음"),
        ("round_no", 0, "의 가격이 0보다 작거나 회차가 1보다 작음"),
        ("applied_price", 0, None),
        ("round_no", 999, None),
        ("cycle", "1Y", None),
    ],
)
def test_an_item_is_charged_by_a_known_cycle_some_pieces_a_price_and_a_round(
    column: str, value: object, said: str | None
) -> None:
    assert item_fault(**USUAL | {column: value}) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unit", "round_no", "said"),
    [
        ("percent", 1, None),
        ("percent", 2, None),
        ("percent", 5, None),
        ("percent", 6, "의 6회차 할인이 101%임"),
        ("percent", 60, "의 60회차 할인이 101%임"),
        ("won", 6, None),
    ],
)
def test_no_step_takes_more_than_the_whole_price(unit: str, round_no: int, said: str | None) -> None:
    assert discount_fault(setting(unit), round_no) == said


def test_no_setting_has_no_fault() -> None:
    assert discount_fault(None, 1) is None


@pytest.mark.parametrize(
    ("sums", "said"),
    [
        ((0, MOST_WON), None),
        ((0, -1), "금액, 할인, 배송비 중 0보다 작은 것이 있음"),
        ((0, MOST_WON + 1), "금액이 주문에 담을 수 있는 것보다 큼"),
    ],
)
def test_every_sum_fits_into_the_shops_order(sums: tuple[int, ...], said: str | None) -> None:
    assert sums_fault(sums) == said
