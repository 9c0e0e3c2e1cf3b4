"""What only a person can decide: attempts in doubt, held rounds, messages that may have left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from lib.billing import words
from lib.clock import Clock
from lib.dialect import as_date
from lib.report import ways
from lib.report.matters import local, pages
from lib.report.table import Cells, Column, Section, one_of, won
from lib.report.ways import Way, at_the_pg
from lib.store import Row, Store

ATTEMPT_COLUMNS = (
    Column("order_no", "주문번호"),
    Column("subscription_id", "신청번호"),
    Column("delivery_on", "배송예정일"),
    Column("charge_until", "결제기한"),
    Column("amount_krw", "금액", won),
    Column("sent_at", "보낸 때"),
    Column("round_state", "회차 상태", one_of(words.ROUND)),
    Column("said", "PG 응답"),
    Column("remedy", "확인할 곳"),
)
HELD_COLUMNS = (
    Column("round_id", "회차번호"),
    Column("subscription_id", "신청번호"),
    Column("delivery_on", "배송예정일"),
    Column("charge_until", "결제기한"),
    Column("amount_krw", "금액", won),
    Column("state_reason", "사유"),
    Column("order_nos", "주문번호"),
    Column("remedy", "확인할 곳"),
)
MESSAGE_COLUMNS = (
    Column("message_id", "번호"),
    Column("subscription_id", "신청번호"),
    Column("delivery_on", "배송예정일"),
    Column("kind", "종류", one_of(words.MESSAGE_KIND)),
    Column("recipient", "받는 사람", one_of(words.RECIPIENT)),
    Column("channel", "채널", one_of(words.CHANNEL)),
    Column("reason", "사유"),
    Column("remedy", "확인할 곳"),
)
AT_THE_PROVIDER = {
    "mail": "메일 서버의 발송 기록",
    "sms": "문자 업체 관리자의 발송 내역에서 신청자의 휴대전화로 검색",
}


def doubts(store: Store, clock: Clock) -> list[Section]:
    """Return what only a person can decide: where to look, and the command for each finding."""
    attempts = map(partial(_attempt, clock), pages(store, "attempts_in_doubt", "attempt_id"))
    held = map(partial(_held, store), pages(store, "rounds_held", "round_id"))
    messages = map(partial(_message, store), pages(store, "messages_in_doubt", "message_id"))
    return [
        _section("attempts", "결제 여부를 모르는 시도", ATTEMPT_COLUMNS, attempts),
        _section("rounds", "보류된 회차", HELD_COLUMNS, held),
        _section("messages", "발송 여부를 모르는 메시지", MESSAGE_COLUMNS, messages),
    ]


def _section(key: str, title: str, columns: Sequence[Column], rows: Iterable[Cells]) -> Section:
    return Section(key, title, columns, rows, is_record=True, below=_lines)


def _lines(cells: Cells) -> list[str]:
    return [line for way in cells["ways"] for line in Way(**way).lines()]


def _attempt(clock: Clock, row: Row) -> Cells:
    until = as_date(row["charge_until"]) if row["charge_until"] else None
    return {
        **row,
        "sent_at": local(clock, row["sent_at"]),
        "said": " ".join(filter(None, [row["code"], row["message"]])),
        "remedy": at_the_pg(row["pg_code"]).where,
        "ways": [way.told() for way in ways.of_attempt(row, clock.today, until)],
    }


def _held(store: Store, row: Row) -> Cells:
    attempts = store.rows("attempts_of_held", round_id=row["round_id"])
    order_nos = [each["order_no"] for each in attempts]
    payments = store.rows("payments_of", order_nos=order_nos) if order_nos else []
    # Every attempt may have been at a PG of its own; the newest is the one that held the round.
    pg_code = attempts[-1]["pg_code"] if attempts else row["pg_code"]
    return {
        **row,
        "order_nos": ", ".join(order_nos),
        "remedy": at_the_pg(pg_code).where if attempts else "PG에 보낸 것이 없음. 사유를 확인",
        "ways": [way.told() for way in ways.of_round(row, attempts, payments)],
    }


def _message(store: Store, row: Row) -> Cells:
    columns = {column.key: row.get(column.key) for column in MESSAGE_COLUMNS}
    is_sent_again = row["channel"] == "mail" and store.settings.policy.resend_unknown_mail
    return {
        **columns,
        "remedy": AT_THE_PROVIDER[row["channel"]],
        "ways": [way.told() for way in ways.of_message(row, is_sent_again=is_sent_again)],
    }
