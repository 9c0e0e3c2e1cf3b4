"""What a generated shop is made of: its size, its days and how much of each kind of trouble."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

Row: TypeAlias = dict[str, object]
"""One row of the standard shop's tables, by column."""

CREDITS_PER_SUBSCRIPTION = 10
"""Enough for the notice by mail and LMS, a decline and the operator's copies."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Describe a shop as it stands three days before `first_day`; shares are between 0 and 1.

    The same recipe makes the same shop, row by row. Raises ValueError if it contradicts itself.
    """

    first_day: date
    """The first delivery date of any live item; the storefront's last day is three days before it."""
    days: int = 30
    """Deliveries are spread over so many days; short cycles come due early in them, as in life."""
    all_due_on: date | None = None
    """Every item of a live application is due on this day, instead of being spread from `first_day` on."""
    seed: int = 1
    subscriptions: int = 300

    shop_no: int = 1
    shop_name: str = "달빛상회"
    operator_email: str = "operator@example.com"
    sender_email: str = "no-reply@example.com"
    sender_phone: str = "0210000001"
    bulk_mail_credits: int | None = None
    """None: ten for each subscription, and a thousand."""
    sms_credits: int | None = None
    """None: ten for each subscription, and a thousand."""

    pg_code: str = "tosspayments"
    second_pg_code: str | None = None
    second_pg: float = 0.3
    """Share of subscriptions billed through the second PG, if there is one."""

    second_subscription: float = 0.1
    """Applications of a member who has one already, usually on the same card."""
    several_items: float = 0.25
    mixed_cycles: float = 0.2
    """Of those with several items: each item on its own cycle and date."""
    new: float = 0.25
    """Applications before their first round; the others are on a later one."""
    history: float = 0.7
    """Of those on a later round: past orders are in the shop."""
    history_rounds: int = 3
    """At most so many past rounds of an item have an order."""
    one_time_orders: float = 0.05
    backup_card: float = 0.15
    limited_rounds: float = 0.1
    moved_date: float = 0.03
    """The customer put off the next delivery by some days (not with `all_due_on`)."""
    free_delivery: float = 0.03
    collect_on_delivery: float = 0.03
    remote: float = 0.04
    """Receivers on Jeju, Ulleung and other islands with a region fee."""
    cheaper: float = 0.02
    dearer: float = 0.06
    """Items whose product costs more now than when it was applied for."""
    consented: float = 0.5
    """Of the dearer: the customer has agreed to the new price."""
    paused: float = 0.04
    cancelled: float = 0.06
    withheld: float = 0.04
    """Items of a product that is sold out, short of stock, a set, in a 1+N event, hidden or gone."""
    awkward: float = 0.1
    """Members with something a program trips over: names, addresses, no card, withdrawn, unreachable."""

    def __post_init__(self) -> None:
        if self.days < 1 or self.subscriptions < 0:
            raise ValueError("a shop needs at least one day and no negative number of subscriptions")
        if self.second_pg_code == self.pg_code:
            raise ValueError("the second PG must be another one")

    @property
    def eve(self) -> date:
        """The storefront's last day: nothing that a customer did is later, and every D-2 is still ahead."""
        return (self.all_due_on or self.first_day) - timedelta(days=3)

    @property
    def pg_codes(self) -> tuple[str, ...]:
        """The PGs under contract, the main one first."""
        return (self.pg_code, self.second_pg_code) if self.second_pg_code else (self.pg_code,)

    def balance(self, credits_wanted: int | None) -> int:
        """Return the opening balance of a channel, in messages."""
        return (
            1000 + CREDITS_PER_SUBSCRIPTION * self.subscriptions if credits_wanted is None else credits_wanted
        )

    def without_trouble(self) -> Recipe:
        """Return this shop with every application live, payable and on sale: its counts can be foretold."""
        return replace(
            self,
            paused=0,
            cancelled=0,
            withheld=0,
            awkward=0,
            dearer=0,
            cheaper=0,
            limited_rounds=0,
            moved_date=0,
        )
