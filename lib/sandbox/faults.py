"""What can be made to go wrong: rules that strike requests by endpoint, subject, count and rate."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Literal

Kind = Literal["drop", "reset", "drip", "close", "delay", "error", "html", "empty", "truncated", "alter"]

_SPOILS_THE_REPLY = frozenset({"reset", "drip", "close", "truncated", "alter"})


@dataclass(frozen=True)
class Fault:
    """One rule. The first that strikes wins; delays add up.

    `drop` closes without a reply, `reset` breaks the connection half-way through it, `drip` sends it byte by
    byte (`seconds` apart), `close` closes a kept connection after it, `delay` waits, `error` answers with
    `status` and `code`, `html` with `status` and a web page, `empty` with 200 and nothing, `truncated` with
    half of its JSON, `alter` with `fields` written over its JSON.
    """

    kind: Kind
    endpoint: str = "*"
    """Where it strikes; `*` is everywhere but at `accept`, which is before anything is read."""
    subject: str = field(default="", repr=False)
    """Strikes only what this is part of: an order number, a group id, a billing key, a mail address."""
    processed: bool = False
    """Whether the request takes effect first (money moves, a mail is accepted) and the reply is lost; a
    `delay` that is not processed puts the effect off. The kinds that spoil a reply are always processed."""
    stored: bool = False
    """Whether an idempotency key remembers the spoilt reply instead of the true one."""
    times: int | None = None
    """How often it strikes at most."""
    skip: int = 0
    """How many matching requests pass first."""
    rate: float = 1.0
    """Which part of the matching requests, decided by `seed`, subject and how often the subject was seen:
    the same whatever the order in which threads come."""
    seed: int = 0
    status: int = 500
    code: str = ""
    seconds: float = 0.0
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def takes_effect(self) -> bool:
        """Whether the request is processed although the fault strikes."""
        return self.processed or self.kind in _SPOILS_THE_REPLY


@dataclass(frozen=True)
class Strike:
    """What strikes one request: waits, in seconds, around its processing and at most one other fault."""

    before_s: float = 0.0
    after_s: float = 0.0
    fault: Fault | None = None

    @property
    def name(self) -> str:
        """The kind of the fault for the book, empty where there is none."""
        return self.fault.kind if self.fault else ""

    @property
    def prevents(self) -> bool:
        """Whether the request must not take effect."""
        return self.fault is not None and not self.fault.takes_effect


def chosen(rate: float, seed: int, *what: object) -> bool:
    """Decide a rate between 0 and 1 by a hash: the same for the same seed and the same thing."""
    digest = hashlib.blake2b("|".join(map(str, (seed, *what))).encode(), digest_size=8).digest()
    return int.from_bytes(digest) < rate * 2**64


class _Rule:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._left = fault.times
        self._to_skip = fault.skip
        self._seen: dict[str, int] = {}

    def strikes(self, endpoint: str, subject: str) -> bool:
        if not self._matches(endpoint, subject) or self._left == 0:
            return False
        if self._to_skip:
            self._to_skip -= 1
            return False
        if not self._rolled(endpoint, subject):
            return False
        if self._left is not None:
            self._left -= 1
        return True

    def _matches(self, endpoint: str, subject: str) -> bool:
        wanted = self.fault.endpoint
        return self.fault.subject in subject and (
            wanted == endpoint or (wanted == "*" and endpoint != "accept")
        )

    def _rolled(self, endpoint: str, subject: str) -> bool:
        if self.fault.rate >= 1.0:
            return True
        seen = self._seen[subject] = self._seen.get(subject, 0) + 1
        return chosen(self.fault.rate, self.fault.seed, endpoint, subject, seen)


class Faults:
    """The faults switched on at one simulator, and the latency of every request, in seconds."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self.struck = 0
        """How many requests a fault has struck so far, those still delayed by it included."""
        self._rules: list[_Rule] = []
        self._lock = Lock()
        self._stopping = Event()

    def add(self, *faults: Fault) -> None:
        """Switch faults on, after those that are on already."""
        with self._lock:
            self._rules = self._rules + [_Rule(fault) for fault in faults]

    def clear(self) -> None:
        """Switch every fault and the latency off."""
        self.latency_s = 0.0
        self._rules = []

    def take(self, endpoint: str, subject: str) -> Strike:
        """Say what strikes this request, and count it."""
        if not self._rules:
            return Strike(self.latency_s)
        with self._lock:
            return self._strike(endpoint, subject)

    def _strike(self, endpoint: str, subject: str) -> Strike:
        before_s, after_s, struck = self.latency_s, 0.0, None
        for rule in self._rules:
            fault = rule.fault
            if (struck and fault.kind != "delay") or not rule.strikes(endpoint, subject):
                continue
            if fault.kind != "delay":
                struck = fault
            elif fault.processed:
                after_s += fault.seconds
            else:
                before_s += fault.seconds
        self.struck += struck is not None or before_s + after_s > self.latency_s
        return Strike(before_s, after_s, struck)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the simulator lives."""
        if seconds > 0:
            self._stopping.wait(seconds)

    def stop(self) -> None:
        """End every pause at once: the simulator is going away."""
        self._stopping.set()
