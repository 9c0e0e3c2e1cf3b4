"""What customers and operators read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from lib.billing.texts import sms_bytes, sms_kind
from lib.facts import MESSAGES, Channel, Dropped, Kind, PriceRise, Recipient
from lib.preview import NOTICE, SAMPLES, preview
from tests.reading import RENDERER, Reader, customer_mail, notice_mail, notice_sms, words

EVERY_SAMPLE = [(*message, sample) for message in MESSAGES for sample in SAMPLES[message[0]]]
PARTS = ("body", "html")

# What every message promises


@pytest.mark.parametrize(("kind", "recipient", "channel", "sample"), EVERY_SAMPLE)
def test_every_message_can_be_written(
    kind: Kind, recipient: Recipient, channel: Channel, sample: str
) -> None:
    rendered = RENDERER.render(kind, recipient, channel, vars(SAMPLES[kind][sample]))
    is_mail = channel == "mail"
    assert rendered.body
    assert bool(rendered.subject) == bool(rendered.html) == is_mail


@pytest.mark.parametrize(("kind", "recipient", "channel", "sample"), EVERY_SAMPLE)
def test_no_message_shows_what_python_or_jinja_wrote(
    kind: Kind, recipient: Recipient, channel: Channel, sample: str
) -> None:
    rendered = RENDERER.render(kind, recipient, channel, vars(SAMPLES[kind][sample]))
    for sign in ("None", "Undefined", "{", "object at", "datetime"):
        assert sign not in rendered.subject + rendered.body + Reader(rendered.html).text


@pytest.mark.parametrize("kind", ["payment_notice", "payment_declined", "payment_failed", "auto_cancel"])
def test_a_mail_to_the_customer_names_the_shop_and_how_to_reach_it(kind: Kind) -> None:
    for part in PARTS:
        for said in ("달빛베이커리", "02-1234-5678", "help@shop.example.com", "https://shop.example.com"):
            assert said in words(customer_mail(kind), part)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_preview_writes_every_message_of_its_kind(kind: Kind, tmp_path: Path) -> None:
    files = preview(kind, tmp_path / "new", None)
    assert sorted((tmp_path / "new").iterdir()) == sorted(files)
    for what, recipient, channel in MESSAGES:
        suffix = ".sms.txt" if channel == "sms" else ".html"
        written = tmp_path / "new" / f"{what}.{recipient}.usual{suffix}"
        assert (written in files) == (what == kind)


# What each message says


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "said",
    [
        "38,860원",
        "2026년 11월 30일(월)",
        "신한 4518-****-****-1234",
        "2026년 12월 1일(화)",
        "우유 식빵",
        "5,500원 × 2개",
        "할인 -1,100원",
        "9,900원",
        "배송비",
        "마이쇼핑 → 정기배송 관리",
        "모두 해지하거나 일시정지하시면 이번 회차는 결제되지 않습니다",
        "바꾸시면 다음 회차부터 반영되고",
        "2026년 12월 2일(수)까지 다시 시도합니다",
    ],
)
def test_the_payment_notice_says_what_the_law_and_the_rules_ask_for(said: str, part: str) -> None:
    assert said in words(notice_mail(NOTICE), part)


def test_the_subject_of_the_payment_notice_names_sum_and_dates() -> None:
    assert notice_mail(NOTICE).subject == "[달빛베이커리] 12/1(화) 배송분 38,860원이 11/30(월) 결제됩니다"


@pytest.mark.parametrize("part", PARTS)
def test_a_payment_notice_promises_no_retry_where_there_is_none(part: str) -> None:
    assert "다시 시도" not in words(notice_mail(replace(NOTICE, charge_until=NOTICE.charge_on)), part)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("set_product", "세트상품은 정기배송이 되지 않습니다"),
        ("one_plus_n", "1+N 이벤트 상품은 정기배송이 되지 않습니다"),
        ("sold_out", "품절"),
        ("short_of_stock", "재고 부족"),
        ("price_risen", "가격 인상에 동의하시기 전이라 제외"),
    ],
)
def test_the_payment_notice_names_what_was_dropped_and_why(
    reason: Literal["set_product", "one_plus_n", "sold_out", "short_of_stock", "price_risen"],
    said: str,
    part: str,
) -> None:
    shown = words(notice_mail(replace(NOTICE, dropped=(Dropped("딸기 우유", "1L", reason),))), part)
    assert "딸기 우유" in shown
    assert said in shown


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("charged", "said"),
    [
        (5000, "동의하시기 전이므로 이번 회차는 종전 가격 5,000원에 결제됩니다"),
        (6000, "이번 회차부터 6,000원에 결제됩니다"),
    ],
)
def test_the_payment_notice_tells_which_price_is_charged_after_a_rise(
    charged: int, said: str, part: str
) -> None:
    risen = PriceRise("버터", "", agreed_price=5000, price_now=6000, charged_price=charged)
    assert said in words(notice_mail(replace(NOTICE, price_risen=(risen,))), part)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("kind", "sample", "said"),
    [
        ("payment_declined", "usual", "2026년 11월 30일(월) 17:00 이후 다시 결제합니다"),
        ("payment_declined", "usual", "2026년 12월 2일(수) 17:00까지 다시 시도합니다"),
        ("payment_declined", "usual", "결제 카드 변경"),
        ("payment_declined", "hard", "이 카드로는 다시 시도하지 않습니다"),
        ("payment_declined", "hard", "2026년 12월 2일(수) 17:00 전에 결제 카드를 바꾸시면"),
        ("payment_failed", "usual", "이번 회차는 배송되지 않습니다"),
        ("payment_failed", "usual", "다음 배송 예정일은 2026년 12월 29일(화)입니다"),
        ("auto_cancel", "usual", "결제대행사(PG)가 변경 또는 초기화되어"),
        ("auto_cancel", "usual", "카드 정보가 삭제되었습니다"),
        ("auto_cancel", "usual", "다시 신청하고 카드를 새로 등록해 주세요"),
        ("auto_cancel", "finished", "신청하신 배송 횟수가 끝나"),
        ("auto_cancel", "finished", "이용해 주셔서 감사합니다"),
    ],
)
def test_the_other_mails_tell_the_customer_what_happens_next(
    kind: Kind, sample: str, said: str, part: str
) -> None:
    assert said in words(customer_mail(kind, sample), part)


@pytest.mark.parametrize("homepage_url", ["https://shop.example.com", ""])
def test_the_way_out_of_a_declined_round_stands_in_a_paragraph_of_its_own(homepage_url: str) -> None:
    facts = vars(SAMPLES["payment_declined"]["usual"]) | {"homepage_url": homepage_url}
    lines = RENDERER.render("payment_declined", "customer", "mail", facts).body.splitlines()
    (place,) = [number for number, line in enumerate(lines) if "원하지 않으시면" in line]
    assert (lines[place - 1], lines[place - 2][:7]) == ("", "쇼핑몰에 로그")


@pytest.mark.parametrize("part", PARTS)
def test_a_finished_count_says_nothing_of_deleted_cards(part: str) -> None:
    assert "카드" not in words(customer_mail("auto_cancel", "finished"), part)


@pytest.mark.parametrize("part", PARTS)
def test_a_digest_says_how_many_entries_it_leaves_out(part: str) -> None:
    digest = RENDERER.render("digest", "operator", "mail", vars(SAMPLES["digest"]["long"]))
    assert "외 11900건" in words(digest, part)


@pytest.mark.parametrize(
    ("phone", "said"),
    [
        ("0212345678", "02-1234-5678"),
        ("021234567", "02-123-4567"),
        ("0311234567", "031-123-4567"),
        ("01012345678", "010-1234-5678"),
        ("07012345678", "070-1234-5678"),
        ("050512345678", "0505-1234-5678"),
        ("15881234", "1588-1234"),
        ("114", "문의: 달빛베이커리 · 114"),
    ],
)
def test_the_shop_s_number_is_grouped_for_reading(phone: str, said: str) -> None:
    assert said in notice_mail(replace(NOTICE, sender_phone=phone)).body


@pytest.mark.parametrize(
    ("homepage_url", "is_link"), [("https://shop.kr", True), ("javascript:alert(1)", False), ("", False)]
)
def test_only_a_web_address_becomes_a_link(homepage_url: str, is_link: bool) -> None:
    tags = Reader(notice_mail(replace(NOTICE, homepage_url=homepage_url)).html).tags
    assert (("a", [("href", homepage_url), ("style", "color:#0b5cad;")]) in tags) == is_link


# SMS


@pytest.mark.parametrize(
    ("shop_name", "amount_krw", "kind"),
    [
        ("달빛", 9900, "SMS"),
        ("달빛베이커리", 38860, "SMS"),
        ("가나다라마바사아자차", 1234560, "SMS"),
        ("가나다라마바사아자차카", 38860, "SMS"),
        ("우리 동네 건강한 아침을 만드는 가게", 38860, "LMS"),
    ],
)
def test_an_sms_is_a_short_one_for_usual_names_and_sums(shop_name: str, amount_krw: int, kind: str) -> None:
    longest_dates = replace(NOTICE, delivery_on=date(2026, 12, 31), charge_on=date(2026, 12, 30))
    text = notice_sms(replace(longest_dates, shop_name=shop_name, amount_krw=amount_krw))
    assert sms_kind(text) == kind, sms_bytes(text)


def test_an_sms_says_shop_sum_dates_and_the_way_out() -> None:
    expected = "[달빛베이커리] 12/1 배송분 38,860원이 11/30 결제됩니다. 변경·해지: 마이쇼핑"
    assert notice_sms(NOTICE) == expected


@pytest.mark.parametrize(
    ("shop_name", "said"), [("Café 뷁", "[Cafe ?]"), ("달빛🌙", "[달빛]"), ("달\n빛", "[달 빛]")]
)
def test_an_sms_holds_only_what_every_carrier_takes(shop_name: str, said: str) -> None:
    assert notice_sms(replace(NOTICE, shop_name=shop_name)).startswith(said)
