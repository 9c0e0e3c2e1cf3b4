"""What SOLAPI refuses: the Authorization header and single messages. Pure rules, no state.

Sources: the vendor's public documents (solapi/documents: authentication, messages, message-status-codes).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

API_KEY = "SIMAPIKEY0000000"
API_SECRET = "sim-api-secret"  # noqa: S105 - opens nothing but a simulator
CLOCK_SKEW = timedelta(minutes=15)
PRICES_KRW = {"SMS": 18, "LMS": 45}
ACCEPTED = "2000"
DELIVERED = "4000"

_HASHES = {"HMAC-SHA256": "sha256", "HMAC-MD5": "md5"}
_SALT_BYTES = range(12, 65)
_TEXT_BYTES = {"SMS": 90, "LMS": 2000}
_SUBJECT_BYTES = 40
_FIELD_CHARS = (30, 100)
_NUMBER_DIGITS = range(8, 13)
_FIRST_KS_BYTE = 0xA1

STATUS = {
    "1010": "필수 입력 값이 입력되지 않았습니다.",
    "1011": "입력 값의 형식이 올바르지 않습니다.",
    "1013": "SMS에는 제목을 입력할 수 없습니다.",
    "1014": "제목은 40바이트를 넘을 수 없습니다.",
    "1025": "올바르지 않은 메시지 타입입니다.",
    "1026": "중복 수신번호입니다.",
    "1028": "출력할 수 없는 문자가 있습니다.",
    "1029": "EUC-KR(완성형 한글)에 없는 문자가 있습니다.",
    "1030": "잔액이 부족합니다.",
    "1031": "메시지 길이가 제한을 초과했습니다.",
    "1032": "customFields 값이 올바르지 않습니다.",
    "1060": "수신이 차단된 번호입니다.",
    "1062": "등록되지 않은 발신번호입니다.",
    ACCEPTED: "정상 접수(이통사로 접수 예정) ",
    DELIVERED: "수신 완료",
}
"""Code → text; codes and meanings are the vendor's, the wording is ours but for 2000."""


@dataclass(frozen=True)
class SolapiSwitches:
    """How the simulated account is set up; money is won."""

    api_key: str = API_KEY
    api_secret: str = field(default=API_SECRET, repr=False)
    senders: tuple[str, ...] | None = None
    """The registered sender numbers; None takes any number."""
    balance_krw: int = 1_000_000
    daily_quota: int | None = None
    """How many messages may be released until the next reset."""
    quota_is_told: bool = False
    """Whether a release over the quota says FAILED at once. As seen in the vendor's samples it says SENDING
    and the group fails a moment later."""
    complete_after_s: float = 0.0
    """How long a released group stays SENDING, by the simulator's clock."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Recipient → status code with which messages to it are refused."""


@dataclass(frozen=True)
class Credentials:
    """What the Authorization header says."""

    api_key: str
    moment: datetime
    signature: str = field(repr=False)


def read_authorization(header: str, api_secret: str) -> Credentials | str:
    """Return the credentials of a well-signed header, else the vendor's error code.

    The header is `HMAC-SHA256 apiKey=…, date=…, salt=…, signature=…`; names in any case.
    """
    algorithm, _, rest = header.partition(" ")
    pairs = (part.strip().partition("=") for part in rest.split(","))
    parts = {name.lower(): value for name, _, value in pairs}
    if algorithm not in _HASHES or not parts.get("apikey"):
        return "InvalidAPIKey"
    date, salt = parts.get("date", ""), parts.get("salt", "")
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return "RequestTimeTooSkewed"
    if moment.tzinfo is None:
        return "RequestTimeTooSkewed"
    signed = hmac.new(api_secret.encode(), (date + salt).encode(), _HASHES[algorithm]).hexdigest()
    if len(salt.encode()) not in _SALT_BYTES or parts.get("signature") != signed:
        return "SignatureDoesNotMatch"
    return Credentials(parts["apikey"], moment, signed)


def _bytes(text: str) -> int:
    return len(text.encode("cp949", "replace"))


def _is_ks(char: str) -> bool:
    try:
        encoded = char.encode("cp949")
    except UnicodeEncodeError:
        return False
    return len(encoded) == 1 or min(encoded) >= _FIRST_KS_BYTE


def _text_problem(text: str, subject: str) -> str | None:
    if not all(char.isprintable() or char in "\r\n\t" for char in text + subject if char.isascii()):
        return "1028"
    return None if all(map(_is_ks, text + subject)) else "1029"


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) in _NUMBER_DIGITS


def _custom_fields_problem(fields: object) -> str | None:
    longest_name, longest_value = _FIELD_CHARS
    fine = isinstance(fields, dict) and all(
        isinstance(value, str) and len(name) <= longest_name and len(value) <= longest_value
        for name, value in fields.items()
    )
    return None if fine else "1032"


def message_kind(message: Mapping[str, Any]) -> str:
    """Return the type a message goes out as; where it has none, a subject or its length makes it an LMS."""
    if message.get("type"):
        return str(message["type"])
    longest = _TEXT_BYTES["SMS"]
    return "LMS" if message.get("subject") or _bytes(str(message.get("text", ""))) > longest else "SMS"


def _length_problem(kind: str, text: str, subject: str) -> str | None:
    if kind == "SMS" and subject:
        return "1013"
    if _bytes(subject) > _SUBJECT_BYTES:
        return "1014"
    return "1031" if _bytes(text) > _TEXT_BYTES[kind] else None


def message_problem(message: Mapping[str, Any]) -> str | None:
    """Return the status code with which a message is refused by itself; None where it is well formed.

    MMS and Kakao messages exist at the vendor; the simulator has no images and no templates and says 1025.
    """
    text, subject = message.get("text"), message.get("subject") or ""
    if not message.get("to") or not message.get("from") or not text:
        return "1010"
    if not _is_number(message["to"]) or not _is_number(message["from"]):
        return "1011"
    if not isinstance(text, str) or not isinstance(subject, str):
        return "1011"
    kind = message_kind(message)
    if kind not in PRICES_KRW:
        return "1025"
    return (
        _text_problem(text, subject)
        or _length_problem(kind, text, subject)
        or _custom_fields_problem(message.get("customFields", {}))
    )
