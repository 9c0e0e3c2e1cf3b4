"""What leaves for Allat and how its replies are read, byte by byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.gateways import Card
from lib.gateways.allat_wire import (
    HEADERS,
    Merchant,
    cancel_form,
    charge_form,
    fit,
    forget_form,
    read_reply,
)
from lib.sandbox.allat_form import data_problem, form_problem, open_data, read_form
from lib.sandbox.allat_rules import CROSS_KEY, SHOP_ID, AllatSwitches
from tests.adapters.allat import ATTEMPT, CARD, KEY, NOW

MERCHANT = Merchant(SHOP_ID, CROSS_KEY, test=False)


def outer(form: bytes) -> dict[str, str]:
    return dict(parse_qsl(form.decode("ascii"), encoding="cp949", strict_parsing=True))


def inner(form: bytes) -> dict[str, str]:
    data = outer(form)["allat_enc_data"]
    assert data.startswith("00000010")
    assert data.endswith("\x18")
    return dict(pair.split("\x03") for pair in data[8:-1].split("\x18"))


def problem(form: bytes, endpoint: str = "charge") -> str | None:
    """Return the code with which the simulated Allat refuses a form."""
    read = read_form(form)
    refused = form_problem(read, endpoint, AllatSwitches(), HEADERS["Content-Type"])
    fields = open_data(read["allat_enc_data"])
    assert fields is not None
    return refused or data_problem(fields, read, endpoint, AllatSwitches())


def test_a_charge_says_no_more_than_it_must() -> None:
    form = charge_form(MERCHANT, ATTEMPT, CARD)
    assert {name: text for name, text in outer(form).items() if name != "allat_enc_data"} == {
        "allat_shop_id": SHOP_ID,
        "allat_amt": "12900",
        "allat_cross_key": CROSS_KEY,
        "allat_opt_lang": "PHP",
        "allat_opt_ver": "1.0.7.1",
        "allat_apply_ymdhms": "20261201120000",
    }
    assert inner(form) == {
        "allat_card_key": KEY,
        "allat_sell_mm": "00",
        "allat_amt": "12900",
        "allat_shop_id": SHOP_ID,
        "allat_shop_member_id": "member",
        "allat_order_no": ATTEMPT.order_no,
        "allat_product_cd": "subscription",
        "allat_product_nm": "정기배송 원두 1회차",
        "allat_cardcert_yn": "N",
        "allat_zerofee_yn": "N",
        "allat_buyer_nm": "member",
        "allat_recp_name": "member",
        "allat_recp_addr": "",
        "allat_user_ip": "Unknown",
        "allat_bonus_yn": "N",
        "allat_pay_type": "FIX",
        "allat_test_yn": "N",
        "allat_opt_pin": "NOUSE",
        "allat_opt_mod": "APP",
    }


def test_a_charge_is_the_same_bytes_whenever_it_is_made() -> None:
    again = replace(ATTEMPT, attempt_id=9, send_until=NOW + timedelta(days=1))
    assert charge_form(MERCHANT, ATTEMPT, CARD) == charge_form(MERCHANT, again, CARD)


def test_a_test_merchant_says_so() -> None:
    form = charge_form(replace(MERCHANT, test=True), ATTEMPT, CARD)
    assert inner(form)["allat_test_yn"] == "Y"


def test_a_cancel_names_order_and_amount_only() -> None:
    form = cancel_form(MERCHANT, ATTEMPT.order_no, 12_900, NOW)
    assert (outer(form)["allat_amt"], problem(form, "cancel")) == ("12900", None)
    assert inner(form) == {
        "allat_shop_id": SHOP_ID,
        "allat_amt": "12900",
        "allat_order_no": ATTEMPT.order_no,
        "allat_pay_type": "CARD",
        "allat_test_yn": "N",
        "allat_opt_pin": "NOUSE",
        "allat_opt_mod": "APP",
    }


def test_a_deletion_names_the_key_and_no_amount() -> None:
    form = forget_form(MERCHANT, CARD, NOW)
    assert ("allat_amt" in outer(form), problem(form, "forget")) == (False, None)
    assert inner(form) == {
        "allat_shop_id": SHOP_ID,
        "allat_fix_key": KEY,
        "allat_fix_type": "FIX",
        "allat_test_yn": "N",
        "allat_opt_pin": "NOUSE",
        "allat_opt_mod": "APP",
    }


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("가나다라마바사아자차카", 20, "가나다라마바사아자차"),
        ("a가나", 4, "a가"),
        ("똠방각하", 8, "똠방각하"),
        ("가", 9, "가"),
        ("커피☕️🫘 세트", 40, "커피??? 세트"),
        ("a\x03b\x18c\r\nd", 9, "abcd"),
        ('it\'s "x"', 9, "its x"),
        ("a\ud800b", 9, "ab"),
        ("", 9, ""),
    ],
)
def test_a_text_fits_its_field_in_bytes_of_euc_kr(text: str, most: int, expected: str) -> None:
    assert fit(text, most) == expected


@given(st.text(max_size=40), st.text(max_size=1200), st.integers(min_value=1, max_value=9_999_999_999))
def test_whatever_a_row_holds_makes_a_charge_that_is_taken(member: str, name: str, amount_krw: int) -> None:
    attempt = replace(ATTEMPT, order_name=name, amount_krw=amount_krw)
    assert problem(charge_form(MERCHANT, attempt, replace(CARD, member_id=member))) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"reply_cd=0000\nreply_msg=\xc1\xa4\xbb\xf3\n", {"reply_cd": "0000", "reply_msg": "정상"}),
        (b"\r\n reply_cd = 0000 \r\nx\r\n", {"reply_cd": "0000"}),
        (b"memo=a=b\nreply_cd=0000", {"memo": "a=b", "reply_cd": "0000"}),
        (b"reply_cd=0000\namt=\n", {"reply_cd": "0000", "amt": ""}),
        (b"reply_cd=0000\nreply_cd=0000\n", {"reply_cd": "0000"}),
        (
            b"reply_cd=0000\nreply_msg=\xff\xb0\nk=v",
            {"reply_cd": "0000", "reply_msg": "\ufffd\ufffd", "k": "v"},
        ),
        (b"reply_cd=0000\nreply_cd=0431\n", None),
        (b"reply_cd=0000\namt=1\namt=2\n", None),
        (b"reply_cd=\n", None),
        (b"order_no=A1\namt=100\n", None),
        (b"<html>reply_cd=0000</html>", None),
        (b"x\x0breply_cd=0000", None),
        (b"", None),
    ],
)
def test_a_reply_is_read_line_by_line(body: bytes, expected: dict[str, str] | None) -> None:
    assert read_reply(body) == expected


def test_nothing_shows_a_key() -> None:
    card = Card(1, "member", "allat", KEY, "", "", NOW)
    assert KEY not in repr(card) + repr(MERCHANT)
    assert CROSS_KEY not in repr(MERCHANT)
