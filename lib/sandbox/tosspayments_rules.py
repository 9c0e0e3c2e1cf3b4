"""What TossPayments refuses and how a simulated card answers: pure rules, no state.

Codes and HTTP status: docs.tosspayments.com/reference/error-codes. Field rules: core reference, billing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lib.sandbox.faults import chosen

SECRET_KEY = "test_sk_sandbox"  # noqa: S105 - opens nothing but a simulator
MIN_AMOUNT_KRW = 100
_MIN_INSTALMENT_KRW = 50_000
_INSTALMENT_MONTHS = {0, *range(2, 13)}
_ORDER_NO = re.compile(r"[A-Za-z0-9_-]{6,64}")
_CUSTOMER_KEY = re.compile(r"[A-Za-z0-9\-_=.@]{2,300}")
_NAME_CHARS = 100
_REASON_CHARS = 200

_BY_STATUS: dict[int, dict[str, str]] = {
    400: {
        "INVALID_REQUEST": "잘못된 요청입니다.",
        "INVALID_API_KEY": "잘못된 시크릿키 연동 정보 입니다.",
        "INVALID_IDEMPOTENCY_KEY": "멱등키는 300자 이하여야 합니다.",
        "INVALID_ORDER_ID": "`orderId`는 영문, 숫자, 특수문자(-, _)로 6자 이상 64자 이하여야 합니다.",
        "INVALID_ORDER_NAME": "`orderName`은 필수 값이고 최대 길이는 100자 입니다.",
        "BELOW_MINIMUM_AMOUNT": "신용카드는 결제금액이 100원 이상이어야 합니다.",
        "INVALID_CARD_INSTALLMENT_PLAN": "할부 개월 정보가 잘못되었습니다.",
        "NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN": "할부가 지원되지 않는 카드입니다.",
        "NOT_MATCHES_CUSTOMER_KEY": "빌링 인증 고객키와 결제 요청 고객키가 일치하지 않습니다.",
        "DUPLICATED_ORDER_ID": "이미 승인 및 취소가 진행된 중복된 주문번호 입니다.",
        "ALREADY_PROCESSED_PAYMENT": "이미 처리된 결제 입니다.",
        "ALREADY_COMPLETED_PAYMENT": "이미 완료된 결제 입니다.",
        "DUPLICATED_REQUEST": "중복된 요청입니다.",
        "ALREADY_REMOVED_BILLING_KEY": "이미 삭제된 빌링키입니다.",
        "ALREADY_CANCELED_PAYMENT": "이미 취소된 결제 입니다.",
        "NOT_MATCHES_REFUNDABLE_AMOUNT": "잔액 결과가 일치하지 않습니다.",
        "PROVIDER_ERROR": "일시적인 오류가 발생했습니다. 잠시 후 다시 시도해주세요.",
        "NOT_SUPPORTED_METHOD": "지원되지 않는 결제 수단입니다.",
        "NOT_FOUND_TERMINAL_ID": "단말기번호(Terminal Id)가 없습니다. 토스페이먼츠로 문의 바랍니다.",
        "EXCEED_MAX_DAILY_PAYMENT_COUNT": "하루 결제 가능 횟수를 초과했습니다.",
        "EXCEED_MAX_PAYMENT_AMOUNT": "하루 결제 가능 금액을 초과했습니다.",
        "EXCEED_MAX_AMOUNT": "거래금액 한도를 초과했습니다.",
        "MAINTAINED_METHOD": "현재 점검 중 입니다.",
        "INVALID_STOPPED_CARD": "정지된 카드 입니다.",
        "INVALID_CARD_LOST_OR_STOLEN": "분실 혹은 도난 카드입니다.",
        "INVALID_REJECT_CARD": "카드 사용이 거절되었습니다. 카드사 문의가 필요합니다.",
        "INVALID_CARD_EXPIRATION": "카드 정보를 다시 확인해주세요. (유효기간)",
        "INVALID_CARD_NUMBER": "카드번호를 다시 확인해주세요.",
        "INVALID_BILL_KEY_REQUEST": "빌링키 인증이 완료되지 않았거나 유효하지 않은 빌링 거래 건입니다.",
        "NOT_SUPPORTED_CARD_TYPE": "지원되지 않는 카드 종류입니다.",
        "NOT_REGISTERED_CARD_COMPANY": "카드를 사용 등록 후 이용해주세요.",
    },
    401: {"UNAUTHORIZED_KEY": "인증되지 않은 시크릿 키 혹은 클라이언트 키 입니다."},
    403: {
        "INCORRECT_BASIC_AUTH_FORMAT": "잘못된 요청입니다. ':' 를 포함해 인코딩해주세요.",
        "FORBIDDEN_REQUEST": "허용되지 않은 요청입니다.",
        "FORBIDDEN_CONSECUTIVE_REQUEST": "반복적인 요청은 허용되지 않습니다. 잠시 후 다시 시도해주세요.",
        "REJECT_CARD_PAYMENT": "한도초과 혹은 잔액부족으로 결제에 실패했습니다.",
        "REJECT_ACCOUNT_PAYMENT": "잔액부족으로 결제에 실패했습니다.",
        "REJECT_CARD_COMPANY": "결제 승인이 거절되었습니다.",
        "EXCEED_MAX_ONE_DAY_AMOUNT": "일일 한도를 초과했습니다.",
        "EXCEED_MAX_AUTH_COUNT": "최대 인증 횟수를 초과했습니다. 카드사로 문의해주세요.",
        "NOT_AVAILABLE_BANK": "은행 서비스 시간이 아닙니다.",
        "NOT_CANCELABLE_AMOUNT": "취소 할 수 없는 금액 입니다.",
    },
    404: {
        "NOT_FOUND_BILLING": "존재하지 않는 빌링 결제키 입니다.",
        "NOT_FOUND_PAYMENT": "존재하지 않는 결제 정보 입니다.",
        "NOT_FOUND_MERCHANT": "존재하지 않는 가맹점입니다.",
        "NOT_FOUND": "존재하지 않는 정보 입니다.",
    },
    409: {"IDEMPOTENT_REQUEST_PROCESSING": "이전 멱등 요청이 처리중입니다."},
    500: {
        "FAILED_INTERNAL_SYSTEM_PROCESSING": "내부 시스템 처리 작업이 실패했습니다.",
        "FAILED_CARD_COMPANY_RESPONSE": "카드사에서 에러가 발생했습니다. 잠시 후 다시 시도해 주세요.",
        "UNKNOWN_ERROR": "알 수 없는 에러입니다.",
    },
}
ERRORS = {code: (status, message) for status, codes in _BY_STATUS.items() for code, message in codes.items()}
"""Code → HTTP status and message. ALREADY_REMOVED_BILLING_KEY comes from public code."""


@dataclass(frozen=True)
class TossSwitches:
    """How the simulated merchant is set up."""

    secret_key: str = field(default=SECRET_KEY, repr=False)
    accept_unknown_keys: bool = True
    """Whether a billing key that was never registered is taken for a good card."""
    inquiry_lag_s: float = 0.0
    """How long an approval stays invisible to inquiries, by the simulator's clock."""
    removed_key_code: str = "NOT_FOUND_BILLING"
    """How a deleted billing key is refused; public code has also seen ALREADY_REMOVED_BILLING_KEY (400)."""


@dataclass(frozen=True)
class Card:
    """How the card behind one billing key answers."""

    billing_key: str = field(repr=False)
    customer_key: str = field(default="", repr=False)
    """Whom the key was issued to; empty: whoever uses it first."""
    script: tuple[str, ...] = ("approve",)
    """`approve` or a decline code, one per charge that reaches the card; the last word stays."""
    decline_rate: float = 0.0
    """Which part of the charges that the script approves is declined after all, by order number."""
    decline_code: str = "REJECT_CARD_PAYMENT"
    seed: int = 0


def verdict(card: Card, used: int, order_no: str) -> str:
    """Say `approve` or a decline code for a card that answered `used` charges before this one."""
    word = card.script[min(used, len(card.script) - 1)]
    if word == "approve" and card.decline_rate and chosen(card.decline_rate, card.seed, order_no):
        return card.decline_code
    return word


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most


def _instalment_problem(body: dict[str, object], amount: int) -> str | None:
    months = body.get("cardInstallmentPlan", 0)
    if not _is_whole(months) or months not in _INSTALMENT_MONTHS:
        return "INVALID_CARD_INSTALLMENT_PLAN"
    return "NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN" if months and amount < _MIN_INSTALMENT_KRW else None


def _fields_problem(body: dict[str, object]) -> str | None:
    customer_key, order_no = body.get("customerKey"), body.get("orderId")
    names = [body[name] for name in ("customerName", "customerEmail") if body.get(name) is not None]
    checks = {
        "INVALID_REQUEST": _is_whole(body.get("amount"))
        and isinstance(customer_key, str)
        and _CUSTOMER_KEY.fullmatch(customer_key)
        and all(_is_text(name, _NAME_CHARS) for name in names),
        "INVALID_ORDER_ID": isinstance(order_no, str) and _ORDER_NO.fullmatch(order_no),
        "INVALID_ORDER_NAME": _is_text(body.get("orderName"), _NAME_CHARS),
    }
    return next((code for code, holds in checks.items() if not holds), None)


def charge_problem(body: object) -> str | None:
    """Return the code that refuses a charge before any card is asked; None where it is well formed."""
    if not isinstance(body, dict):
        return "INVALID_REQUEST"
    if (problem := _fields_problem(body)) is not None:
        return problem
    amount, tax_free = body["amount"], body.get("taxFreeAmount", 0)
    if amount < MIN_AMOUNT_KRW:
        return "BELOW_MINIMUM_AMOUNT"
    if not _is_whole(tax_free) or not 0 <= tax_free <= amount:
        return "INVALID_REQUEST"
    return _instalment_problem(body, amount)


def cancel_problem(body: object) -> str | None:
    """Return the code with which a cancel is refused before the payment is looked at."""
    if not isinstance(body, dict) or not _is_text(body.get("cancelReason"), _REASON_CHARS):
        return "INVALID_REQUEST"
    amounts = [body[name] for name in ("cancelAmount", "refundableAmount") if body.get(name) is not None]
    return None if all(_is_whole(value) and value > 0 for value in amounts) else "INVALID_REQUEST"
