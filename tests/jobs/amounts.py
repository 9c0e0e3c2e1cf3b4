"""Many rounds in one run: every subscription is a case, its id says which, and nobody is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from tests.jobs.notices import D
from tests.rig import Rig
from tests.shopkeeper import Item, mail_switch, open_shop, sms_switch, subscription

T = TypeVar("T")
Cases = Mapping[str, tuple[tuple[Item, ...], T]]
"""By name: the items of a round, and what is expected of it."""


def quiet_shop(rig: Rig) -> None:
    """Open a shop with every message switched off: these tests are about sums."""
    open_shop(rig)
    mail_switch(rig, "payment_notice", "F", "F")
    sms_switch(rig, customer="F")


def put(rig: Rig, cases: Cases[T], *, receiver_zipcode: str = "06236") -> dict[str, T]:
    """Put in a subscription for each case, its items at the prices applied for; returns what is expected."""
    for name, (items, _) in cases.items():
        subscription(rig, name, delivery_on=D, items=items, receiver_zipcode=receiver_zipcode)
    rig.shop("DELETE FROM product WHERE sold_out = 'F'")
    return {name: expected for name, (_, expected) in cases.items()}


def sealed(rig: Rig, column: str) -> dict[str, int]:
    """Return one amount of every round, by subscription."""
    rows = rig.ours("SELECT * FROM billing_round")
    for row in rows:
        sums = row["items_amount"] - row["discount_amount"] + row["shipping_fee"]
        assert row["amount_krw"] == sums >= 0
    return {row["subscription_id"]: row[column] for row in rows}
