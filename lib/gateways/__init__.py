"""One interface to every payment gateway (PG); one file per PG. PG field names stop inside these files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from lib.settings.values import CodeClass


@dataclass(frozen=True)
class Card:
    """The shop's row that holds the PG's token. Its keys never reach a log, an error or a report."""

    card_id: int
    member_id: str
    pg_code: str
    billing_key: str
    customer_key: str
    masked_number: str
    registered_at: datetime

    def __repr__(self) -> str:
        return f"Card({self.card_id}, {self.pg_code})"

    @property
    def secrets(self) -> tuple[str, str]:
        """Return what must be taken out of every answer."""
        return self.billing_key, self.customer_key


@dataclass(frozen=True)
class Attempt:
    """One try to charge one round on one card. With the card it is all a request is made from."""

    attempt_id: int
    round_id: int
    attempt_no: int
    pg_code: str
    order_no: str
    order_name: str
    amount_krw: int
    card_id: int
    sent_at: datetime
    """UTC, aware. The age of the idempotency key counts from here."""
    request_digest: str = ""
    """What `Gateway.digest` gave at the claim; a replay whose bytes differ is refused."""
    send_until: datetime | None = None
    """Real time, aware: from here on no byte of a charge leaves, another run may be settling it."""


@dataclass(frozen=True)
class Approval:
    """Money that moved, as the PG tells it. `kind` cancel lowers the approvals of its order number."""

    tid: str
    order_no: str
    amount_krw: int
    approval_no: str
    kind: Literal["approve", "cancel"] = "approve"
    seq: int = 0


@dataclass(frozen=True)
class Approved:
    """The PG said yes. The caller compares order number and amount: it may be evidence of something else."""

    evidence: tuple[Approval, ...]
    source: Literal["response", "replay", "inquiry"]


@dataclass(frozen=True)
class Declined:
    """The PG said no, definitely. `hard`: this card is out for this round."""

    decline: Literal["hard", "soft"]
    code: str
    message: str


@dataclass(frozen=True)
class NotSent:
    """Proven: nothing left this host (DNS, refused, TLS, a connection stale before the first byte)."""

    message: str


@dataclass(frozen=True)
class NotCharged:
    """Proven by the PG: no money is held for this order number (fully cancelled, or never taken)."""

    code: str
    message: str
    evidence: tuple[Approval, ...] = ()


@dataclass(frozen=True)
class Refused:
    """The PG refused the request itself because of this row; the round is held for a person."""

    code: str
    message: str


@dataclass(frozen=True)
class Misconfigured:
    """The PG refused the account (key, merchant, contract): stop this gateway for the run."""

    code: str
    message: str


@dataclass(frozen=True)
class Unknown:
    """Nothing we can rely on: money may have moved."""

    code: str
    message: str
    not_before: datetime | None = None
    """UTC, aware: asking sooner would tell nothing."""


Outcome = Approved | Declined | NotSent | Refused | Misconfigured | Unknown
Settled = Approved | Declined | NotCharged | NotSent | Refused | Misconfigured | Unknown


def classed(kind: CodeClass, code: str, message: str) -> Declined | Refused | Misconfigured | Unknown:
    """Return what a PG's refusal means, by the class of its code."""
    match kind:
        case "declined-hard":
            return Declined("hard", code, message)
        case "declined-soft":
            return Declined("soft", code, message)
        case "refused":
            return Refused(code, message)
        case "misconfigured":
            return Misconfigured(code, message)
        case "unknown":
            return Unknown(code, message)


@dataclass(frozen=True)
class Forgotten:
    """What became of a billing key at the PG: done, already_gone, failed or unknown."""

    state: Literal["done", "already_gone", "failed", "unknown"]
    message: str = ""


@dataclass(frozen=True)
class Abilities:
    """What a PG can do; decides which way out of doubt there is."""

    replay_window: timedelta | None
    inquiry: bool
    void_by_order: bool
    min_amount_krw: int


Replay = Callable[[], datetime | None]
"""Answers, when asked, until when (real time) a charge may be sent again; None: it is not wanted any more."""


class Gateway(Protocol):
    """One PG. Outcomes are values; an exception is a bug. Safe to call from several threads."""

    abilities: Abilities

    def digest(self, attempt: Attempt, card: Card) -> str:
        """Return a sha256 hex digest over the bytes that `charge` would send, keys included."""
        ...

    def charge(self, attempt: Attempt, card: Card) -> Outcome:
        """Send exactly one charge request."""
        ...

    def settle(self, attempt: Attempt, card: Card | None, *, replay: Replay) -> Settled:
        """Find out what became of an attempt; send it again only where the PG replays and `replay` allows.

        `card` is None once its row went.
        """
        ...

    def forget(self, card: Card) -> Forgotten:
        """Delete the billing key at the PG; repeating it is harmless."""
        ...

    def cancel(self, approval: Approval, reason: str) -> Settled:
        """Give an approved payment back in full; `NotCharged` with the evidence means it is done."""
        ...
