"""Texts, sums and dates as mail and SMS can carry them."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.billing.texts import (
    clean,
    cut_bytes,
    korean_date,
    short_date,
    sms_bytes,
    sms_kind,
    sms_text,
    won,
)

pytestmark = pytest.mark.rule(6, 7)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
EXAMPLE = "[상점] 홍길동님 11/25 배송분 12,900원이 내일 결제됩니다. 변경: https://shop.kr/o/1234"

few = settings(max_examples=150, deadline=None, database=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("홍길동", "홍길동"),
        ("  홍  길동\t", "홍 길동"),
        ("홍길동\r\nBcc: x@example.com", "홍길동 Bcc: x@example.com"),
        ("가\n나\r다\x0b라\x0c마\x85바\u2028사\u2029아", "가 나 다 라 마 바 사 아"),
        ("가\u00a0나\u3000다\u2009라", "가 나 다 라"),
        ("가\x00나\x1b[31m다\x7f\x9f", "가나[31m다"),
        ("가\u200b나\u200c다\u200d라\ufeff마\u2060바\u00ad", "가나다라마바"),
        ("\u202eabc\u202c\u2066x\u2069\u200f\u061c", "abcx"),
        ("가 \u200b 나", "가 나"),
        ("가\ud800나", "가나"),
        (unicodedata.normalize("NFD", "똠방각하"), "똠방각하"),
        ("ﬁ ① ￦", "ﬁ ① ￦"),
        ("", ""),
        (" \n\u200b", ""),
    ],
)
def test_a_cleaned_text_is_one_line_without_hidden_characters(text: str, expected: str) -> None:
    assert clean(text) == expected


@few
@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once_and_leaves_nothing_to_split(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert len(cleaned.splitlines()) <= 1
    assert cleaned.encode("utf-8").decode() == cleaned


@pytest.mark.parametrize(
    ("amount", "expected"), [(0, "0원"), (999, "999원"), (1000, "1,000원"), (1234567, "1,234,567원")]
)
def test_a_sum_is_written_with_commas(amount: int, expected: str) -> None:
    assert won(amount) == expected


@pytest.mark.parametrize(
    ("day", "full", "short"),
    [
        (date(2026, 12, 1), "2026년 12월 1일(화)", "12/1(화)"),
        (date(2026, 11, 30), "2026년 11월 30일(월)", "11/30(월)"),
        (date(2027, 1, 3), "2027년 1월 3일(일)", "1/3(일)"),
        (date(2028, 2, 29), "2028년 2월 29일(화)", "2/29(화)"),
    ],
)
def test_a_date_is_written_with_its_weekday(day: date, full: str, short: str) -> None:
    assert (korean_date(day), short_date(day)) == (full, short)


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        "· ― … “ ” ‘ ’ ～ ★ ☎ ① ㈜ ™ € ® ㎡ ℃ ♥ ▶ ￦",
        "１２３ ＡＢＣ",
        "樂 年 大韓民國",
        "ㄱㄴㄷ ㅋㅋ ㅠㅠ",
        "첫째 줄\n둘째 줄\n",
        " !\"#$%&'()*+,-./0:;<=>?@A[\\]^_`a{|}~",
    ],
)
def test_what_every_provider_takes_is_sent_as_it_is(text: str) -> None:
    assert sms_text(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("₩12,900", "￦12,900"),
        ("a–b—c−d‑e", "a-b-c-d-e"),
        ("• 하나 ‧ 둘 ∙ 셋 ・ 넷", "· 하나 · 둘 · 셋 · 넷"),
        ("10시〜12시", "10시～12시"),
        ("잠시만⋯", "잠시만…"),
        ("❤", "♥"),
        ("가\u00a0나\u2009다\u3000라\t마", "가 나 다 라 마"),
        ("가\u200b나\ufeff다\u00ad", "가나다"),
        ("가\r\n나\r다\u2028라\u2029마\x85바", "가\n나\n다\n라\n마\n바"),
        ("가\x00나\x1b다\x7f라\x0c", "가나다라"),
        ("Café Ñandú", "Cafe Nandu"),
        ("Cafe\u0301", "Cafe"),
        ("Ⅻ ｱ ⓚ", "XII ア ⓚ"),
        (unicodedata.normalize("NFD", "홍길동"), "홍길동"),
        ("확인✔ 감사😀합니다👨‍👩‍👧👍🏽❗️1️⃣", "확인 감사합니다1"),
        ("🫨", ""),
        ("똠방각하 햏", "?방각하 ?"),
        ("一丁丂", "一丁?"),
        ("«가»", "?가?"),
        ("⅐", "?"),
        ("₹100 ≲ 1", "?100 ? 1"),
        ("가\ud800나\ue000", "가나"),
    ],
)
def test_what_a_provider_might_refuse_is_replaced(text: str, expected: str) -> None:
    assert sms_text(text) == expected


@few
@given(ANY_TEXT)
def test_an_sms_holds_nothing_but_ascii_and_ks_x_1001(text: str) -> None:
    sendable = sms_text(text)
    for character in sendable:
        encoded = character.encode("cp949")
        assert character == "\n" or character.isprintable()
        assert len(encoded) == 1 or min(encoded) >= 0xA1
    assert sms_text(sendable) == sendable


@pytest.mark.parametrize(
    ("text", "expected"), [("", 0), ("abc", 3), ("홍길동", 6), ("가\n나", 5), ("€", 2), (EXAMPLE, 85)]
)
def test_the_length_of_an_sms_counts_two_bytes_for_a_syllable(text: str, expected: int) -> None:
    assert sms_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "SMS"),
        ("가" * 45, "SMS"),
        ("가" * 44 + "ab", "SMS"),
        ("가" * 45 + "a", "LMS"),
        ("가" * 46, "LMS"),
    ],
)
def test_more_than_ninety_bytes_are_an_lms(text: str, kind: str) -> None:
    assert sms_kind(text) == kind


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("가나다", 6, "가나다"),
        ("가나다", 5, "가나"),
        ("가나다", 4, "가나"),
        ("a가b", 2, "a"),
        ("a가b", 3, "a가"),
        ("가", 1, ""),
        ("가", 0, ""),
        ("", 40, ""),
    ],
)
def test_a_text_is_cut_between_characters(text: str, limit: int, expected: str) -> None:
    assert cut_bytes(text, limit) == expected


@few
@given(ANY_TEXT, st.integers(0, 100))
def test_a_cut_text_is_the_longest_beginning_that_fits(text: str, limit: int) -> None:
    whole = sms_text(text)
    cut = cut_bytes(whole, limit)
    assert whole.startswith(cut)
    assert sms_bytes(cut) <= limit
    assert cut == whole or sms_bytes(whole[: len(cut) + 1]) > limit
