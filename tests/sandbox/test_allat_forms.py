"""Which requests the simulated Allat takes, and which it refuses before it looks at a card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from lib.sandbox.allat import Allat
from tests.sandbox.allat import CHARGE, Shop, enclosed, running


@pytest.fixture
def world() -> Iterator[tuple[Allat, Shop]]:
    with running() as (pg, shop, _):
        yield pg, shop


@pytest.fixture
def pg(world: tuple[Allat, Shop]) -> Allat:
    return world[0]


@pytest.fixture
def shop(world: tuple[Allat, Shop]) -> Shop:
    return world[1]


@pytest.mark.parametrize("raw", [True, False])
def test_the_separators_may_be_escaped_or_not(shop: Shop, *, raw: bool) -> None:
    assert shop.ask(raw=raw).code == "0000"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"card_key": None}, "Z202"),
        ({"card_key": "k" * 25}, "Z202"),
        ({"sell_mm": "0"}, "Z202"),
        ({"sell_mm": None}, "Z202"),
        ({"amt": "0"}, "Z202"),
        ({"amt": "19,800"}, "Z202"),
        ({"amt": "-1"}, "Z202"),
        ({"amt": "1" * 11}, "Z202"),
        ({"order_no": "J1 AAA"}, "Z202"),
        ({"order_no": "J'1"}, "Z202"),
        ({"order_no": "J" * 71}, "Z202"),
        ({"shop_member_id": "member 7"}, "Z202"),
        ({"shop_member_id": ""}, "Z202"),
        ({"product_nm": "가" * 501}, "Z202"),
        ({"product_nm": ""}, "Z202"),
        ({"product_cd": None}, "Z202"),
        ({"cardcert_yn": "Y"}, "Z202"),
        ({"zerofee_yn": "Y"}, "Z202"),
        ({"bonus_yn": None}, "Z202"),
        ({"buyer_nm": "가" * 11}, "Z202"),
        ({"recp_name": None}, "Z202"),
        ({"recp_nm": "김철수"}, "Z202"),
        ({"recp_addr": "가" * 61}, "Z202"),
        ({"recp_addr": None}, "Z202"),
        ({"user_ip": "localhost"}, "Z202"),
        ({"registry_no": "9001011234567"}, "Z202"),
        ({"pay_type": "CARD"}, "Z202"),
        ({"opt_pin": "USE"}, "Z202"),
        ({"opt_mod": "WEB"}, "Z202"),
        ({"test_yn": None}, "Z202"),
        ({"test_yn": "Y"}, "Z103"),
        ({"shop_id": "another"}, "Z203"),
    ],
    ids=str,
)
def test_a_field_that_breaks_a_rule_is_refused(
    shop: Shop, pg: Allat, changes: Mapping[str, str | None], code: str
) -> None:
    assert shop.charge(**changes).code == code
    assert pg.approvals() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"amt": "9999999999"},
        {"order_no": "J" * 70},
        {"product_nm": "가" * 500},
        {"buyer_nm": "가" * 10},
        {"recp_addr": "가" * 60},
        {"user_ip": "203.0.113.255"},
        {"email_addr": "kim@example.com"},
        {"registry_no": ""},
        {"gender": "M", "birth_ymd": "19900101"},
    ],
    ids=str,
)
def test_a_field_at_its_limit_is_taken(shop: Shop, changes: Mapping[str, str | None]) -> None:
    assert shop.charge(**changes).code == "0000"


@pytest.mark.parametrize(
    ("outer", "code"),
    [
        ({"allat_shop_id": "another"}, "Z101"),
        ({"allat_cross_key": "wrong"}, "Z102"),
        ({"allat_amt": "1"}, "Z203"),
        ({"allat_amt": None}, "Z201"),
        ({"allat_opt_lang": None}, "Z201"),
        ({"allat_opt_ver": ""}, "Z201"),
        ({"allat_apply_ymdhms": "2026"}, "Z201"),
        ({"allat_apply_ymdhms": "20261301120000"}, "Z201"),
        ({"allat_test_yn": "N"}, "Z201"),
        ({"allat_opt_ver": "x" * 8194}, "Z201"),
    ],
    ids=str,
)
def test_a_form_that_breaks_a_rule_is_refused(
    shop: Shop, pg: Allat, outer: Mapping[str, str | None], code: str
) -> None:
    assert shop.ask(outer=outer).code == code
    assert pg.approvals() == []


GOOD = enclosed(CHARGE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"00000000" + GOOD[8:],
        b"00000110" + GOOD[8:],
        GOOD[8:],
        GOOD[:-1],
        GOOD + b"\x18",
        GOOD + b"key\x18",
        GOOD + b"key\x03value\x03\x18",
        GOOD + b"\x03value\x18",
        GOOD + b"allat_amt\x031\x18",
        GOOD + b"key\x03\xff\xff\x18",
        GOOD + b"key\x03" + b"v" * 16_384 + b"\x18",
    ],
    ids=[
        "empty",
        "no kind",
        "encrypted",
        "no header",
        "no end",
        "empty pair",
        "no value",
        "two values",
        "no key",
        "key twice",
        "not euc-kr",
        "too long",
    ],
)
def test_data_whose_layout_is_broken_is_refused(shop: Shop, pg: Allat, data: bytes) -> None:
    assert shop.ask(data=data).code == "Z201"
    assert pg.approvals() == []


@pytest.mark.parametrize("body", [b"", b"no pair", b"a=1&a=2", b"&&"])
def test_what_is_no_form_is_refused(shop: Shop, body: bytes) -> None:
    assert shop.post("approval", body).code == "Z201"


def test_a_form_of_another_type_is_refused(shop: Shop) -> None:
    assert shop.post("approval", b"{}", content_type="application/json").code == "Z201"


@pytest.mark.parametrize(
    ("page", "method", "status"), [("approval_check", "POST", 404), ("approval", "GET", 405)]
)
def test_there_is_no_inquiry_and_nothing_to_get(shop: Shop, page: str, method: str, status: int) -> None:
    told = shop.post(page, b"", method=method)
    assert (told.status, told.code) == (status, "")
