"""Make a text from outside fit for a column, a log or a report: one short line without secrets."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST = 200
NOT_IN_A_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
NUMBERS = re.compile(
    r"(?<!\d)(?:01[016-9][ -]?\d{3,4}[ -]?\d{4}|\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7})(?!\d)"
)
"""Mobile numbers, and card numbers of 13 to 19 digits."""


def redact(text: str, *secrets: str) -> str:
    """Return the text as one NFC line of at most 200 characters; secrets, cards and phones become ***."""
    line = NOT_IN_A_LINE.sub(" ", unicodedata.normalize("NFC", text)).strip()
    for secret in secrets:
        if secret:
            line = line.replace(secret, "***").replace(quote(secret, safe=""), "***")
    return NUMBERS.sub("***", line)[:LONGEST]
