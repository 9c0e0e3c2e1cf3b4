"""A round on its way to the charge: announced on 1 December, delivered on the 3rd."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from lib.sandbox import Card
from tests.rig import Rig, Run
from tests.shopkeeper import Item, Subscribed, card, open_shop, subscription

DELIVERY = date(2026, 12, 3)
NOTICE_AT = "2026-12-01T09:00"
CHARGE_AT = "2026-12-02T10:00"
MAIN, BACKUP = "bk-main", "bk-backup"

SOFT, HARD = "REJECT_CARD_PAYMENT", "INVALID_STOPPED_CARD"


def announced(rig: Rig, *script: str, items: tuple[Item, ...] = (Item(),), **columns: Any) -> Subscribed:  # noqa: ANN401 any column
    """Put in a shop with one announced round; `script` is how its main card answers."""
    open_shop(rig)
    main = card(rig, billing_key=MAIN)
    rig.sandbox.toss.register(Card(MAIN, script=script or ("approve",)))
    given = subscription(rig, "S-1", delivery_on=DELIVERY, card_id=main, items=items, **columns)
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    return given


def give_backup(rig: Rig, *script: str) -> int:
    """Store a backup card for the subscription; returns its id."""
    made = card(rig, billing_key=BACKUP)
    rig.shop("UPDATE subscription SET backup_card_id = :card_id", card_id=made)
    rig.sandbox.toss.register(Card(BACKUP, script=script or ("approve",)))
    return made


def charge(rig: Rig, at: str = CHARGE_AT, *arguments: str, check: int | None = 0) -> Run:
    """Run charge_d1 at a moment."""
    return rig.run("charge_d1", "--as-of", at, *arguments, check=check)


def the_round(rig: Rig) -> dict[str, Any]:
    """Return the one round there is."""
    (row,) = rig.ours("SELECT * FROM billing_round")
    return row


def state(rig: Rig) -> str:
    """Return the state of the one round there is."""
    found: str = the_round(rig)["state"]
    return found


def due_at(rig: Rig) -> str:
    """Return when the round is tried next, in the shop's time, to the minute."""
    moment: datetime = the_round(rig)["next_attempt_at"]
    zone = rig.settings().shop.timezone
    return moment.replace(tzinfo=UTC).astimezone(zone).isoformat()[:16]


def attempts(rig: Rig) -> list[str]:
    """Return the states of all attempts in their order."""
    return [
        row["state"] for row in rig.ours("SELECT state FROM payment_attempt ORDER BY round_id, attempt_no")
    ]


def charges(rig: Rig) -> int:
    """Return how many charge requests reached the gateway."""
    return sum(call.endpoint == "charge" for call in rig.sandbox.toss.calls())


def matters(rig: Rig) -> list[str]:
    """Return the kinds of the open matters."""
    return [
        row["kind"] for row in rig.ours("SELECT kind FROM matter WHERE closed_at IS NULL ORDER BY matter_id")
    ]


def mails(rig: Rig, kind: str) -> list[tuple[str, str]]:
    """Return recipient and state of the mails of a kind."""
    rows = rig.ours(
        "SELECT recipient, state FROM message WHERE kind = :kind AND channel = 'mail' ORDER BY recipient",
        kind=kind,
    )
    return [(row["recipient"], row["state"]) for row in rows]
