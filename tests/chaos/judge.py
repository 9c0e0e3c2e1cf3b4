"""What must be true of a shop whatever happened to it: a finding begins with the name of what was broken."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes

from tests.rig import Rig

MESSAGE_ID = re.compile(r"<jeonggi\.(\d+)@")
OPEN = "state IN ('sending', 'unknown', 'in_doubt')"


def at_rest(rig: Rig) -> list[str]:
    """Return what is broken while no job is running: what must hold between two runs of any kind."""
    return [*rig.invariants(), *_twice_approved(rig), *_posted(rig)]


def at_the_end(rig: Rig, at: datetime) -> list[str]:
    """Return what is broken once the faults have stopped and the jobs have run until nothing was left."""
    return [*at_rest(rig), *_left_open(rig, at), *_ledger(rig), *_orders(rig), *_unsettled_post(rig)]


def doubts(rig: Rig) -> int:
    """Return how many attempts wait for a person."""
    return int(rig.ours("SELECT COUNT(*) AS n FROM payment_attempt WHERE state = 'in_doubt'")[0]["n"])


def _twice_approved(rig: Rig) -> Iterator[str]:
    """Hold the gateway's book to one approval a round, whose order numbers differ in the last two digits."""
    money: dict[str, list[str]] = defaultdict(list)
    for approval in rig.sandbox.toss.approvals():
        if approval.amount > approval.cancelled_amount:
            money[approval.order_no[:-2]].append(approval.order_no)
    return (f"charged_twice: {', '.join(numbers)}" for numbers in money.values() if len(numbers) > 1)


def _posted(rig: Rig) -> Iterator[str]:
    """Hold the books of the post against the outbox: what was accepted was received, by whom it was for."""
    rows = rig.ours("SELECT message_id, channel, address, state FROM message")
    mails, texts = _mails(rig), _texts(rig)
    for row in rows:
        key = row["message_id"]
        received, copies = mails.pop(key, set()), texts.pop(key, 0)
        if received - {row["address"]}:
            yield f"mailed_to_another: {key} {received}"
        if copies > 1:
            yield f"texted_twice: {key}"
        if row["state"] == "accepted" and not (received if row["channel"] == "mail" else copies):
            yield f"not_received: {row['channel']} {key}"
    yield from (f"sent_unasked: {key}" for key in [*mails, *texts])


def _mails(rig: Rig) -> dict[int, set[str]]:
    """Return who received which message; a mail is one, however often it came, by its Message-ID."""
    found: dict[int, set[str]] = defaultdict(set)
    for mail in rig.sandbox.smtp.book:
        told = MESSAGE_ID.match(str(message_from_bytes(mail.raw)["Message-ID"]))
        found[int(told[1]) if told else 0] |= set(mail.recipients)
    return found


def _texts(rig: Rig) -> Counter[int]:
    return Counter(int(sms.custom_fields["message_id"]) for sms in rig.sandbox.solapi.released())


def _left_open(rig: Rig, at: datetime) -> Iterator[str]:
    """Find what is under way although nothing runs any more, but for doubts that a person must settle."""
    for row in rig.ours("SELECT order_no, state FROM payment_attempt WHERE state IN ('sending', 'unknown')"):
        yield f"left_under_way: {row['order_no']} {row['state']}"
    for row in rig.ours("SELECT reset_id, state FROM pg_reset WHERE state <> 'done'"):
        yield f"reset_not_done: {row['reset_id']} {row['state']}"
    for row in rig.ours(
        "SELECT round_id, state FROM billing_round WHERE state = 'charging' "
        "OR (state = 'sealed' AND delivery_on <= :today) OR (state = 'due' AND charge_until < :today)",
        today=at.date(),
    ):
        yield f"left_behind: round {row['round_id']} {row['state']}"


def _ledger(rig: Rig) -> Iterator[str]:
    """Hold book and ledger against each other, to the won; what is in doubt is a person's to find out."""
    booked = {(each.payment_key, each.order_no, each.amount) for each in rig.sandbox.toss.approvals()}
    rows = rig.ours("SELECT tid, order_no, amount_krw FROM payment WHERE kind = 'approve'")
    ledger = {(row["tid"], row["order_no"], row["amount_krw"]) for row in rows}
    in_doubt = {row["order_no"] for row in rig.ours(f"SELECT order_no FROM payment_attempt WHERE {OPEN}")}
    for _, order_no, amount in sorted(booked - ledger):
        if order_no not in in_doubt:
            yield f"approval_not_in_ledger: {order_no} {amount:,}"
    if not rig.ours("SELECT reset_id FROM pg_reset"):
        # Only a reset stops asking: else what was approved is found out, and only what never came is a doubt.
        found_out = {order_no for _, order_no, _ in booked}
        yield from (f"approval_left_in_doubt: {order_no}" for order_no in sorted(in_doubt & found_out))
    for _, order_no, amount in sorted(ledger - booked):
        yield f"ledger_not_in_book: {order_no} {amount:,}"


def _orders(rig: Rig) -> Iterator[str]:
    """Hold the shop's orders against the paid rounds, one for one and to the won."""
    paid = rig.ours("SELECT order_id, amount_krw FROM billing_round WHERE state = 'paid'")
    ordered = rig.shop("SELECT order_id, payment_amount FROM orders WHERE subscription_id IS NOT NULL")
    wanted = {(row["order_id"], row["amount_krw"]) for row in paid}
    there = {(row["order_id"], row["payment_amount"]) for row in ordered}
    yield from (f"paid_not_ordered: {order_id}" for order_id, _ in sorted(wanted - there))
    yield from (f"ordered_not_paid: {order_id}" for order_id, _ in sorted(there - wanted))


def _unsettled_post(rig: Rig) -> Iterator[str]:
    """Find messages that nobody works on and that did not end; what nobody can look up stays unknown."""
    rows = rig.ours(
        "SELECT message_id, kind, channel, state FROM message WHERE state = 'sending' "
        "OR (state = 'queued' AND kind <> 'payment_notice')"
    )
    yield from (f"not_delivered: {row['channel']} {row['kind']} {row['state']}" for row in rows)
