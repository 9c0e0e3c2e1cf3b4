"""Idempotency keys as TossPayments keeps them (docs.tosspayments.com, guides/using-api/idempotency-key)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from lib.sandbox.server import Reply

WINDOW = timedelta(days=15)
"""A key counts from its first use; afterwards the same key is a new request."""

Key = tuple[str, str, str, str]
"""Idempotency key, API key, URL, method. The body is no part of it."""


@dataclass
class _Use:
    first_at: datetime
    reply: Reply | None = None


class Running:
    """The first request under this key has no answer yet."""


class Replays:
    """Remember the first reply under every key, errors included."""

    def __init__(self) -> None:
        self._uses: dict[Key, _Use] = {}
        self._lock = Lock()

    def begin(self, key: Key, now: datetime) -> Reply | Running | None:
        """Return the earlier reply, or `Running`; None makes this the first request under the key."""
        with self._lock:
            use = self._uses.get(key)
            if use is None or now - use.first_at >= WINDOW:
                self._uses[key] = _Use(now)
                return None
            return use.reply or Running()

    def finish(self, key: Key, reply: Reply) -> None:
        """Remember the reply of the first request."""
        self._uses[key].reply = reply
