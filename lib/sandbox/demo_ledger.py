"""The end of the demo: everything is held against everything else, and counted."""

from __future__ import annotations

from collections.abc import Iterator

from lib import checking
from lib.billing import texts
from lib.sandbox.demo_stage import Stage

Figure = tuple[str, str, str]
"""What, how much, and a remark."""

_STATES = {
    "paid": "결제됨",
    "failed": "실패: 재시도까지 모두 거절",
    "void": "무효: 해지 또는 PG 변경",
    "skipped": "건너뜀: 결제할 상품 없음",
    "missed": "놓침",
    "held": "보류: 사람이 확인",
    "in_doubt": "결과 불명: 사람이 확인",
    "charging": "결제 중",
    "due": "결제·재시도를 기다림",
    "sealed": "안내를 기다림",
}
_CHANNELS = {"bulk_mail": "대량메일", "sms": "SMS"}


def faults(stage: Stage) -> list[str]:
    """Return what does not hold: the invariants, the PG's book, the credits, the handed-over messages."""
    return [
        *(f"불변식 {one.name}: {len(one.rows):,}행" for one in checking.invariants(stage.store) if one.rows),
        *_book_differences(stage),
        *_credit_differences(stage),
        *_message_differences(stage),
    ]


def _book_differences(stage: Stage) -> Iterator[str]:
    """Hold our ledger against the simulated PG's book, both ways."""
    booked = {one.payment_key: (one.order_no, one.amount) for one in stage.sandbox.toss.approvals()}
    recorded = {row["tid"]: (row["order_no"], row["amount_krw"]) for row in stage.rows("approvals_recorded")}
    still_open = {row["order_no"] for row in stage.rows("attempts_open")}
    yield from (
        f"PG의 승인 {number}이 장부에 없습니다"
        for key, (number, _) in booked.items()
        if key not in recorded and number not in still_open
    )
    yield from (
        f"장부의 승인 {one[0]}이 PG의 것과 다릅니다"
        for key, one in recorded.items()
        if booked.get(key) != one
    )


def _credit_differences(stage: Stage) -> Iterator[str]:
    for channel, (debits, refunds, left) in _credits(stage).items():
        if _opening(stage, channel) - debits + refunds != left:
            yield f"{_CHANNELS[channel]} 건수가 맞지 않습니다: 남은 {left:,}건"


def _message_differences(stage: Stage) -> Iterator[str]:
    mails, sms = _messages(stage)
    if mails != len(stage.sandbox.smtp.book):
        yield f"메일 서버가 받은 메일은 {len(stage.sandbox.smtp.book):,}통, 보낸 것은 {mails:,}통입니다"
    if sms != len(stage.sandbox.solapi.released()):
        yield f"나간 문자는 {len(stage.sandbox.solapi.released()):,}건, 보낸 것은 {sms:,}건입니다"


def _opening(stage: Stage, channel: str) -> int:
    recipe = stage.recipe
    return recipe.balance(recipe.bulk_mail_credits if channel == "bulk_mail" else recipe.sms_credits)


def _credits(stage: Stage) -> dict[str, tuple[int, int, int]]:
    """Return debited, refunded and left units by channel."""
    moved = {(row["channel"], row["kind"]): int(row["units"]) for row in stage.rows("credits_moved")}
    left = {row["channel"]: row["balance"] for row in stage.rows("credits_left")}
    return {
        channel: (moved.get((channel, "debit"), 0), moved.get((channel, "refund"), 0), left[channel])
        for channel in _CHANNELS
    }


def _messages(stage: Stage) -> tuple[int, int]:
    """Return how many mails and how many SMS were handed over."""
    accepted = {row["channel"]: row["messages"] for row in stage.rows("messages_accepted")}
    return accepted.get("mail", 0), accepted.get("sms", 0)


def figures(stage: Stage) -> Iterator[Figure]:
    """Yield the short ledger."""
    rounds = {row["state"]: row for row in stage.rows("rounds_by_state")}
    for state, meaning in _STATES.items():
        if state in rounds:
            amount = rounds[state]["amount_krw"]
            remark = f"{meaning}, {texts.won(amount)}" if amount else meaning
            yield f"회차 {state}", f"{rounds[state]['rounds']:,}건", remark
    approvals = stage.sandbox.toss.approvals()
    written = stage.rows("orders_written")[0]["orders"]
    charged = texts.won(sum(one.amount for one in approvals))
    yield "결제한 금액", charged, f"PG 승인 {len(approvals):,}건, 쇼핑몰 주문 {written:,}건"
    for channel, (debits, refunds, left) in _credits(stage).items():
        remark = f"돌려받음 {refunds:,}건, 남음 {left:,}건"
        yield f"{_CHANNELS[channel]} 차감", f"{debits:,}건", remark
    mails, sms = _messages(stage)
    kinds = [one.kind for one in stage.sandbox.solapi.released()]
    yield "보낸 메일", f"{mails:,}통", ""
    yield "보낸 문자", f"{sms:,}건", f"SMS {kinds.count('SMS'):,}건, LMS {kinds.count('LMS'):,}건"
