"""Rule 6: who is told, where, and in which words."""

from __future__ import annotations

import pytest

from tests.jobs.notices import D, body, mails_to, notice, notify, states, texts_sent
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, subscription

pytestmark = pytest.mark.rule(6)


def test_the_notice_says_sum_days_card_and_items(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D, items=(Item(quantity=2, option_value="분쇄"),))
    notify(sqlite_rig)
    said = notice(sqlite_rig)
    for part in (
        "결제 금액: 25,800원",
        "결제 예정일: 2026년 12월 2일(수)",
        "결제 카드: 4330-12**-****-1001",
        "배송 예정일: 2026년 12월 3일(목)",
        "에티오피아 예가체프 200g (분쇄)",
        "마이쇼핑 → 정기배송 관리",
        "2026년 12월 4일(금)까지 다시 시도",
    ):
        assert part in said
    assert texts_sent(sqlite_rig) == [
        "[달빛커피] 12/3 배송분 25,800원이 12/2 결제됩니다. 변경·해지: 마이쇼핑"
    ]


@pytest.mark.parametrize(
    ("application", "member", "expected"),
    [
        (
            ("a@example.com", "010-1111-2222"),
            ("b@example.com", "010-3333-4444"),
            ("a@example.com", "01011112222"),
        ),
        (("", ""), ("b@example.com", "010-3333-4444"), ("b@example.com", "01033334444")),
        (("a@", "02-123-4567"), ("b@example.com", "+82 10-3333-4444"), ("b@example.com", "01033334444")),
        (("a@example.com", ""), ("", ""), ("a@example.com", None)),
        (("", "010 1111 2222"), ("nobody", "119"), (None, "01011112222")),
        (("a@한글.한국", ""), ("", ""), ("a@xn--bj0bj06e.xn--3e0b707e", None)),
        (
            ("a@", "010-1111-2222"),
            ("b@example.com", "010-3333-4444"),
            ("b@example.com", "01011112222"),
        ),
        (("a@example.com", "1588-1234"), ("b@", "010 3333 4444"), ("a@example.com", "01033334444")),
        (("a@example.com", "011-234-5678"), ("b@example.com", "011-234-5678"), ("a@example.com", None)),
        (("홍길동@example.com", "0505-123-4567"), ("b@example.com", ""), ("b@example.com", "05051234567")),
    ],
)
def test_the_applications_address_counts_else_the_members(
    sqlite_rig: Rig,
    application: tuple[str, str],
    member: tuple[str, str],
    expected: tuple[str | None, str | None],
) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D, buyer_email=application[0], buyer_cellphone=application[1])
    sqlite_rig.shop("UPDATE member SET email = :mail, cellphone = :phone", mail=member[0], phone=member[1])
    notify(sqlite_rig)
    rows = sqlite_rig.ours("SELECT channel, address FROM message WHERE recipient = 'customer'")
    found = {row["channel"]: row["address"] for row in rows}
    assert (found.get("mail"), found.get("sms")) == expected
    assert set(states(sqlite_rig).values()) == {"accepted"}


def test_a_customer_with_two_deliveries_of_one_day_is_told_of_both(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, "S-1", delivery_on=D)
    subscription(any_rig, "S-2", delivery_on=D, items=(Item(product_no=2, price=9_900),))
    notify(any_rig)
    assert sorted(text.split()[3] for text in texts_sent(any_rig)) == ["12,900원이", "9,900원이"]
    assert len(mails_to(any_rig, "haneul@example.com")) == 2


def test_an_operator_without_a_usable_address_gets_no_mail(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    sqlite_rig.shop("UPDATE shop SET operator_email = 'none'")
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig)
    assert set(states(sqlite_rig)) == {"customer mail", "customer sms"}


HOSTILE = 'O\'Brien "{{ 7*7 }}" {% raw %} <b>굵게</b> \\ %s :id ☕🎉'


def test_a_hostile_name_is_told_as_it_is(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, items=(Item(name=HOSTILE),), buyer_name=HOSTILE)
    any_rig.shop("UPDATE shop SET shop_name = :name", name="커피 & <차> '가게' 🎉")
    notify(any_rig)
    (mail,) = mails_to(any_rig, "haneul@example.com")
    assert f"{HOSTILE}님, 안녕하세요." in body(mail)
    assert "&lt;b&gt;굵게&lt;/b&gt;" in body(mail, "html")
    assert "<b>굵게" not in body(mail, "html")
    assert texts_sent(any_rig)[0].startswith("[커피 & <차> '가게' ]")


@pytest.mark.parametrize(
    "name", ["두\r\n줄\nBcc: all@example.com", "탭\t과\x0b끝", "끝\u2028줄", "\u202e거꾸로"]
)
def test_a_line_break_in_a_name_begins_no_line(any_rig: Rig, name: str) -> None:
    open_shop(any_rig)
    any_rig.shop("UPDATE shop SET shop_name = :name", name=name)
    subscription(any_rig, delivery_on=D, items=(Item(name=name),), buyer_name=name)
    notify(any_rig)
    for address in ("haneul@example.com", "operator@example.com"):
        (mail,) = mails_to(any_rig, address)
        assert mail["Bcc"] is None
        assert not any(line.startswith(("Bcc", "줄")) for line in body(mail).splitlines())
