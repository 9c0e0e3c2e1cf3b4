"""What NICEPAY refuses and how a simulated card answers: pure rules, no state.

The codes are the vendor's (nicepay-manual, common/code.md). Which of them answers which mistake is not
published, nor what comes with a 401: those choices are **invented**, as is every message not found there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.sandbox.faults import chosen

CLIENT_KEY = "S2_sandboxclientkey0000000000000"
SECRET_KEY = "0123456789abcdef0123456789abcdef"  # noqa: S105 - opens nothing but a simulator
MIN_AMOUNT_KRW = 1_000

MESSAGES: Mapping[str, str] = {
    "0000": "정상 처리되었습니다.",
    "U100": "필수입력항목이 누락되었습니다.",
    "U104": "사용자 인증에 실패하였습니다.",
    "U105": "필드 최대길이 초과",
    "U107": "거래내역이 존재 하지 않습니다.",
    "U112": "이미 사용된 OrderId 입니다.",
    "U115": "삭제 처리된 BID 입니다.",
    "U123": "취소금액이 취소가능금액보다 큼.",
    "U125": "잘못된 요청 입니다.",
    "U127": "요청 금액이 올바르지 않습니다.",
    "U130": "허용된 Date형식이 아닙니다.",
    "U304": "BASIC AUTHENTICATION 실패",
    "U309": "발급되지 않은 BID 입니다.",
    "U312": "SIGN DATA 검증에 실패하였습니다.",
    "U320": "페이지를 찾을 수 없습니다.",
    "U508": "서버로 소켓 연결 중 오류가 발생하였습니다.",
    "2013": "취소 완료 거래",
    "3011": "카드번호 오류",
    "3021": "유효기간 오류",
    "3041": "금액 오류(1000원 미만 신용카드 승인 불가)",
    "3057": "인증 불가카드",
    "3095": "카드사 실패 응답",
}
AT_THE_CARD = re.compile(r"3\d{3}|F118")
"""Codes that come with a record of the transaction: a `tid` and the status failed."""
_ORDER_DATE = re.compile(r"20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True)
class NicepaySwitches:
    """How the simulated merchant is set up. Seconds are those of the simulator's clock."""

    client_key: str = CLIENT_KEY
    secret_key: str = field(default=SECRET_KEY, repr=False)
    accept_unknown_keys: bool = True
    """Whether a billing key that was never registered is taken for a good card."""
    inquiry_lag_s: float = 0.0
    """How long an approval stays invisible to inquiries; its order number is taken at once."""
    late_s: float = 600.0
    """How long after the charge a card whose script says `late` answers."""
    late_takes_number: bool = True
    """Whether such a charge takes its order number on arrival, as the vendor says of running ones; False: it
    is stuck before it gets there, and the number is free until it lands."""
    order_date_counts: bool = False
    """Whether an inquiry finds only orders of the day it names; the vendor wants the day and says no more."""


@dataclass(frozen=True)
class NicepayCard:
    """How the card behind one billing key answers."""

    billing_key: str = field(repr=False)
    script: tuple[str, ...] = ("approve",)
    """`approve`, `late` or a decline code, one per charge that reaches the card; the last word stays.

    `late`: the answer is a proxy's 504 page, and the charge is approved `late_s` later."""
    decline_rate: float = 0.0
    """Which part of the charges that the script approves is declined after all, by order number."""
    decline_code: str = "3095"
    seed: int = 0


def verdict(card: NicepayCard, used: int, order_no: str) -> str:
    """Say `approve`, `late` or a decline code for a card that answered `used` charges before this one."""
    word = card.script[min(used, len(card.script) - 1)]
    if word == "approve" and card.decline_rate and chosen(card.decline_rate, card.seed, order_no):
        return card.decline_code
    return word


def signature(*parts: object) -> str:
    """Return what the vendor signs with: hex(sha256(everything in a row))."""
    return hashlib.sha256("".join(map(str, parts)).encode()).hexdigest()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _lengths_problem(body: Mapping[str, object], longest: Mapping[str, int]) -> str | None:
    """Text fields are there and not too long, in bytes of UTF-8."""
    for name, most in longest.items():
        value = body.get(name)
        if not isinstance(value, str) or not value:
            return "U100"
        if len(value.encode("utf-8", "replace")) > most:
            return "U105"
    return None


def charge_problem(body: object, billing_key: str, secret_key: str) -> str | None:
    """Return the code that refuses a charge before any card is asked; None where it is well formed."""
    if not isinstance(body, dict):
        return "U125"
    if (problem := _lengths_problem(body, {"orderId": 64, "goodsName": 40})) is not None:
        return problem
    if body.get("cardQuota") not in {0, "0"} or body.get("useShopInterest") is not False:
        return "U100"
    amount = body.get("amount")
    if not _is_whole(amount) or not 0 < amount < 10**12:  # type: ignore[operator]  # a number, asked just before
        return "U127"
    if "signData" in body:
        signed = signature(body["orderId"], billing_key, body.get("ediDate"), secret_key)
        return None if body["signData"] == signed else "U312"
    return None


def find_problem(order_date: str) -> str | None:
    """Return the code that refuses an inquiry by order number."""
    if not order_date:
        return "U100"
    return None if _ORDER_DATE.fullmatch(order_date) else "U130"


def cancel_problem(body: object) -> str | None:
    """Return the code with which a cancel is refused before the payment is looked at."""
    if not isinstance(body, dict):
        return "U125"
    amount = body.get("cancelAmt", 1)
    if not _is_whole(amount) or amount <= 0:
        return "U127"
    return _lengths_problem(body, {"orderId": 64, "reason": 100})


def forget_problem(body: object) -> str | None:
    """Return the code with which the deletion of a key is refused before the key is looked at."""
    return _lengths_problem(body, {"orderId": 64}) if isinstance(body, dict) else "U125"
