"""The examples whose every row is a shop of its own: changes after the notice, ends of contracts."""

from __future__ import annotations

from collections.abc import Callable

from lib.billing import texts, words
from tests.jobs.charging import announced, charge, state
from tests.jobs.resetting import card_ids, pg_changed, reset, states, subscribed
from tests.rig import Rig
from tests.rules_page import NONE, Cells
from tests.shopkeeper import Item

TWO = (Item(price=12_900), Item(product_no=2, price=8_000))
SECOND = "WHERE product_no = 2"
CHANGES = {
    "아무 일도 없음": "SELECT 1",
    "고객이 한 상품을 해지": f"UPDATE subscription_item SET subscription_state = 'M' {SECOND}",
    "고객이 한 상품을 일시정지": f"UPDATE subscription_item SET subscription_state = 'B' {SECOND}",
    "고객이 수량을 3개로 바꿈": f"UPDATE subscription_item SET quantity = 3 {SECOND}",
    "고객이 배송예정일을 2026-12-20으로 바꿈": (
        f"UPDATE subscription_item SET expected_delivery_date = '2026-12-20' {SECOND}"
    ),
    "쇼핑몰이 판매가를 두 배로 올림": "UPDATE product SET price = price * 2",
    "쇼핑몰에서 두 상품이 모두 품절됨": "UPDATE product SET sold_out = 'T', stock_quantity = 0",
    "고객이 받는 사람을 최구름으로 바꿈": "UPDATE subscription SET receiver_name = '최구름'",
    "고객이 두 상품을 모두 해지": "UPDATE subscription_item SET subscription_state = 'M'",
    "고객이 한 상품을 해지하고 한 상품을 일시정지": (
        "UPDATE subscription_item SET subscription_state = CASE product_no WHEN 1 THEN 'M' ELSE 'B' END"
    ),
    "관리자가 신청을 일시정지": "UPDATE subscription SET subscription_state = 'P'",
}

Worked = Callable[[Rig, Cells], dict[str, str]]


def after_the_notice(rig: Rig, cells: Cells) -> dict[str, str]:
    announced(rig, items=TWO)
    rig.shop(CHANGES[cells["안내한 뒤에 한 일"]])
    charge(rig)
    amounts = [approval.amount for approval in rig.sandbox.toss.approvals()]
    receivers = [row["receiver_name"] for row in rig.shop("SELECT receiver_name FROM orders")]
    return {
        "이번 회차": words.ROUND[state(rig)],
        "결제한 금액": ", ".join(map(texts.won, amounts)) or NONE,
        "받는 사람": ", ".join(receivers) or NONE,
    }


def end_of_contract(rig: Rig, cells: Cells) -> dict[str, str]:
    subscribed(rig)
    (termination,) = (
        code for code, word in words.TERMINATION.items() if word == cells["PG 계약이 끝난 까닭"]
    )
    pg_changed(rig, termination=termination)
    reset(rig)
    (subscription,) = states(rig).values()
    return {"신청": words.SUBSCRIPTION[subscription], "카드": f"{len(card_ids(rig))}장"}


WORKED: dict[str, Worked] = {
    "안내한 뒤에 한 일 | 이번 회차 | 결제한 금액 | 받는 사람": after_the_notice,
    "PG 계약이 끝난 까닭 | 신청 | 카드": end_of_contract,
}
