"""How the simulated Allat merchant is set up, what it answers with, and how a simulated card answers.

Allat's table of codes is behind its merchant login. Every code here that begins with Z is **invented**: none
of the vendor's does. `CLASSES` is what an operator would write under `[gateway.allat] codes` for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.sandbox.faults import chosen

SHOP_ID = "sandboxshop"
CROSS_KEY = "sandbox-cross-key-0123456789abcdef"
LIVE, TEST = "0000", "0001"
MESSAGES: Mapping[str, str] = {LIVE: "정상", TEST: "테스트 성공", "0431": "중복된 주문번호"}
"""The published codes that it says itself: success, and one of the six for a duplicate order number."""

_INVENTED: Mapping[str, Mapping[str, str]] = {
    "misconfigured": {
        "Z101": "등록되지 않은 상점ID",
        "Z102": "Cross Key 불일치",
        "Z103": "테스트 여부가 상점 설정과 다름",
    },
    "refused": {"Z201": "요청 형식 오류", "Z202": "항목 오류", "Z203": "금액·상점ID 위변조"},
    "declined-hard": {
        "Z301": "등록되지 않은 카드키",
        "Z302": "해지된 카드키",
        "Z303": "유효기간 경과",
        "Z304": "정지된 카드",
    },
    "declined-soft": {"Z305": "한도초과", "Z306": "잔액부족"},
    "": {"Z401": "원거래 없음", "Z402": "이미 취소된 거래", "Z403": "취소 가능 금액 초과"},
}
INVENTED: Mapping[str, str] = {code: said for codes in _INVENTED.values() for code, said in codes.items()}
"""Code → message."""
CLASSES: Mapping[str, str] = {code: kind for kind, codes in _INVENTED.items() if kind for code in codes}
"""Code → class, for the configuration. What a cancel is refused with has none."""
NO_SHOP, WRONG_CROSS_KEY, WRONG_MODE = "Z101", "Z102", "Z103"
BROKEN, WRONG_FIELD, FORGED = "Z201", "Z202", "Z203"
NO_KEY, DELETED_KEY, EXPIRED, LIMIT = "Z301", "Z302", "Z303", "Z305"
NO_ORDER, CANCELLED_BEFORE, TOO_MUCH = "Z401", "Z402", "Z403"


@dataclass(frozen=True)
class AllatSwitches:
    """How the simulated merchant is set up. Seconds are those of the simulator's clock."""

    shop_id: str = SHOP_ID
    cross_key: str = field(default=CROSS_KEY, repr=False)
    test: bool = False
    """What `allat_test_yn` must say; a test merchant's success is 0001."""
    accept_unknown_keys: bool = True
    """Whether a card key that was never registered is taken for a good card."""
    late_s: float = 600.0
    """How long after the charge a card whose script says `late` is approved."""
    cancel_lag_s: float = 0.0
    """How long an approval stays invisible to cancels: they are refused with "no such order"."""
    duplicate_code: str = "0431"
    """Which of the six codes refuses a used order number; the vendor does not say which one is FIX's."""


@dataclass(frozen=True)
class AllatCard:
    """How the card behind one card key answers."""

    billing_key: str = field(repr=False)
    script: tuple[str, ...] = ("approve",)
    """`approve`, `late` or a decline code, one per charge that reaches the card; the last word stays.

    `late`: the answer is a proxy's 504 page, and the approval lands `late_s` later."""
    issue_order_no: str = ""
    """The order number under which the key was issued: charges cannot use it again."""
    decline_rate: float = 0.0
    """Which part of the charges that the script approves is declined after all, by order number."""
    decline_code: str = LIMIT
    seed: int = 0


def verdict(card: AllatCard, used: int, order_no: str) -> str:
    """Say `approve`, `late` or a decline code for a card that answered `used` charges before this one."""
    word = card.script[min(used, len(card.script) - 1)]
    if word == "approve" and card.decline_rate and chosen(card.decline_rate, card.seed, order_no):
        return card.decline_code
    return word


def message_of(code: str) -> str:
    """Return what Allat says with a code."""
    return MESSAGES.get(code) or INVENTED.get(code, "기타 오류")
