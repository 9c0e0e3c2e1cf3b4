"""Where one request ends and the next begins, in the three protocols that the jobs speak."""

from __future__ import annotations

import re
from collections.abc import Callable

END_OF_LINE, END_OF_MAIL, END_OF_HEAD = b"\r\n", b"\r\n.\r\n", b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Framing = Callable[[bytes, bytes], int]
"""How long the first whole request is, from what was read and the request before it; 0: not whole yet."""


def mysql(read: bytes, _before: bytes) -> int:
    """Frame a packet: three bytes of length, one of sequence, the content."""
    size = 4 + int.from_bytes(read[:3], "little")
    return size if len(read) >= size else 0


def http(read: bytes, _before: bytes) -> int:
    """Frame a request: the head and as much of a body as it announces."""
    head, blank, _ = read.partition(END_OF_HEAD)
    announced = _LENGTH.search(head)
    size = len(head) + len(blank) + (int(announced[1]) if announced else 0)
    return size if blank and len(read) >= size else 0


def smtp(read: bytes, before: bytes) -> int:
    """Frame a line or, after DATA, a whole mail up to its dot."""
    end = END_OF_MAIL if before.upper() == b"DATA\r\n" else END_OF_LINE
    found = read.find(end)
    return found + len(end) if found >= 0 else 0


def is_query(request: bytes) -> bool:
    """Tell a statement (COM_QUERY) from the greeting and the good-bye of a connection to MySQL."""
    return request[4:5] == b"\x03"


def is_commit(request: bytes) -> bool:
    """Tell a COMMIT; the driver's SET AUTOCOMMIT is none."""
    return request[4:] == b"\x03COMMIT"


def is_anything(_request: bytes) -> bool:
    """Meet every request and the opening of every connection."""
    return True
