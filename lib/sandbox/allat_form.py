"""Reads a request as Allat's servlets are known to, and says what is wrong with it: pure rules, no state.

Layout and limits: the vendor's utilities 1.0.7.1 and the FIX sample. Limits are bytes of EUC-KR. The harder
reading everywhere: an unknown field, a missing one or one beyond its limit refuses the request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_to_bytes

from lib.sandbox.allat_rules import (
    BROKEN,
    FORGED,
    NO_SHOP,
    WRONG_CROSS_KEY,
    WRONG_FIELD,
    WRONG_MODE,
    AllatSwitches,
)

CHARSET = "cp949"
_FLAGS = b"00000010"
_KEY_END, _VALUE_END = b"\x03", b"\x18"
_DATA_BYTES = 16_383
_BODY_BYTES = 8_194
_DIGITS = re.compile(r"[0-9]{14}")


@dataclass(frozen=True)
class _Field:
    most: int
    pattern: str = r"[^\x00-\x1f]+"
    required: bool = True


_AMOUNT = _Field(10, r"[1-9][0-9]*")
_ORDER_NO = _Field(70, r"[^\s'\"\x00-\x1f]+")
_MODE = {
    "allat_shop_id": _Field(20),
    "allat_test_yn": _Field(1, "[YN]"),
    "allat_opt_pin": _Field(5, "NOUSE"),
    "allat_opt_mod": _Field(3, "APP"),
}
_ANY = r"[^\x00-\x1f]*"
FIELDS: Mapping[str, Mapping[str, _Field]] = {
    "charge": {
        **_MODE,
        "allat_card_key": _Field(24),
        "allat_sell_mm": _Field(2, "[0-9]{2}"),
        "allat_amt": _AMOUNT,
        "allat_business_type": _Field(1, "[01]?", required=False),
        "allat_registry_no": _Field(13, "", required=False),
        "allat_biz_no": _Field(20, "[0-9-]*", required=False),
        "allat_shop_member_id": _Field(20, r"[^\s'\"\x00-\x1f]+"),
        "allat_order_no": _ORDER_NO,
        "allat_product_cd": _Field(1000),
        "allat_product_nm": _Field(1000),
        "allat_cardcert_yn": _Field(1, "N"),
        "allat_zerofee_yn": _Field(1, "N"),
        "allat_buyer_nm": _Field(20),
        "allat_recp_name": _Field(20),
        "allat_recp_addr": _Field(120, _ANY),
        "allat_user_ip": _Field(15, r"Unknown|[0-9]{1,3}(\.[0-9]{1,3}){3}"),
        "allat_email_addr": _Field(50, _ANY, required=False),
        "allat_bonus_yn": _Field(1, "N"),
        "allat_gender": _Field(1, "[MF]?", required=False),
        "allat_birth_ymd": _Field(8, "([0-9]{8})?", required=False),
        "allat_pay_type": _Field(6, "FIX"),
    },
    "cancel": {
        **_MODE,
        "allat_amt": _AMOUNT,
        "allat_order_no": _ORDER_NO,
        "allat_pay_type": _Field(6, "CARD"),
        "allat_seq_no": _Field(10, "[0-9]*", required=False),
    },
    "forget": {
        **_MODE,
        "allat_fix_key": _Field(24),
        "allat_fix_type": _Field(3, "FIX|HOF", required=False),
    },
}
_OUTER = {
    "allat_shop_id",
    "allat_enc_data",
    "allat_cross_key",
    "allat_opt_lang",
    "allat_opt_ver",
    "allat_apply_ymdhms",
}


def read_form(body: bytes) -> dict[str, bytes]:
    """Return the form's fields, percent-encoded or raw; empty where a name comes twice or without a `=`."""
    form: dict[str, bytes] = {}
    for pair in body.split(b"&"):
        name, equals, value = pair.partition(b"=")
        key = unquote_to_bytes(name).decode("latin-1")
        if not equals or key in form:
            return {}
        form[key] = unquote_to_bytes(value.replace(b"+", b" "))
    return form


def open_data(data: bytes) -> dict[str, str] | None:
    """Return what `allat_enc_data` holds; None where its layout is broken."""
    head, rest = data[: len(_FLAGS)], data[len(_FLAGS) :]
    if head != _FLAGS or len(data) > _DATA_BYTES or not rest.endswith(_VALUE_END):
        return None
    fields: dict[str, str] = {}
    for pair in rest[:-1].split(_VALUE_END):
        parts = pair.split(_KEY_END)
        try:
            key, value = (part.decode(CHARSET) for part in parts)
        except ValueError:  # not two parts, or not EUC-KR
            return None
        if not key or key in fields:
            return None
        fields[key] = value
    return fields


def form_problem(
    form: Mapping[str, bytes], endpoint: str, switches: AllatSwitches, content_type: str
) -> str | None:
    """Return the code that refuses the form around the data."""
    wanted = _OUTER | ({"allat_amt"} if endpoint != "forget" else set())
    moment = form.get("allat_apply_ymdhms", b"").decode("latin-1")
    size = sum(len(name) + len(value) + 2 for name, value in form.items())
    if not content_type.startswith("application/x-www-form-urlencoded") or set(form) != wanted:
        return BROKEN
    if size > _BODY_BYTES or not all(form.values()) or not _is_moment(moment):
        return BROKEN
    if form["allat_shop_id"].decode("latin-1") != switches.shop_id:
        return NO_SHOP
    return None if form["allat_cross_key"].decode("latin-1") == switches.cross_key else WRONG_CROSS_KEY


def data_problem(
    fields: Mapping[str, str], form: Mapping[str, bytes], endpoint: str, switches: AllatSwitches
) -> str | None:
    """Return the code that refuses the data: a field, a forgery, or the other mode."""
    known = FIELDS[endpoint]
    missing = {name for name, rule in known.items() if rule.required} - set(fields)
    if missing or not all(name in known and _fits(value, known[name]) for name, value in fields.items()):
        return WRONG_FIELD
    for name in ("allat_shop_id", "allat_amt"):
        if name in fields and fields[name].encode(CHARSET) != form[name]:
            return FORGED
    return None if (fields["allat_test_yn"] == "Y") == switches.test else WRONG_MODE


def _fits(value: str, rule: _Field) -> bool:
    return len(value.encode(CHARSET)) <= rule.most and re.fullmatch(rule.pattern, value) is not None


def _is_moment(text: str) -> bool:
    if not _DIGITS.fullmatch(text):
        return False
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - only whether it is one
    except ValueError:
        return False
    return True
