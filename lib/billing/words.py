"""The Korean words for codes, as the shop's own pages have them where they do: one word for each, everywhere.

A code without a word here is shown as it is: it is the shop's own.
"""

from __future__ import annotations

from lib.billing.texts import won

SUBSCRIPTION = {"U": "이용중", "P": "일시정지", "C": "해지"}
ITEM = {
    "U": "이용중",
    "B": "일시정지(구매자)",
    "Q": "일시정지(관리자)",
    "M": "고객해지",
    "A": "자동해지",
    "O": "관리자해지",
}
ENDED = {"pg_reset": "PG 변경·초기화", "count_finished": "배송 횟수 완료"}
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
EXCLUDED = {
    "set_product": "세트상품",
    "one_plus_n": "1+N 상품",
    "sold_out": "품절",
    "short_of_stock": "재고 부족",
    "price_risen": "가격 인상",
}
BLOCKED = {
    "shop_not_ready": "새 상품관리 미사용",
    "member_withdrawn": "탈퇴 회원",
    "no_address": "안내받을 주소 없음",
    "before_first_delivery": "첫 배송일 이전",
    "already_ordered": "이미 주문 있음",
    "no_card": "카드 없음",
    "foreign_card": "다른 회원의 카드",
    "contract_ended": "카드의 PG 계약이 끝남",
    "reset_in_progress": "PG 초기화 중",
    "pg_not_in_use": "PG 미사용",
    "service_not_in_use": "정기결제 서비스 미사용",
}
WAY_OUT = {
    "shop_not_ready": "쇼핑몰 설정에서 새 상품관리로 바꾸세요",
    "member_withdrawn": "신청을 해지하세요",
    "no_address": "신청이나 회원의 메일 주소, 휴대전화를 고치세요",
    "before_first_delivery": "관리자 페이지에서 배송예정일을 새로 지정하세요",
    "already_ordered": (
        "주문이 맞으면 관리자 페이지에서 배송예정일을 새로 지정하고, "
        "다른 프로그램이 만든 주문이면 그 프로그램을 멈추세요"
    ),
    "no_card": "고객이 카드를 등록해야 합니다",
    "foreign_card": "고객이 자기 카드를 등록해야 합니다",
    "contract_ended": "고객이 새 카드를 등록해야 합니다",
    "reset_in_progress": "`reset-pg` 가 끝나면 이어서 합니다",
    "pg_not_in_use": "관리자 페이지에서 PG 계약을 확인하세요",
    "service_not_in_use": "정기결제 서비스를 신청하세요",
}
"""What ends each of the reasons of BLOCKED."""
VERDICT = {
    "charge": "결제",
    "free": "0원, 결제 없이 완료",
    "void": "취소",
    "blocked": "진행 불가",
    "ended": "결제기한 지남",
    "wait": "새 카드 대기",
    "later": "나중에",
    "hold": "보류",
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
PAYMENT = {"approve": "승인", "cancel": "취소"}
SOURCE = {"response": "응답", "replay": "재전송", "inquiry": "조회", "spool": "스풀", "operator": "운영자"}
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
CONTRACT = {"reviewing": "심사중", "approved": "심사완료", "in_use": "이용중", "terminated": "종료"}
TERMINATION = {"changed": "변경", "reset": "초기화", "renewed": "재신청"}
SERVICE = {
    "applied": "신청",
    "reviewing": "심사중",
    "in_use": "이용중",
    "rejected": "반려",
    "reset": "초기화",
}
MATTER = {
    "in_doubt": "결제 결과모름",
    "held": "보류",
    "missed": "미진행",
    "blocked": "진행 불가",
    "no_credit": "건수부족",
    "bad_row": "잘못된 자료",
    "key_left": "빌링키 남음",
    "reset_waits": "PG 초기화 대기",
    "foreign_approval": "다른 승인",
    "spool": "스풀",
    "template": "서식",
    "unsendable": "보낼 수 없음",
}
COUNT = {
    "due": "대상",
    "sealed": "확정",
    "late": "늦은 회차",
    "missed": "미진행",
    "skipped": "건너뜀",
    "blocked": "진행 불가",
    "dropped_items": "제외 상품",
    "messages_accepted": "발송",
    "messages_refused": "발송 거부",
    "messages_unknown": "발송 결과모름",
    "messages_no_credit": "건수부족",
    "credits_left": "남은 건수",
    "credits_needed": "필요한 건수",
    "paid": "결제완료",
    "declined": "거절",
    "failed": "결제실패",
    "void": "취소",
    "unknown": "결과모름",
    "in_doubt": "확인필요",
    "held": "보류",
    "settled": "결과 확인",
    "written": "주문 기록",
    "resets": "PG 초기화",
    "cancelled": "해지",
    "voided": "회차 취소",
    "cards_deleted": "카드 삭제",
    "pg_keys_deleted": "빌링키 삭제",
    "pg_keys_failed": "빌링키 삭제 안됨",
    "amount_krw": "금액",
    "bulk_mail": "대량메일",
    "sms": "SMS",
}
"""What a run counts, in its summary."""
FINDING = {"ok": "정상", "warning": "주의", "problem": "문제"}
INVARIANT = {
    "charged_once": "한 회차는 한 번만 결제됨",
    "approved_is_paid": "승인된 회차는 결제완료이거나 보류됨",
    "paid_is_approved": "결제완료인 회차에는 승인이 있음",
    "amount_is_sealed": "승인 금액은 확정 금액과 같음",
    "announced_before": "결제 전날까지 안내됨",
    "one_open_attempt": "한 회차에 열린 결제 시도는 하나뿐임",
    "new_number_after_proof": "앞 시도의 끝이 증명된 뒤에만 다시 시도함",
    "item_in_one_round": "한 품목은 열린 회차 하나에만 있음",
    "debited_once": "건수는 메시지마다 한 번만 차감됨",
    "refunded_rightly": "건수는 거부되거나 만료된 메시지에만 돌려줌",
    "refunded_at_all": "거부되거나 만료된 메시지의 건수는 돌려줌",
    "written_is_ordered": "주문 기록을 마친 회차에는 쇼핑몰 주문이 있음",
    "ordered_is_written": "쇼핑몰의 우리 주문은 결제완료된 회차의 것임",
    "reset_left_no_card": "초기화를 마친 PG의 카드가 남지 않음",
    "reset_left_no_subscription": "초기화를 마친 PG의 신청이 남지 않음",
    "reset_left_no_attempt": "초기화를 마친 PG에 결과를 모르는 시도가 남지 않음",
    "charging_is_open": "결제중인 회차에는 열린 결제 시도가 있음",
}
JOB = {"notify_d2": "D-2 안내", "charge_d1": "D-1 결제", "reset_pg": "PG 초기화"}


def excluded(reason: str) -> str:
    """Say why an item is left out of its round."""
    return EXCLUDED.get(reason, reason)


def risen(agreed: int, now: int, charged: int) -> str:
    """Say how a unit price rose above the agreed one, and what is charged, all in won."""
    return f"{won(agreed)} → {won(now)}, {won(charged)}에 결제"


def blocked(reason: str) -> str:
    """Say what stands in a round's way and what ends it."""
    return f"{BLOCKED[reason]}. {WAY_OUT[reason]}"
