"""The attempt row: all that a charge request is made from, committed before a socket opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lib.billing import texts
from lib.billing.numbers import order_no
from lib.charging.desk import Desk
from lib.dialect import as_date
from lib.failpoints import Step, reach
from lib.gateways import Attempt, Card
from lib.run import Run, lease
from lib.store import Row, Transaction

LONGEST_NAME = 40
"""Characters; what a card statement shows."""

ATTEMPT_COLUMNS = (
    "round_id",
    "attempt_no",
    "pg_code",
    "order_no",
    "order_name",
    "amount_krw",
    "card_id",
    "sent_at",
)


@dataclass(frozen=True)
class Claimed:
    """An attempt that is ours to send, with the card as it was read."""

    attempt: Attempt
    card: Card
    lease_until: datetime


def draft(
    shop_no: int, round_: Row, lines: Sequence[Row], card: Card, attempt_no: int, sent_at: datetime
) -> Attempt:
    """Return the attempt to make on a card; its id is given by the database."""
    number = order_no(shop_no, round_["subscription_id"], as_date(round_["delivery_on"]), attempt_no)
    return Attempt(
        attempt_id=0,
        round_id=round_["round_id"],
        attempt_no=attempt_no,
        pg_code=card.pg_code,
        order_no=number,
        order_name=order_name(lines, round_["round_no"]),
        amount_krw=round_["amount_krw"],
        card_id=card.card_id,
        sent_at=sent_at,
    )


def order_name(lines: Sequence[Row], round_no: int) -> str:
    """Name the goods as the customer's card statement shows them, within 40 characters."""
    included = [line for line in lines if line["excluded_reason"] is None]
    more = f" 외 {len(included) - 1}건" if len(included) > 1 else ""
    tail = f"{more} {round_no}회차"
    name = texts.clean(included[0]["product_name"]) or "정기배송"
    return f"{name[: LONGEST_NAME - len(tail)]}{tail}"


def start(run: Run, desk: Desk, attempt: Attempt, card: Card, token: str, tx: Transaction) -> Claimed:
    """Move the round from due to charging and write its attempt; `token` marks the rows of one claim."""
    digest = desk.gateways[attempt.pg_code].digest(attempt, card)
    until = lease(run.settings.gateways()[attempt.pg_code].lease)
    tx.change("move_round", round_id=attempt.round_id, from_state="due", to_state="charging", reason=None)
    attempt_id = tx.insert(
        "insert_attempt",
        **{name: getattr(attempt, name) for name in ATTEMPT_COLUMNS},
        claim_token=token,
        request_digest=digest,
        sent_on=run.clock.to_local(attempt.sent_at).date(),
        lease_until=until,
    )
    reach(Step.ATTEMPT_WRITTEN)
    return Claimed(replace(attempt, attempt_id=attempt_id, request_digest=digest), card, until)
