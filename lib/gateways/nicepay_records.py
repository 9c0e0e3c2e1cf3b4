"""What NICEPAY's record of a transaction proves; every answer about one is such a record."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Literal, TypeGuard

from lib.gateways import Approval, Approved, Attempt

Record = Mapping[str, Any]
Source = Literal["response", "replay", "inquiry"]

DEAD = ("failed", "expired")
LARGEST_AMOUNT = 10**12
"""Won; `amount` has at most 12 digits."""


def money(record: Record, source: Source, secret: str) -> Approved | None:
    """Return the money that moved in a signed record, or None where it does not say so beyond doubt."""
    tid, order_no, amount = record.get("tid"), record.get("orderId"), record.get("amount")
    cancels = _cancels(record)
    if not (_is_token(tid, 30) and _is_token(order_no, 64) and _is_amount(amount)) or cancels is None:
        return None
    left = amount - sum(cancels)
    if not (_fits(record, left, amount) and _is_signed(record, secret)):
        return None
    told = record.get("approveNo")
    number = told if _is_token(told, 30) else ""
    undone = (Approval(tid, order_no, part, number, "cancel", seq) for seq, part in enumerate(cancels))
    return Approved((Approval(tid, order_no, amount, number), *undone), source)


def is_whole_cancel(record: Record) -> bool:
    """Tell whether all money of a record that `money` could read was given back."""
    return record.get("status") == "cancelled"


def is_dead(record: Record, attempt: Attempt, secret: str) -> bool:
    """Tell whether this is the PG's record of this very order, and it ended without an approval.

    It has a `tid`: the order number was found free and the order went on to the card. A failed one need not
    be signed; a wrong signature is none of theirs.
    """
    ours = record.get("orderId") == attempt.order_no and _is_token(record.get("tid"), 30)
    return (
        ours and record.get("status") in DEAD and (not record.get("signature") or _is_signed(record, secret))
    )


def _is_signed(record: Record, secret: str) -> bool:
    told, at, amount = record.get("signature"), record.get("ediDate"), record.get("amount")
    if not (isinstance(told, str) and isinstance(at, str) and _is_amount(amount)):
        return False
    signed = f"{record.get('tid')}{amount}{at}{secret}"
    expected = hashlib.sha256(signed.encode("utf-8", "replace")).hexdigest()
    return hmac.compare_digest(told.lower().encode("utf-8", "replace"), expected.encode())


def _fits(record: Record, left: int, amount: int) -> bool:
    """Tell whether state and balance agree with what the cancels left."""
    if record.get("balanceAmt") != left or isinstance(record.get("balanceAmt"), bool):
        return False
    match record.get("status"):
        case "paid":
            return left == amount
        case "partialCancelled":
            return 0 < left < amount
        case "cancelled":
            return left == 0 < amount
    return False


def _cancels(record: Record) -> list[int] | None:
    """Return the amounts of the cancels, oldest first; None where the list cannot be read.

    Their order in the list is not published, and the place of a cancel names it in the ledger.
    """
    listed = record.get("cancels") or []
    if not isinstance(listed, list) or not all(_is_cancel(one) for one in listed):
        return None
    return [one["amount"] for one in sorted(listed, key=lambda one: (one["cancelledAt"], one["tid"]))]


def _is_cancel(one: object) -> bool:
    return (
        isinstance(one, dict)
        and _is_amount(one.get("amount"))
        and _is_token(one.get("tid"), 30)
        and isinstance(one.get("cancelledAt"), str)
    )


def _is_token(value: object, longest: int) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isascii() and value.isprintable()


def _is_amount(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_AMOUNT
