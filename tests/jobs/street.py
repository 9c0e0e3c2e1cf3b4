"""Neighbours: subscriptions that live through the same days side by side; one run plays many cases.

A module plays its story once, in a fixture of the module, and keeps what its tests look at afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lib.sandbox import Card
from tests.homes import Home
from tests.jobs.charging import DELIVERY
from tests.rig import Rig, bench
from tests.shopkeeper import Item, Subscribed, card, open_shop, subscription


@contextmanager
def street(home: Home, factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Open a shop for a story that is played once; the invariants hold at its end."""
    home.empty()
    with bench(home, factory.mktemp("street")) as rig:
        open_shop(rig)
        yield rig


def neighbour(
    rig: Rig,
    name: str,
    *script: str,
    backup: tuple[str, ...] = (),
    items: tuple[Item, ...] = (Item(),),
    delivery_on: date = DELIVERY,
    **columns: Any,  # noqa: ANN401 any column
) -> Subscribed:
    """Put in a subscription of its own member; `script` and `backup` are how its two cards answer."""
    main = _card(rig, name, "main", script or ("approve",))
    if backup:
        columns["backup_card_id"] = _card(rig, name, "backup", backup)
    return subscription(
        rig, name, member_id=name, delivery_on=delivery_on, items=items, card_id=main, **columns
    )


def _card(rig: Rig, name: str, place: str, script: tuple[str, ...]) -> int:
    key = f"{place}-of-{name}"
    rig.sandbox.toss.register(Card(key, script=script))
    return card(rig, name, billing_key=key)


def round_of(rig: Rig, name: str) -> dict[str, Any]:
    """Return the newest round of a subscription."""
    return rounds_of(rig, name)[-1]


def rounds_of(rig: Rig, name: str) -> list[dict[str, Any]]:
    return rig.ours(
        "SELECT * FROM billing_round WHERE subscription_id = :name ORDER BY delivery_on", name=name
    )


def due_of(rig: Rig, name: str) -> str:
    """Return when the round is tried next, in the shop's time to the minute, or the state it ended in."""
    row = round_of(rig, name)
    if row["state"] != "due":
        return str(row["state"])
    moment: datetime = row["next_attempt_at"]
    return moment.replace(tzinfo=UTC).astimezone(rig.settings().shop.timezone).isoformat()[:16]


def tries_of(rig: Rig, name: str) -> list[str]:
    """Return each attempt as the place of its card and what came of it, in their order."""
    places = {
        row["card_id"]: row["billing_key"].partition("-")[0]
        for row in rig.shop("SELECT card_id, billing_key FROM card")
    }
    found = rig.ours(
        "SELECT a.card_id, a.state FROM payment_attempt a JOIN billing_round r ON r.round_id = a.round_id "
        "WHERE r.subscription_id = :name ORDER BY a.attempt_id",
        name=name,
    )
    return [f"{places[row['card_id']]} {row['state']}" for row in found]


def told(rig: Rig, name: str, kind: str) -> list[str]:
    """Return recipient and state of the mails of a kind about a subscription."""
    rows = rig.ours(
        "SELECT recipient, state FROM message WHERE subscription_id = :name AND kind = :kind "
        "AND channel = 'mail' ORDER BY recipient",
        name=name,
        kind=kind,
    )
    return [f"{row['recipient']} {row['state']}" for row in rows]
