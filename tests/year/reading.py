"""What the jobs left in the database, as plain rows by the names that the model knows them by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from tests.model import MessageKey
from tests.rig import Rig, Rows
from tests.year.tables import KEYS, Key, Row, Tables
from tests.year.weather import Tried

KOREA = timedelta(hours=9)
MESSAGE_ID = re.compile(rb"^Message-ID: *(.+?)\r$", re.IGNORECASE | re.MULTILINE)

ROUNDS = """
SELECT subscription_id, delivery_on, round_no, items_amount, discount_amount, shipping_fee, amount_krw, state,
       announced_on, charge_on, charge_until, next_attempt_at, written_at
FROM billing_round WHERE delivery_on >= :since
"""
LINES = """
SELECT r.subscription_id, r.delivery_on, l.item_id, l.round_no, l.unit_price, l.quantity, l.discount_amount,
       l.amount, l.excluded_reason
FROM billing_round r JOIN billing_round_item l ON l.round_id = r.round_id
WHERE r.delivery_on >= :since
"""
ATTEMPTS = """
SELECT r.subscription_id, r.delivery_on, a.attempt_no, a.card_id, a.amount_krw, a.state, a.decline
FROM billing_round r JOIN payment_attempt a ON a.round_id = r.round_id
WHERE r.delivery_on >= :since
"""
MESSAGES = """
SELECT m.message_id, m.kind, m.ref, m.recipient, m.channel, m.state, m.address, m.tries,
       r.subscription_id, r.delivery_on, d.units AS debited, c.units AS refunded
FROM message m
LEFT JOIN billing_round r ON r.round_id = m.round_id
LEFT JOIN credit_entry d ON d.message_id = m.message_id AND d.kind = 'debit'
LEFT JOIN credit_entry c ON c.message_id = m.message_id AND c.kind = 'refund'
WHERE r.delivery_on >= :since OR r.delivery_on IS NULL
ORDER BY m.message_id
"""
UNSENT = """
SELECT r.subscription_id, r.delivery_on, COUNT(*) AS attempts
FROM billing_round r JOIN payment_attempt a ON a.round_id = r.round_id
WHERE a.state = 'not_sent' GROUP BY r.subscription_id, r.delivery_on
"""
REFUNDS = """
SELECT m.channel, SUM(c.units) AS units FROM credit_entry c JOIN message m ON m.message_id = c.message_id
WHERE c.kind = 'refund' GROUP BY m.channel
"""
ORDERS = """
SELECT subscription_id, delivery_date, sequence, receiver_name, payment_amount, paid_at FROM orders
WHERE subscription_id IS NOT NULL
"""
ORDER_LINES = """
SELECT o.subscription_id, o.delivery_date, l.subscription_item_id,
       l.sequence, l.unit_price, l.quantity, l.amount
FROM orders o JOIN order_item l ON l.order_id = o.order_id WHERE o.subscription_id IS NOT NULL
"""


def plain(value: object) -> object:
    """Cut a moment to five minutes: a run takes seconds, one that was struck a few runs; the model's none."""
    if not isinstance(value, datetime):
        return value
    return value.replace(minute=value.minute // 5 * 5, second=0, microsecond=0)


def read_tables(rig: Rig, names: Iterable[str], expected: Tables) -> Tables:
    """Read tables of the shop: the columns that the town knows of."""
    found: Tables = {}
    for name in names:
        columns = next(iter(expected[name].values()), {})
        rows = rig.shop(f"SELECT * FROM {name}")
        found[name] = by_key(
            [{each: row[each] for each in columns} for row in rows] if columns else rows, KEYS[name]
        )
    return found


def by_key(rows: Rows, key: tuple[str, ...]) -> dict[Key, Row]:
    return {
        tuple(row[column] for column in key): {
            name: plain(value) for name, value in row.items() if name not in key
        }
        for row in rows
    }


def read_rounds(rig: Rig, since: date) -> dict[Key, Row]:
    rows = rig.ours(ROUNDS, since=since)
    for row in rows:
        row["is_written"] = row.pop("written_at") is not None
        next_at = row.pop("next_attempt_at")
        row["next_attempt_at"] = next_at + KOREA if next_at and row["state"] == "due" else None
    return by_key(rows, ("subscription_id", "delivery_on"))


def read_lines(rig: Rig, since: date) -> dict[Key, Row]:
    return by_key(rig.ours(LINES, since=since), ("subscription_id", "delivery_on", "item_id"))


def read_attempts(rig: Rig, since: date) -> dict[Key, Row]:
    rows = rig.ours(ATTEMPTS, since=since)
    for row in rows:
        decline = row.pop("decline")
        row["state"] = decline if row["state"] == "declined" else row["state"]
    return by_key(rows, ("subscription_id", "delivery_on", "attempt_no"))


def read_messages(rig: Rig, since: date) -> dict[MessageKey, Row]:
    found: dict[MessageKey, Row] = {}
    digests = 0
    for row in rig.ours(MESSAGES, since=since):
        digests += row["kind"] == "digest"
        ref = str(digests) if row["kind"] == "digest" else row["ref"]
        if row["subscription_id"] is not None:
            ref = f"{row['subscription_id']}|{row['delivery_on']}"
        found[row["kind"], ref, row["recipient"], row["channel"]] = {
            "state": row["state"],
            "address": row["address"] if row["recipient"] == "customer" else None,
            "debited": row["debited"] or 0,
            "refunded": row["refunded"] or 0,
            "tries": row["tries"],
        }
    return found


def read_tried(rig: Rig) -> dict[MessageKey, Tried]:
    """Return what became of every message so far: how often it was claimed, and its state."""
    rows = read_messages(rig, date(2000, 1, 1))
    return {key: Tried(int(str(row["tries"])), str(row["state"])) for key, row in rows.items()}


def read_unsent(rig: Rig) -> dict[tuple[str, date], int]:
    """Return how many charges of a round never left."""
    return {(row["subscription_id"], row["delivery_on"]): row["attempts"] for row in rig.ours(UNSENT)}


def read_refunds(rig: Rig) -> Counter[str]:
    """Return the credits given back so far, by the channel of their messages."""
    return Counter({row["channel"]: int(row["units"]) for row in rig.ours(REFUNDS)})


def read_orders(rig: Rig) -> dict[Key, Row]:
    return by_key(rig.shop(ORDERS), ("subscription_id", "delivery_date"))


def read_order_lines(rig: Rig) -> dict[Key, Row]:
    return by_key(rig.shop(ORDER_LINES), ("subscription_id", "delivery_date", "subscription_item_id"))


def read_letters(rig: Rig) -> int:
    """Return how many mails their readers have: the same Message-ID twice is one."""
    return len({MESSAGE_ID.findall(mail.raw)[0] for mail in rig.sandbox.smtp.book})


def read_texts(rig: Rig) -> int:
    """Return how many text messages left for a telephone."""
    return len(rig.sandbox.solapi.released())
