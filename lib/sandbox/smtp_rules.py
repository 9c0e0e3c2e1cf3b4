"""What the simulated mail server refuses (RFC 5321, RFC 5322): pure rules, no state."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_COMMAND_BYTES = 512
_MAX_TEXT_BYTES = 998
_HEADER_LINE = re.compile(rb"[!-9;-~]+:|[ \t]+[^ \t]")
_PATH = re.compile(r"(?:MAIL FROM|RCPT TO):<([^<>\s]*)>((?: [A-Za-z0-9-]+(?:=\S+)?)*)", re.IGNORECASE)
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]+")

ADDRESS_RULES = (
    ("+refuse", "550 5.1.1 user unknown"),
    ("+later", "451 4.7.1 greylisted, try again later"),
)
"""Recipients that are refused by name, always: a part of the address and the reply to RCPT."""


@dataclass(frozen=True)
class SmtpSwitches:
    """How the simulated mail server is set up."""

    max_bytes: int = 10_485_760
    user: str = ""
    """With a user, mail is taken only after AUTH PLAIN or AUTH LOGIN."""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class MailPath:
    """The address of MAIL or RCPT (empty for `<>`), and its parameters in upper case."""

    address: str
    parameters: dict[str, str]


def mail_path(line: str) -> MailPath | str:
    """Read a MAIL or RCPT command; a reply line where it is refused."""
    matched = _PATH.fullmatch(line)
    if matched is None:
        return "501 5.5.4 syntax error in parameters"
    address = matched[1]
    if not address.isascii():
        return "553 5.6.7 non-ASCII address needs SMTPUTF8, which is not offered"
    if address and not _ADDRESS.fullmatch(address):
        return "553 5.1.3 bad address syntax"
    words = [word.partition("=") for word in matched[2].upper().split()]
    return MailPath(address, {name: value for name, _, value in words})


def parameter_problem(parameters: dict[str, str], max_bytes: int) -> str | None:
    """Return the reply that refuses the parameters of MAIL."""
    if parameters.keys() - {"SIZE", "BODY"} or parameters.get("BODY", "7BIT") not in {"7BIT", "8BITMIME"}:
        return "555 5.5.4 parameter not recognised"
    size = parameters.get("SIZE", "0")
    if not size.isdecimal():
        return "501 5.5.4 bad SIZE"
    return "552 5.3.4 message too big" if int(size) > max_bytes else None


def recipient_problem(address: str) -> str | None:
    """Return the reply that refuses a recipient."""
    if not address:
        return "501 5.1.3 no recipient"
    return next((reply for part, reply in ADDRESS_RULES if part in address), None)


def content_problem(raw: bytes, *, eight_bit: bool, max_bytes: int) -> str | None:
    """Return the reply that refuses a message after its final dot."""
    if len(raw) > max_bytes:
        return "552 5.3.4 message too big"
    if not raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n"):
        return "550 5.6.11 line ends must be CRLF"
    if max(map(len, raw.split(b"\r\n"))) > _MAX_TEXT_BYTES:
        return "554 5.6.0 line longer than 1000 bytes"
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head.isascii():
        return "554 5.6.7 non-ASCII header needs SMTPUTF8, which is not offered"
    if not all(map(_HEADER_LINE.match, head.removesuffix(b"\r\n").split(b"\r\n"))):
        return "554 5.6.0 malformed header"
    return "554 5.6.1 8-bit text without BODY=8BITMIME" if not (eight_bit or body.isascii()) else None
