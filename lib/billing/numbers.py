"""The number under which a payment attempt is known to the PG and, once paid, the order to the shop."""

from __future__ import annotations

from base64 import b32encode
from datetime import date
from hashlib import sha256

ATTEMPT_NO_MAX = 99


def order_no(shop_no: int, subscription_id: str, delivery_on: date, attempt_no: int) -> str:
    """Return the order number of an attempt, `[A-Z0-9]`, at most 40 characters.

    It depends on nothing else, so a rebuilt or restored database makes the same number for the same round.
    Attempt 0 stands for a round of 0 won, paid without a gateway. ValueError for what has no number.
    """
    if not 0 <= attempt_no <= ATTEMPT_NO_MAX or shop_no < 0:
        raise ValueError(f"attempt {attempt_no} of shop {shop_no} has no order number; 0 to 99 have")
    digest = sha256(f"{shop_no}|{subscription_id}|{delivery_on.isoformat()}".encode()).digest()
    return f"J{shop_no}{b32encode(digest)[:20].decode()}{attempt_no:02}"
