"""Rule 6: who is told, where, and in which words."""

from __future__ import annotations

import pytest

from tests.jobs.notices import D, body, mails_to, notice, notify, states, texts_sent, the_round
from tests.rig import Rig
from tests.shopkeeper import Flag, Item, mail_switch, open_shop, sms_switch, subscription


def test_the_notice_says_sum_days_card_and_items(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, items=(Item(quantity=2, option_value="분쇄"),))
    notify(any_rig)
    said = notice(any_rig)
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
    assert texts_sent(any_rig) == ["[달빛커피] 12/3 배송분 25,800원이 12/2 결제됩니다. 변경·해지: 마이쇼핑"]


@pytest.mark.parametrize("mail", ["T", "F"])
@pytest.mark.parametrize("operator", ["T", "F"])
@pytest.mark.parametrize("sms", ["T", "F"])
def test_each_way_has_its_own_switch(sqlite_rig: Rig, mail: Flag, operator: Flag, sms: Flag) -> None:
    open_shop(sqlite_rig)
    mail_switch(sqlite_rig, "payment_notice", customer=mail, operator=operator)
    sms_switch(sqlite_rig, customer=sms)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig)
    ways = {"customer mail": mail, "operator mail": operator, "customer sms": sms}
    assert states(sqlite_rig) == {way: "accepted" for way, is_on in ways.items() if is_on == "T"}
    assert the_round(sqlite_rig)["state"] == "due"


def test_a_type_without_a_row_is_on(rig: Rig) -> None:
    open_shop(rig)
    mail_switch(rig, "auto_cancel", customer="F", operator="F")
    subscription(rig, delivery_on=D)
    notify(rig)
    assert set(states(rig)) == {"customer mail", "customer sms", "operator mail"}


def test_with_every_customer_switch_off_the_round_is_announced_by_its_seal(any_rig: Rig) -> None:
    open_shop(any_rig)
    mail_switch(any_rig, "payment_notice", customer="F")
    sms_switch(any_rig, customer="F")
    subscription(any_rig, delivery_on=D)
    notify(any_rig, "2026-12-01T22:00")
    found = the_round(any_rig)
    assert (found["state"], found["announced_on"].day, found["charge_on"].day) == ("due", 1, 2)


def test_a_shop_without_a_provider_of_text_messages_sends_none(any_rig: Rig) -> None:
    any_rig.config(sms=None)
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    assert set(states(any_rig)) == {"customer mail", "operator mail"}


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
    ],
)
def test_the_applications_address_counts_else_the_members(
    any_rig: Rig,
    application: tuple[str, str],
    member: tuple[str, str],
    expected: tuple[str | None, str | None],
) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, buyer_email=application[0], buyer_cellphone=application[1])
    any_rig.shop("UPDATE member SET email = :mail, cellphone = :phone", mail=member[0], phone=member[1])
    notify(any_rig)
    rows = any_rig.ours("SELECT channel, address FROM message WHERE recipient = 'customer'")
    found = {row["channel"]: row["address"] for row in rows}
    assert (found.get("mail"), found.get("sms")) == expected
    assert set(states(any_rig).values()) == {"accepted"}


def test_an_operator_without_a_usable_address_gets_no_mail(any_rig: Rig) -> None:
    open_shop(any_rig)
    any_rig.shop("UPDATE shop SET operator_email = 'none'")
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    assert set(states(any_rig)) == {"customer mail", "customer sms"}


def test_the_words_are_those_of_the_moment_it_leaves(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig, "2026-12-01T22:00")
    assert any_rig.ours("SELECT body FROM message WHERE body IS NOT NULL") == []
    any_rig.shop("UPDATE card SET masked_number = '5555-****-7777'")
    any_rig.shop("UPDATE shop SET shop_name = '햇살커피'")
    notify(any_rig, "2026-12-02T09:00")
    said = notice(any_rig)
    assert "결제 카드: 5555-****-7777" in said
    assert "결제 예정일: 2026년 12월 3일(목)" in said
    assert "문의: 햇살커피" in said


def test_what_was_said_is_kept(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    kept = any_rig.ours("SELECT subject, body FROM message WHERE recipient = 'customer' AND channel = 'mail'")
    (mail,) = mails_to(any_rig, "haneul@example.com")
    assert [(row["subject"], row["body"]) for row in kept] == [
        (mail["Subject"], body(mail).replace("\r\n", "\n"))
    ]


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
