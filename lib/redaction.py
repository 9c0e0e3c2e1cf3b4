"""Make a text from outside fit for a column, a log or a report: one short line without secrets."""

from __future__ import annotations

import base64
import re
import unicodedata
from urllib.parse import quote

LONGEST = 200
READ_AT_MOST = 4096
"""Characters of which the numbers and addresses are looked for: a huge answer shall not hold a run up."""
NOT_IN_A_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
NUMBERS = re.compile(
    r"(?<!\d)(?:(?:(?:\+?82[ .-]?)?\(?0\)?|\+?82[ .-]?)(?:1[016-9]|50\d)[ .-]?\d{3,4}[ .-]?\d{4}"
    r"|\d{4}[ .-]?\d{4}[ .-]?\d{4}[ .-]?\d{1,7})(?!\d)"
)
"""Mobile and 050 numbers, with +82 or without, and card numbers of 13 to 19 digits."""
MAIL = re.compile(r"[^\s<>()\[\]\"',:;=@]{1,64}@[^\s<>()\[\]\"',:;=@?]{1,253}")
"""Mail addresses, in whatever case a server repeats them."""


def redact(text: str, *secrets: str) -> str:
    """Return the text as one NFC line of at most 200 characters.

    Secrets, plain, in a URL or in base64, and the numbers of cards and phones and mail addresses become ***.
    """
    line = NOT_IN_A_LINE.sub(" ", unicodedata.normalize("NFC", text)).strip()
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):  # the longest first: one may be a part of another
        line = line.replace(form, "***")
    return NUMBERS.sub("***", MAIL.sub("***", line[:READ_AT_MOST]))[:LONGEST]


def _forms(secret: str) -> tuple[str, ...]:
    """Return how a peer may repeat a secret; with the colon it is the user of HTTP's Basic."""
    alone, as_user = (base64.b64encode(each.encode()).decode() for each in (secret, f"{secret}:"))
    return secret, quote(secret, safe=""), alone, as_user
