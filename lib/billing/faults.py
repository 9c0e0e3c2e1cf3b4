"""What is wrong with a row of the shop, so that its round is told of and not sealed (rule 14)."""

from __future__ import annotations

from collections.abc import Collection

from lib.billing.calendar import Cycle
from lib.billing.invoice import Setting, discount_step

WHOLE_PERCENT = 100
MOST_WON = 2**31 - 1
"""What the amounts of a shop's order hold (INT): more could be charged, but not written."""


def item_fault(*, cycle: str, quantity: int, applied_price: int, round_no: int) -> str | None:
    """Say what is wrong with a stored item, or None; the words go on after the item's name."""
    try:
        Cycle.parse(cycle)
    except ValueError:
        return f"의 주기 {cycle!r}을(를) 알 수 없음"
    if quantity <= 0:
        return f"의 수량이 {quantity}임"
    return "의 가격이 0보다 작거나 회차가 1보다 작음" if applied_price < 0 or round_no < 1 else None


def discount_fault(setting: Setting | None, round_no: int) -> str | None:
    """Say that a discount of more than the whole price is a slip and no gift, or None."""
    if setting is None or setting.unit != "percent":
        return None
    step = discount_step(setting, round_no)
    return f"의 {round_no}회차 할인이 {step}%임" if step > WHOLE_PERCENT else None


def sums_fault(sums: Collection[int]) -> str | None:
    """Say why the sums of a round cannot be charged, or None."""
    if min(sums) < 0:
        return "금액, 할인, 배송비 중 0보다 작은 것이 있음"
    return "금액이 주문에 담을 수 있는 것보다 큼" if max(sums) > MOST_WON else None
