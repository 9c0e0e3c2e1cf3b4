"""The Korean words for states and kinds, as the shop's own pages have them where they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lib.report.table import plain

SUBSCRIPTION = {"U": "이용중", "P": "일시정지", "C": "해지"}
ITEM = {
    "U": "이용중",
    "B": "일시정지(구매자)",
    "Q": "일시정지(관리자)",
    "M": "고객해지",
    "A": "자동해지",
    "O": "관리자해지",
}
ROUND = {
    "sealed": "안내대기",
    "due": "결제대기",
    "charging": "결제중",
    "in_doubt": "확인필요",
    "held": "보류",
    "paid": "결제완료",
    "failed": "결제실패",
    "void": "취소",
    "missed": "미진행",
    "skipped": "건너뜀",
}
ATTEMPT = {
    "sending": "전송중",
    "approved": "승인",
    "declined": "거절",
    "not_sent": "전송안됨",
    "not_charged": "결제안됨",
    "unknown": "결과모름",
    "in_doubt": "확인필요",
}
MESSAGE = {
    "queued": "대기",
    "sending": "발송중",
    "accepted": "접수",
    "refused": "거부",
    "unknown": "결과모름",
    "no_credit": "건수부족",
    "expired": "만료",
    "merged": "요약메일에 포함",
}
MESSAGE_KIND = {
    "payment_notice": "결제 안내",
    "payment_declined": "결제 거절 안내",
    "payment_failed": "결제 실패 안내",
    "auto_cancel": "자동 해지 안내",
    "digest": "운영자 요약",
}
RECIPIENT = {"customer": "고객", "operator": "운영자"}
CHANNEL = {"mail": "메일", "sms": "SMS"}
CREDIT = {"bulk_mail": "대량메일", "sms": "SMS"}
PAYMENT = {"approve": "승인", "cancel": "취소"}
SOURCE = {"response": "응답", "replay": "재전송", "inquiry": "조회", "spool": "스풀", "operator": "운영자"}
CONTRACT = {"reviewing": "심사중", "approved": "심사완료", "in_use": "이용중", "terminated": "종료"}
TERMINATION = {"changed": "변경", "reset": "초기화", "renewed": "재신청"}
SERVICE = {
    "applied": "신청",
    "reviewing": "심사중",
    "in_use": "이용중",
    "rejected": "반려",
    "reset": "초기화",
}
EXCLUDED = {
    "set_product": "세트상품",
    "one_plus_n": "1+N 상품",
    "sold_out": "품절",
    "short_of_stock": "재고부족",
    "price_risen": "가격인상",
}
FINDING = {"ok": "정상", "warning": "주의", "problem": "문제"}
JOB = {"notify_d2": "D-2 안내", "charge_d1": "D-1 결제", "reset_pg": "PG 초기화"}


def one_of(words: Mapping[str, str]) -> Callable[[str | None], str]:
    """Return how a state is written: its Korean word, or what the shop has where there is none."""
    return lambda value: words.get(value or "", plain(value))
