"""Allat's requests and replies byte by byte, as the vendor's utilities (JSP, PHP, C) write and read them.

A request is a form whose `allat_enc_data` holds the fields of the operation: a header of eight flags, then
`key ETX value CAN` for each. Its sixth flag says "not encrypted", which Allat takes over TLS only. Those
utilities differ in what they percent-encode; the whole body encoded once reads the same as each of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from lib.gateways import Attempt, Card

CHARGE, CANCEL, FORGET = (
    f"/servlet/AllatPay/pay/{page}.jsp" for page in ("approval", "cancel", "fix_cancel")
)
HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "*/*",
    # The vendor's utilities speak HTTP/1.0: nobody has said that a connection may be used twice.
    "Connection": "close",
}
CHARSET = "cp949"
"""A superset of EUC-KR with the syllables that Python's `euc_kr` writes in eight bytes."""
FLAGS, KEY_END, VALUE_END = "00000010", "\x03", "\x18"
SEOUL = ZoneInfo("Asia/Seoul")
NAME_BYTES, PRODUCT_BYTES, MEMBER_BYTES = 20, 1000, 20


@dataclass(frozen=True)
class Merchant:
    """Whose requests these are."""

    shop_id: str
    cross_key: str = field(repr=False)
    test: bool

    @property
    def test_yn(self) -> Literal["Y", "N"]:
        """Say whether Allat shall only play."""
        return "Y" if self.test else "N"


def charge_form(merchant: Merchant, attempt: Attempt, card: Card) -> bytes:
    """Return a charge: nothing in it but the attempt, its card and the merchant."""
    member = fit(card.member_id.replace(" ", ""), MEMBER_BYTES) or "member"
    fields = {
        "allat_card_key": card.billing_key,
        "allat_sell_mm": "00",
        "allat_amt": str(attempt.amount_krw),
        "allat_shop_id": merchant.shop_id,
        "allat_shop_member_id": member,
        "allat_order_no": attempt.order_no,
        "allat_product_cd": "subscription",
        "allat_product_nm": fit(attempt.order_name, PRODUCT_BYTES) or "subscription",
        "allat_cardcert_yn": "N",
        "allat_zerofee_yn": "N",
        "allat_buyer_nm": member,
        "allat_recp_name": member,
        "allat_recp_addr": "",
        "allat_user_ip": "Unknown",
        "allat_bonus_yn": "N",
        "allat_pay_type": "FIX",
    }
    return _form(merchant, fields, attempt.sent_at, attempt.amount_krw)


def cancel_form(merchant: Merchant, order_no: str, amount_krw: int, at: datetime) -> bytes:
    """Return a cancel by order number; `allat_seq_no`, which a lost reply would have told, is optional."""
    fields = {
        "allat_shop_id": merchant.shop_id,
        "allat_amt": str(amount_krw),
        "allat_order_no": order_no,
        "allat_pay_type": "CARD",
    }
    return _form(merchant, fields, at, amount_krw)


def forget_form(merchant: Merchant, card: Card, at: datetime) -> bytes:
    """Return the deletion of a card key."""
    fields = {
        "allat_shop_id": merchant.shop_id,
        "allat_fix_key": card.billing_key,
        "allat_fix_type": "FIX",
    }
    return _form(merchant, fields, at, None)


def _form(merchant: Merchant, fields: Mapping[str, str], at: datetime, amount_krw: int | None) -> bytes:
    mode = {"allat_test_yn": merchant.test_yn, "allat_opt_pin": "NOUSE", "allat_opt_mod": "APP"}
    form = {
        "allat_shop_id": merchant.shop_id,
        "allat_enc_data": enclose({**fields, **mode}),
        "allat_cross_key": merchant.cross_key,
        "allat_opt_lang": "PHP",
        "allat_opt_ver": "1.0.7.1",
        "allat_apply_ymdhms": f"{at.astimezone(SEOUL):%Y%m%d%H%M%S}",
    }
    if amount_krw is not None:
        form["allat_amt"] = str(amount_krw)
    return urlencode(form, quote_via=quote, encoding=CHARSET, errors="replace").encode("ascii")


def enclose(fields: Mapping[str, str]) -> str:
    """Return the layout of `allat_enc_data`; neither a key nor a value holds a separator."""
    return FLAGS + "".join(f"{key}{KEY_END}{value}{VALUE_END}" for key, value in fields.items())


def fit(text: str, most: int) -> str:
    """Return a text without control characters and quotes, cut to so many bytes between two characters."""
    plain = unicodedata.normalize("NFC", text)
    line = "".join(one for one in plain if not unicodedata.category(one).startswith("C") and one not in "'\"")
    return line.encode(CHARSET, "replace")[:most].decode(CHARSET, "ignore").strip()


def read_reply(body: bytes) -> dict[str, str] | None:
    """Return the fields of a reply; None where it is none of Allat's, or says two things at once.

    Lines of `key=value` in any order; a value may be empty or hold a `=`; unknown keys are no error.
    """
    told: dict[str, str] = {}
    for line in body.split(b"\n"):
        key, equals, value = (part.decode(CHARSET, "replace").strip() for part in line.partition(b"="))
        if equals and told.setdefault(key, value) != value:
            return None
    return told if told.get("reply_cd") else None
