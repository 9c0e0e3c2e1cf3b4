"""What only a person can decide: attempts in doubt, held rounds, messages that may have left."""

from __future__ import annotations

from functools import partial

from lib.billing import words
from lib.clock import Clock
from lib.report.matters import local, pages
from lib.report.table import Cells, Column, Section, one_of, won
from lib.store import Row, Store

AT_THE_PG = {
    "tosspayments": "토스페이먼츠 상점관리자 > 결제 내역에서 주문번호로 검색",
    "nicepay": "나이스페이 상점관리자 > 거래 내역에서 주문번호로 검색",
    "allat": "올앳 상점관리자 > 승인 내역에서 주문번호로 검색 (조회 API 없음)",
}
ATTEMPT_COLUMNS = (
    Column("order_no", "주문번호"),
    Column("subscription_id", "신청번호"),
    Column("delivery_on", "배송예정일"),
    Column("pg_code", "PG"),
    Column("amount_krw", "금액", won),
    Column("sent_at", "보낸 때"),
    Column("round_state", "회차 상태", one_of(words.ROUND)),
    Column("said", "PG 응답"),
    Column("remedy", "확인할 곳"),
    Column("command", "승인이면"),
    Column("otherwise", "승인이 없으면"),
)
HELD_COLUMNS = (
    Column("round_id", "회차번호"),
    Column("subscription_id", "신청번호"),
    Column("delivery_on", "배송예정일"),
    Column("pg_code", "PG"),
    Column("amount_krw", "금액", won),
    Column("state_reason", "사유"),
    Column("remedy", "정리하는 방법"),
    Column("command", "명령"),
)
MESSAGE_COLUMNS = (
    Column("message_id", "번호"),
    Column("subscription_id", "신청번호"),
    Column("kind", "종류", one_of(words.MESSAGE_KIND)),
    Column("recipient", "받는 사람", one_of(words.RECIPIENT)),
    Column("channel", "채널", one_of(words.CHANNEL)),
    Column("reason", "사유"),
    Column("command", "보냈으면"),
    Column("otherwise", "보내지 않았으면"),
)
WORD = "--by 이름 --evidence 근거"


def doubts(store: Store, clock: Clock) -> list[Section]:
    """Return what only a person can decide, with what to look at and the commands for each outcome."""
    attempts = map(partial(_attempt, clock), pages(store, "attempts_in_doubt", "attempt_id"))
    held = map(_held, pages(store, "rounds_held", "round_id"))
    messages = map(_message, pages(store, "messages_in_doubt", "message_id"))
    return [
        Section("attempts", "결제 여부를 모르는 시도", ATTEMPT_COLUMNS, attempts, is_record=True),
        Section("rounds", "보류된 회차", HELD_COLUMNS, held, is_record=True),
        Section("messages", "발송 여부를 모르는 메시지", MESSAGE_COLUMNS, messages, is_record=True),
    ]


def _attempt(clock: Clock, row: Row) -> Cells:
    settle = f"jeonggi settle {row['order_no']}"
    return {
        **row,
        "sent_at": local(clock, row["sent_at"]),
        "said": " ".join(filter(None, [row["code"], row["message"]])),
        "remedy": AT_THE_PG.get(row["pg_code"], f"{row['pg_code']} 상점관리자에서 주문번호로 검색"),
        "command": f"{settle} --approved --tid 거래번호 {WORD}",
        "otherwise": f"{settle} --not-charged {WORD}",
    }


def _held(row: Row) -> Cells:
    ways = ["--paid (결제가 유효)", "--failed (결제 실패로 끝냄)", "--void (회차 취소)"]
    if row["announced_on"]:
        ways.insert(1, "--due (다시 결제)")
    return {
        **row,
        "remedy": f"{AT_THE_PG.get(row['pg_code'], 'PG 상점관리자')} → {' | '.join(ways)}",
        "command": f"jeonggi settle {row['round_id']} --paid|--due|--failed|--void {WORD}",
    }


def _message(row: Row) -> Cells:
    settle = f"jeonggi settle --message {row['message_id']}"
    columns = {column.key: row.get(column.key) for column in MESSAGE_COLUMNS}
    return {
        **columns,
        "command": f"{settle} --accepted {WORD}",
        "otherwise": f"{settle} --refused {WORD}",
    }
