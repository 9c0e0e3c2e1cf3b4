"""What is in a round and what stands in its way (rule 3 of the design): dropped, blocked, void."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

LIVE_ITEM_STATES = frozenset({"U", "B", "Q"})
"""In use, paused by the buyer, paused by the shop; every other state of an item is final."""


@dataclass(frozen=True)
class CardStanding:
    """What decides whether a card may be charged. `registered_at` is the shop's local time."""

    member_id: str
    pg_code: str
    registered_at: datetime


@dataclass(frozen=True)
class PgStanding:
    """How a PG stands with the shop. `ended_at`: its newest end of contract or reset event, local time."""

    is_in_use: bool = False
    is_service_in_use: bool = False
    ended_at: datetime | None = None
    is_resetting: bool = False


@dataclass(frozen=True)
class Standing:
    """All that can block a round of one subscription."""

    is_shop_ready: bool
    member_id: str
    is_withdrawn: bool
    pg: PgStanding
    card: CardStanding | None
    is_reachable: bool
    earliest_on: date
    """The smallest stored delivery date among the round's items."""
    first_delivery: date
    is_ordered: bool
    """The shop already has an order for the round, or an order line of an item for its date."""


def card_fault(card: CardStanding | None, member_id: str, pg: PgStanding) -> str | None:
    """Say why a card cannot be charged, or None.

    A contract that ended, or a reset event, at or after the registration ends the card; what a later contract
    brought goes on. What hinders the whole PG comes first: it is one matter, not one for each card.
    """
    if card is None:
        return "no_card"
    if card.member_id != member_id:
        return "foreign_card"
    fault = pg_fault(pg)
    if fault is None and pg.ended_at is not None and pg.ended_at >= card.registered_at:
        return "contract_ended"
    return fault


def pg_fault(pg: PgStanding) -> str | None:
    """Say why nothing can be charged through a PG, or None."""
    if pg.is_resetting:
        return "reset_in_progress"
    if not pg.is_in_use:
        return "pg_not_in_use"
    return None if pg.is_service_in_use else "service_not_in_use"


def blocked_reason(standing: Standing) -> str | None:
    """Say why a round is not sealed and its charge not claimed, or None; the first reason counts."""
    faults = (
        (not standing.is_shop_ready, "shop_not_ready"),
        (standing.is_withdrawn, "member_withdrawn"),
        (not standing.is_reachable, "no_address"),
        (standing.earliest_on < standing.first_delivery, "before_first_delivery"),
        (standing.is_ordered, "already_ordered"),
    )
    found = next((reason for is_fault, reason in faults if is_fault), None)
    return found or card_fault(standing.card, standing.member_id, standing.pg)


SHOP_WIDE = frozenset({"shop_not_ready", "pg_not_in_use", "service_not_in_use", "reset_in_progress"})
"""Reasons that are one matter for the whole shop or PG, not one for each subscription."""


@dataclass(frozen=True)
class Goods:
    """What the shop says of a product now; None in place of it: the row is gone."""

    price: int
    excluded_reason: Literal["set_product", "one_plus_n"] | None
    is_on_sale: bool
    is_sold_out: bool
    stock: int | None
    """None: not tracked."""


def dropped_reason(goods: Goods | None, wanted: int, on_sold_out: Literal["drop", "charge"]) -> str | None:
    """Say why an item is left out of its round, or None; a deleted or hidden product stays in.

    `wanted` are all pieces of the product that the round would hold: with fewer in stock none of them can be
    promised.
    """
    if goods is None:
        return None
    if goods.excluded_reason:
        return goods.excluded_reason
    if on_sold_out == "charge":
        return None
    if goods.is_sold_out:
        return "sold_out"
    return "short_of_stock" if goods.stock is not None and goods.stock < wanted else None
