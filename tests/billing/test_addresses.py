"""Telephone numbers and mail addresses, read and masked."""

from __future__ import annotations

import pytest

from lib.billing.texts import mail_address, mask_address, mask_phone, mobile_number, sender_number

pytestmark = pytest.mark.rule(3, 6)


@pytest.mark.parametrize(
    "raw",
    [
        "01012345678",
        "010-1234-5678",
        "010.1234.5678",
        "010 1234 5678",
        " 010-1234-5678 ",
        "(010)1234-5678",
        "+82 10-1234-5678",
        "+82(0)10 1234 5678",
        "+8201012345678",
        "821012345678",
        "1012345678",
        "０１０－１２３４－５６７８",
    ],
)
def test_a_mobile_number_is_read_from_any_format(raw: str) -> None:
    assert mobile_number(raw) == "01012345678"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0505-123-4567", "05051234567"),
        ("0502-1234-5678", "050212345678"),
        ("+82 50-7123-4567", "05071234567"),
    ],
)
def test_a_safe_number_receives_sms(raw: str, expected: str) -> None:
    assert mobile_number(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("", id="empty"),
        pytest.param("-", id="a dash"),
        pytest.param("없음", id="words"),
        pytest.param("02-123-4567", id="landline"),
        pytest.param("031-123-4567", id="landline outside Seoul"),
        pytest.param("070-1234-5678", id="internet telephone"),
        pytest.param("1588-1234", id="company number"),
        pytest.param("+1 202 555 0123", id="foreign"),
        pytest.param("+86 138 0013 8000", id="foreign mobile"),
        pytest.param("010-123-4567", id="a digit short"),
        pytest.param("010-1234-56789", id="a digit too many"),
        pytest.param("011-234-5678", id="ended in 2021"),
        pytest.param("012-1234-5678", id="a machine"),
        pytest.param("010-1234-ABCD", id="letters are not digits"),
        pytest.param("010-1234-5678(집)", id="words behind it"),
        pytest.param("010-1234-5678, 010-8765-4321", id="two numbers"),
        pytest.param("0" * 300, id="endless"),
    ],
)
def test_what_cannot_receive_an_sms_is_no_mobile_number(raw: str) -> None:
    assert mobile_number(raw) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("02-123-4567", "021234567"),
        ("02-1234-5678", "0212345678"),
        ("031-123-4567", "0311234567"),
        ("064-1234-5678", "06412345678"),
        ("010-1234-5678", "01012345678"),
        ("+82 2 1234 5678", "0212345678"),
        ("+82(0)10-1234-5678", "01012345678"),
        ("070-1234-5678", "07012345678"),
        ("080-123-4567", "0801234567"),
        ("0505-123-4567", "05051234567"),
        ("0303-1234-5678", "030312345678"),
        ("1588-1234", "15881234"),
        ("1644 1234", "16441234"),
        ("1800.1234", "18001234"),
        ("０２－１２３４－５６７８", "0212345678"),
    ],
)
def test_a_sender_number_is_digits_with_the_area_code(raw: str, expected: str) -> None:
    assert sender_number(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("", id="empty"),
        pytest.param("112", id="emergency call"),
        pytest.param("1588-123", id="company number, a digit short"),
        pytest.param("1588-12345", id="company number, a digit too many"),
        pytest.param("1234-5678", id="eight digits, but no company number"),
        pytest.param("123-4567", id="no area code"),
        pytest.param("02-123-456", id="a digit short"),
        pytest.param("010-1234-567", id="mobile, a digit short"),
        pytest.param("010-1234-56789", id="mobile, a digit too many"),
        pytest.param("0505-1234-56789", id="safe number, a digit too many"),
        pytest.param("+1 202 555 0123", id="foreign"),
        pytest.param("쇼핑몰", id="words"),
        pytest.param("٠٢١٢٣٤٥٦٧", id="digits of another script"),
    ],
)
def test_what_cannot_be_registered_is_no_sender_number(raw: str) -> None:
    assert sender_number(raw) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("hong@example.com", "hong@example.com"),
        (" hong@example.com\n", "hong@example.com"),
        ("hong\u200b@example.com", "hong@example.com"),
        ("Hong.Gil+1@Example.COM", "Hong.Gil+1@example.com"),
        ("hong@한글.kr", "hong@xn--bj0bj06e.kr"),
    ],
)
def test_a_mail_address_is_ascii(raw: str, expected: str) -> None:
    assert mail_address(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("", id="empty"),
        pytest.param("hong", id="no domain"),
        pytest.param("hong@localhost", id="no public domain"),
        pytest.param("홍길동@example.com", id="needs SMTPUTF8"),
        pytest.param("홍길동 <hong@example.com>", id="with a name"),
        pytest.param("a@example.com, b@example.com", id="two addresses"),
        pytest.param("a@example.com\r\nBcc: b@example.com", id="a header smuggled in"),
        pytest.param("a..b@example.com", id="two dots"),
        pytest.param("a@[127.0.0.1]", id="an IP address"),
        pytest.param(f"{'a' * 250}@example.com", id="too long"),
    ],
)
def test_what_mail_cannot_reach_is_no_mail_address(raw: str) -> None:
    assert mail_address(raw) is None


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("01012345678", "010-****-5678"),
        ("010-1234-5678", "010-****-5678"),
        ("050212345678", "050-****-5678"),
        ("0212345678", "021-****-5678"),
        ("021234567", "****"),
        ("15881234", "****"),
        ("", "****"),
    ],
)
def test_a_masked_number_hides_its_middle_or_all(number: str, expected: str) -> None:
    assert mask_phone(number) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("hong@example.com", "h***@example.com"),
        ("h@example.com", "h***@example.com"),
        ("@example.com", "***@example.com"),
        ("01012345678", "010-****-5678"),
        ("junk", "****"),
    ],
)
def test_a_masked_address_hides_who_it_is(address: str, expected: str) -> None:
    assert mask_address(address) == expected
