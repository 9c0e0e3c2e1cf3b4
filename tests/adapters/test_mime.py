"""What a mail looks like, whatever its names and subjects hold."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from email import policy
from email.message import EmailMessage

import pytest

from lib.messengers import Letter
from lib.messengers.mime import mime
from tests.adapters.samples import LETTER, LETTER_ID, NOW


def parsed(letter: Letter) -> EmailMessage:
    message = email.message_from_bytes(mime(letter, "example.co.kr"), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    content = found.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def test_a_mail_says_what_the_letter_says() -> None:
    message = parsed(LETTER)
    assert message["From"].addresses[0].display_name == "원두상점"
    assert message["From"].addresses[0].addr_spec == "shop@example.co.kr"
    assert message["To"].addresses[0].addr_spec == "kim@example.com"
    assert message["Subject"] == LETTER.subject
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == LETTER_ID
    assert message["Auto-Submitted"] == "auto-generated"
    assert part(message, "plain") == LETTER.body
    assert part(message, "html") == LETTER.html
    assert message.get_content_type() == "multipart/alternative"


def test_a_mail_without_html_is_text_alone() -> None:
    message = parsed(replace(LETTER, html=""))
    assert message.get_body(("html",)) is None
    assert part(message, "plain") == LETTER.body


def test_the_same_letter_makes_the_same_bytes() -> None:
    assert mime(LETTER, "a.kr") == mime(replace(LETTER, provider_id="x"), "a.kr")


CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
HOSTILE = [
    "",
    " ",
    "가" * 300,
    "👨‍👩‍👧‍👦" * 40,
    "a" * 998,
    'quo"ted, <one@two> (three)',
    "=?utf-8?b?aGk=?=",
    "line\r\nBcc: all@example.com",
    "line\nBcc: all@example.com",
    "line\rBcc: all@example.com",
    "line\x0bBcc\x0c\x1c\x85\u2028\u2029: all@example.com",
    "nul\x00esc\x1bdel\x7f",
    "half \ud800 a pair",
    "\r\n\r\n<html>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_and_no_subject_gets_out_of_its_field(text: str) -> None:
    message = parsed(replace(LETTER, sender_name=text, subject=text))
    assert [name for name in message if name not in {"From", "To", "Subject", "Date"}] == [
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]
    assert message.defects == []
    assert message["From"].addresses[0].addr_spec == "shop@example.co.kr"
    assert str(message["Subject"]).split() == CONTROLS.sub(" ", text).replace("\ud800", "?").split()
    assert part(message, "plain") == LETTER.body


@pytest.mark.parametrize("text", HOSTILE)
def test_lines_keep_to_their_lengths(text: str) -> None:
    content = mime(replace(LETTER, sender_name=text, subject=text, body=text, html=text), "a.kr")
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert content.isascii()


@pytest.mark.parametrize("address", ["a@b.kr\r\nBcc: c@d.kr", "a@b.kr>\nX: y", "한글@b.kr"])
def test_no_address_gets_out_of_its_field(address: str) -> None:
    message = parsed(replace(LETTER, address=address, sender=address))
    assert "Bcc" not in message
    assert "X" not in message
