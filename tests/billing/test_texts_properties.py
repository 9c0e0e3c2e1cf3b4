"""What texts and addresses promise for any input at all, held against sources of their own."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.billing.texts import (
    LMS_SUBJECT_BYTES_MAX,
    clean,
    cut_bytes,
    mail_address,
    mask_address,
    mask_phone,
    mobile_number,
    sender_number,
    sms_bytes,
    sms_kind,
    sms_text,
    won,
)

pytestmark = pytest.mark.rule(6, 7)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
DIGITS = st.text("0123456789+-(). ０１２", max_size=20)
few = settings(max_examples=150, deadline=None, database=None)

SYLLABLES = [chr(code) for code in range(0xAC00, 0xD7A4)]
KSX1001_SYLLABLES = 2350


def test_exactly_the_syllables_of_ks_x_1001_are_sent_as_they_are() -> None:
    assert len([each for each in SYLLABLES if sms_text(each) == each]) == KSX1001_SYLLABLES
    assert {sms_text(each) for each in SYLLABLES if sms_text(each) != each} == {"?"}


@pytest.mark.parametrize("sign", ["원", "￦", "₩"])
def test_a_won_sign_of_any_kind_can_be_sent(sign: str) -> None:
    assert sms_text(f"{sign}12,900") in {"원12,900", "￦12,900"}


@few
@given(ANY_TEXT)
@example("₩")
def test_every_character_an_sms_is_sent_takes_one_or_two_bytes(text: str) -> None:
    sendable = sms_text(text)
    assert sms_bytes(sendable) == sum(1 if each.isascii() else 2 for each in sendable)


@few
@given(st.integers(0, 60), st.integers(0, 60))
def test_an_sms_ends_where_a_carrier_counts_ninety(hangul: int, ascii_letters: int) -> None:
    text = sms_text("가" * hangul + "a" * ascii_letters)
    assert (sms_kind(text) == "SMS") == (2 * hangul + ascii_letters <= 90)


@few
@given(ANY_TEXT)
@example("가\n나")
@example("ﬁ\u0301")
def test_a_text_in_parts_is_read_the_same_composed_or_not(text: str) -> None:
    assert sms_text(unicodedata.normalize("NFD", text)) == sms_text(text)
    assert clean(unicodedata.normalize("NFD", text)) == clean(text)


@few
@given(ANY_TEXT)
def test_a_subject_of_a_long_message_fits_its_forty_bytes(text: str) -> None:
    assert sms_bytes(cut_bytes(sms_text(text), LMS_SUBJECT_BYTES_MAX)) <= LMS_SUBJECT_BYTES_MAX


@few
@given(st.integers(0, 10**12))
def test_a_written_sum_reads_back(amount: int) -> None:
    assert re.fullmatch(r"\d{1,3}(,\d{3})*원", won(amount))
    assert int(won(amount).rstrip("원").replace(",", "")) == amount


@few
@given(DIGITS | ANY_TEXT)
@example("010-2000-1234")
@example("+82 (0)10 2000 1234")
def test_a_mobile_number_is_digits_that_read_as_itself(raw: str) -> None:
    number = mobile_number(raw)
    if number is not None:
        assert re.fullmatch(r"010[0-9]{8}|050[0-9]{8,9}", number)
        assert mobile_number(number) == number


@few
@given(DIGITS | ANY_TEXT)
@example("1588-1234")
def test_a_sender_number_is_eight_to_twelve_digits_that_read_as_themselves(raw: str) -> None:
    number = sender_number(raw)
    assert number is None or (re.fullmatch(r"[0-9]{8,12}", number) and sender_number(number) == number)


@few
@given(st.emails() | ANY_TEXT)
@example("kim+shop@example.com")
def test_a_mail_address_can_stand_in_a_command_line_and_reads_as_itself(raw: str) -> None:
    address = mail_address(raw)
    assert address is None or (
        re.fullmatch(r"[!-~]+@[A-Za-z0-9.-]+", address) and mail_address(address) == address
    )


@few
@given(st.text("0123456789", min_size=10, max_size=12), st.emails())
def test_a_mask_shows_at_most_seven_digits_or_one_letter(number: str, address: str) -> None:
    assert sum(map(str.isdigit, mask_phone(number))) == 7
    local, _, domain = address.rpartition("@")
    assert mask_address(address) == f"{local[0]}***@{domain}"
