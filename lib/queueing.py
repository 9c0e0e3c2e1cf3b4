"""Queue messages in the transaction of the event they tell of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from lib.shop import Channel, Recipient, ShopState, Subscription
from lib.store import Transaction

WAYS: tuple[tuple[Recipient, Channel], ...] = (
    ("customer", "mail"),
    ("customer", "sms"),
    ("operator", "mail"),
)


def messages_for(
    shop: ShopState,
    subscription: Subscription,
    kind: str,
    ref: str,
    at: datetime,
    round_id: int | None = None,
) -> Iterator[dict[str, object]]:
    """Yield the rows that tell of one event, for every switched-on way that has a usable address."""
    for recipient, channel in WAYS:
        if kind == "payment_declined" and recipient == "operator":
            continue  # operators hear of the last decline, in payment_failed
        address = subscription.address(channel) if recipient == "customer" else shop.operator_mail
        if address and shop.is_on(kind, recipient, channel):
            yield {
                "kind": kind,
                "ref": ref,
                "round_id": round_id,
                "subscription_id": subscription.subscription_id,
                "recipient": recipient,
                "channel": channel,
                "address": address,
                "at": at,
            }


def queue_once(tx: Transaction, rows: Iterable[Mapping[str, object]]) -> None:
    """Queue messages of events that may have been told of already."""
    for row in rows:
        known = tx.rows("messages_of", kind=row["kind"], ref=row["ref"])
        if all((each["recipient"], each["channel"]) != (row["recipient"], row["channel"]) for each in known):
            tx.change("queue_message", **row)
