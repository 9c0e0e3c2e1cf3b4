"""Record what became of messages, and announce their rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from lib.closing import hold_round
from lib.dialect import as_date
from lib.failpoints import Step, reach
from lib.messengers import Accepted, Letter, NotNow, Outcome, Outcomes, Refused, Unknown
from lib.outbox.credits import refund
from lib.run import Run
from lib.store import Row, Transaction

LATER = timedelta(minutes=10)
"""How long a message waits after the provider said "later", or before an unknown one is looked up again."""


@dataclass(frozen=True)
class Place:
    """Where a batch was left, and where a message goes that was not handed over this time."""

    state: Literal["sending", "unknown"]
    back: Literal["queued", "unknown"] = "queued"


SENT = Place("sending")
SENT_AGAIN = Place("sending", back="unknown")
"""A mail that may have left before stays unknown, with the text it has, until a try of it is answered."""
LOOKED_UP = Place("unknown")


def record(run: Run, letters: Sequence[Letter], outcomes: Outcomes, place: Place, tx: Transaction) -> None:
    """Record the outcomes of one batch that was left in `place`."""
    ids = [letter.message_id for letter in letters]
    messages = {row["message_id"]: row for row in tx.rows("messages_by_id", ids=ids)}
    told: list[int] = []
    refused: list[int] = []
    for letter in letters:
        message = messages[letter.message_id]
        outcome = outcomes.get(letter.message_id, Unknown("발송사의 답에 이 메시지가 없음"))
        own_lease = letter.lease_until if place.state == "sending" else None
        if _record_one(run, message, outcome, place, own_lease, tx) and _announces(message):
            (told if isinstance(outcome, Accepted) else refused).append(message["round_id"])
    if told:
        _announce(run, told, tx)
    if refused:
        _hold_unreachable(run, refused, tx)
    reach(Step.ROUNDS_ANNOUNCED)


def _announces(message: Row) -> bool:
    return (message["kind"], message["recipient"]) == ("payment_notice", "customer")


def _record_one(
    run: Run, message: Row, outcome: Outcome, place: Place, own_lease: datetime | None, tx: Transaction
) -> bool:
    """Write one outcome; True: accepted, or refused for good."""
    now = run.clock.now()
    move = partial(_move, tx, message, place.state, own_lease)
    match outcome:
        case Accepted():
            accepted = tx.change(
                "accept_message",
                message_id=message["message_id"],
                provider_id=outcome.provider_id[:200],
                at=now,
            )
            tx.count("messages_accepted", accepted)
            return accepted > 0
        case Refused(scope="permanent"):
            said = f"{outcome.code} {outcome.message}"
            if not move("refused", said, None):
                return False
            refund(run, message["message_id"], tx)
            tx.count("messages_refused")
            return True
        case Refused():
            # The account, not this message: nothing was handed over, and the debit stays for the next try.
            move(place.back, f"{outcome.code} {outcome.message}", now)
        case NotNow():
            wait = LATER if outcome.sent else timedelta(0)
            move(place.back, f"{outcome.code} {outcome.message}", now + wait)
        case Unknown():
            wait = LATER if place.state == "unknown" else timedelta(0)
            move("unknown", outcome.message, now + wait)
            if place == SENT:
                tx.count("messages_unknown")
    return False


def _move(
    tx: Transaction,
    message: Row,
    from_state: str,
    own_lease: datetime | None,
    to_state: str,
    reason: str,
    next_try_at: datetime | None,
) -> bool:
    return bool(
        tx.change(
            "move_handed",
            message_id=message["message_id"],
            from_state=from_state,
            own_lease=own_lease,
            to_state=to_state,
            reason=reason[:200],
            next_try_at=next_try_at,
        )
    )


def _announce(run: Run, round_ids: Sequence[int], tx: Transaction) -> None:
    """A customer message was accepted: today is the day of the notice."""
    today = run.clock.local().date()
    for round_ in tx.rows("rounds_by_id", ids=sorted(set(round_ids))):
        if round_["state"] == "sealed":
            tx.change(
                "announce_round",
                round_id=round_["round_id"],
                announced_on=today,
                next_attempt_at=run.clock.start_of(as_date(round_["charge_on"])),
            )


def _hold_unreachable(run: Run, round_ids: Sequence[int], tx: Transaction) -> None:
    """Where every customer message was refused for good, nobody can be told: a person decides."""
    ids = sorted(set(round_ids))
    open_ids = {row["round_id"] for row in tx.rows("customer_notices", ids=ids) if row["state"] != "refused"}
    for round_ in tx.rows("rounds_by_id", ids=[each for each in ids if each not in open_ids] or [0]):
        if round_["state"] == "sealed":
            hold_round(run, tx, round_, "고객 안내가 모두 거부되어 주소를 고쳐야 함")
