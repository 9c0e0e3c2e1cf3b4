"""What happened to a subscription, in the order of time: seals, attempts, payments, messages, credits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from lib.billing import texts, words
from lib.clock import Clock
from lib.report.table import Cells, Column, won
from lib.store import Row, Transaction, utc

COLUMNS = (
    Column("at", "일시"),
    Column("round_id", "회차번호"),
    Column("what", "무엇"),
    Column("state", "결과"),
    Column("amount_krw", "금액", won),
    Column("said", "내용"),
)


def of(tx: Transaction, clock: Clock, subscription_id: str, rounds: Sequence[Row]) -> list[Cells]:
    """Return all that is recorded, by the shop's local time."""
    round_ids = [row["round_id"] for row in rounds]
    attempts = tx.rows("attempts_told", ids=round_ids) if round_ids else []
    messages = tx.rows("messages_told", ids=[subscription_id])
    found = [
        *(event for row in rounds for event in _round_events(row)),
        *(event for row in attempts for event in _attempt_events(row)),
        *_payments(tx, attempts),
        *(event for row in messages for event in _message_events(row)),
        *_credits(tx, messages),
    ]
    in_time = sorted((event for event in found if event["at"]), key=lambda event: utc(event["at"]))
    return [{**event, "at": clock.to_local(utc(event["at"]))} for event in in_time]


def _event(at: datetime | None, round_id: int | None, what: str, **rest: object) -> dict[str, Any]:
    return {
        "at": at,
        "round_id": round_id,
        "what": what,
        "state": None,
        "amount_krw": None,
        "said": "",
    } | rest


def _round_events(row: Row) -> Iterator[dict[str, Any]]:
    number, amount = row["round_id"], row["amount_krw"]
    delivery = f"{row['delivery_on']} {row['round_no']}회차"
    yield _event(row["sealed_at"], number, "회차 확정", amount_krw=amount, said=delivery)
    yield _event(row["paid_at"], number, "회차 결제", amount_krw=amount, said=delivery)
    yield _event(row["written_at"], number, "주문 생성", amount_krw=amount, said=row["order_id"])


def _attempt_events(row: Row) -> Iterator[dict[str, Any]]:
    what, number = f"결제 시도 {row['attempt_no']}", row["round_id"]
    place = f"{row['pg_code']} {row['order_no']}"
    yield _event(row["sent_at"], number, what, amount_krw=row["amount_krw"], said=place)
    said = " ".join(filter(None, [row["code"], row["message"], _settled(row)]))
    state = words.ATTEMPT.get(row["state"], row["state"])
    if row["decline"]:
        state += " (재시도 안 함)" if row["decline"] == "hard" else " (재시도)"
    at = row["closed_at"] or row["sent_at"]
    yield _event(at, number, f"{what} 결과", state=state, said=said)


def _settled(row: Row) -> str | None:
    return f"— {row['settled_by']}: {row['evidence']}" if row["settled_by"] else None


def _payments(tx: Transaction, attempts: Sequence[Row]) -> Iterator[dict[str, Any]]:
    by_order = {row["order_no"]: row["round_id"] for row in attempts}
    for row in tx.rows("payments_of", order_nos=sorted(by_order)) if by_order else []:
        source = words.SOURCE.get(row["source"], row["source"])
        yield _event(
            row["recorded_at"],
            by_order[row["order_no"]],
            "원장",
            state=words.PAYMENT.get(row["kind"], row["kind"]),
            amount_krw=row["amount_krw"],
            said=f"{row['pg_code']} {row['tid']} ({source})",
        )


def _message_events(row: Row) -> Iterator[dict[str, Any]]:
    kind = words.MESSAGE_KIND.get(row["kind"], row["kind"])
    recipient = words.RECIPIENT.get(row["recipient"], row["recipient"])
    channel = row["sms_kind"] or words.CHANNEL.get(row["channel"], row["channel"])
    state = words.MESSAGE.get(row["state"], row["state"])
    address = texts.mask_address(row["address"])
    said = " ".join(filter(None, [address, row["reason"]]))
    at = row["accepted_at"] or row["queued_at"]
    yield _event(at, row["round_id"], f"{kind} {recipient} {channel}", state=state, said=said)


def _credits(tx: Transaction, messages: Sequence[Row]) -> Iterator[dict[str, Any]]:
    by_id = {row["message_id"]: row for row in messages}
    for row in tx.rows("entries_of", ids=sorted(by_id)) if by_id else []:
        sign = "-" if row["kind"] == "debit" else "+"
        said = f"{words.CREDIT.get(row['channel'], row['channel'])} {sign}{row['units']}건"
        kind = "차감" if row["kind"] == "debit" else "돌려받음"
        round_id = by_id[row["message_id"]]["round_id"]
        yield _event(row["recorded_at"], round_id, "건수", state=kind, said=said)
