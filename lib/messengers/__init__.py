"""One interface to mail and to every SMS provider; one file per provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol


@dataclass(frozen=True)
class Letter:
    """A rendered message of the outbox, ready to be handed over."""

    message_id: int
    channel: Literal["mail", "sms"]
    address: str
    subject: str
    body: str
    """The text part of a mail, or the whole SMS."""
    html: str
    """The HTML part of a mail; empty for SMS."""
    sms_kind: Literal["SMS", "LMS"] | None
    sender: str
    """The From: address of a mail, the pre-registered sender number (digits) of an SMS."""
    sender_name: str
    claimed_at: datetime
    """UTC, aware: when it was first handed over (business time); narrows a look-up."""
    lease_until: datetime
    """Aware, real time: from then on another run may take the letter up, so it must not be begun any more."""
    provider_id: str = ""
    """What `remember` was given earlier for this message, for `settle`."""


@dataclass(frozen=True)
class Accepted:
    """The provider took responsibility."""

    provider_id: str


@dataclass(frozen=True)
class Refused:
    """A definite no. `permanent`: this recipient or text. `account`: the whole account; stop the provider."""

    scope: Literal["permanent", "account"]
    code: str
    message: str


@dataclass(frozen=True)
class NotNow:
    """Proven not handed over, or refused for now: try again later. `sent` is False where nothing left us."""

    code: str
    message: str
    sent: bool = True


@dataclass(frozen=True)
class Unknown:
    """It may have been handed over."""

    message: str


def seconds_left(letters: Sequence[Letter], at_most: float) -> float:
    """Return how long, by the real clock, the lease of these letters lasts; a sleep of this host counts."""
    now = datetime.now(UTC)
    return min([(letter.lease_until - now).total_seconds() for letter in letters] + [at_most])


Outcome = Accepted | Refused | NotNow | Unknown
Outcomes = dict[int, Outcome]
"""message_id → outcome, one for every letter given."""


class Messenger(Protocol):
    """One provider. Outcomes are values; an exception is a bug. Safe to call from several threads."""

    batch_size: int
    """How many letters one call of `send` takes at most."""
    can_look_up: bool
    """Whether `settle` can find out what became of an unknown message without sending it."""

    def send(self, letters: Sequence[Letter], remember: Callable[[str], None]) -> Outcomes:
        """Hand the letters over, each once.

        `remember(provider_id)` stores, for all letters given, the id under which they can be looked up; it is
        called before anything leaves, and where it raises nothing is sent.
        """
        ...

    def settle(self, letters: Sequence[Letter]) -> Outcomes:
        """Look up letters of unknown state; sends nothing. `NotNow` means: proven not handed over."""
        ...

    def close(self) -> None:
        """Close kept connections."""
        ...
