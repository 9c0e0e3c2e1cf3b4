"""What the tests about days share: a morning of cron's, and the dates it left behind."""

from __future__ import annotations

from datetime import date

from tests.rig import Rig, Run


def notify(rig: Rig, day: date, at: str = "09:00", *options: str, check: int | None = 0) -> Run:
    return rig.run("notify_d2", "--as-of", f"{day}T{at}", *options, check=check)


def charge(rig: Rig, day: date, at: str = "10:00", *options: str, check: int | None = 0) -> Run:
    return rig.run("charge_d1", "--as-of", f"{day}T{at}", *options, check=check)


def morning(rig: Rig, *days: date) -> None:
    """Run both jobs as cron does, on one day after another, whatever they find."""
    for day in days:
        notify(rig, day, check=None)
        charge(rig, day, check=None)


def deliveries(rig: Rig, subscription_id: str = "S-1") -> list[tuple[date, str]]:
    """Return date and state of every round of a subscription, by date."""
    rows = rig.ours(
        "SELECT delivery_on, state FROM billing_round WHERE subscription_id = :id ORDER BY delivery_on",
        id=subscription_id,
    )
    return [(row["delivery_on"], row["state"]) for row in rows]


def stored(rig: Rig) -> list[date]:
    """Return the date that each item is stored with."""
    rows = rig.shop(
        "SELECT expected_delivery_date AS day FROM subscription_item ORDER BY subscription_item_id"
    )
    return [row["day"] for row in rows]


def ordered(rig: Rig) -> list[date]:
    """Return the delivery date of every order in the shop."""
    return [row["day"] for row in rig.shop("SELECT delivery_date AS day FROM orders ORDER BY 1")]


def days_of_charge(rig: Rig) -> list[tuple[date | None, date | None, date | None]]:
    """Return of every round when it was announced, and the first and last day of its charge."""
    rows = rig.ours("SELECT announced_on, charge_on, charge_until FROM billing_round ORDER BY delivery_on")
    return [(row["announced_on"], row["charge_on"], row["charge_until"]) for row in rows]


def move(rig: Rig, item_id: int, day: date) -> None:
    """Do what the shop's page does when the customer moves an item to another date."""
    rig.shop(
        "UPDATE subscription_item SET expected_delivery_date = :day WHERE subscription_item_id = :id",
        day=day,
        id=item_id,
    )


def set_item_state(rig: Rig, state: str, *item_ids: int) -> None:
    """Do what the shop's pages do when items are paused, resumed or cancelled."""
    for item_id in item_ids:
        rig.shop(
            "UPDATE subscription_item SET subscription_state = :state WHERE subscription_item_id = :id",
            state=state,
            id=item_id,
        )
