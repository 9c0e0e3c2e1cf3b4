"""Prepaid credits: one debit in a message's life, in the transaction that claims it; never below zero."""

from __future__ import annotations

from collections.abc import Sequence

from lib.run import Run
from lib.store import Row, Transaction

CREDIT_OF = {"mail": "bulk_mail", "sms": "sms"}
"""Which credit a channel uses up: 대량메일 건수, SMS 건수."""


def debit(run: Run, messages: Sequence[tuple[Row, int]], tx: Transaction) -> bool:
    """Debit messages of one channel that were never debited; False: the credits do not suffice for all."""
    credit = CREDIT_OF[messages[0][0]["channel"]]
    if not tx.change("debit_credit", channel=credit, units=sum(units for _, units in messages)):
        return False
    tx.change_many(
        "insert_credit_entry",
        [
            {
                "message_id": message["message_id"],
                "kind": "debit",
                "channel": credit,
                "units": units,
                "at": run.clock.now(),
            }
            for message, units in messages
        ],
    )
    return True


def refund(run: Run, message_id: int, tx: Transaction) -> None:
    """Give back the debit of a message that was definitely refused or has expired, once."""
    for row in tx.rows("debits_of", ids=[message_id]):
        entry = {"message_id": message_id, "channel": row["channel"], "units": row["units"]}
        if tx.is_new("insert_credit_entry", kind="refund", at=run.clock.now(), **entry):
            tx.change("refund_credit", channel=row["channel"], units=row["units"])
