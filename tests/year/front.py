"""The storefront: the shop's own pages, on which customers and operators do what they like, by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

from tests.town import PG, Card, Item, Product, Subscription, Town

T = TypeVar("T")
LIVE = frozenset({"U", "B", "Q"})
"""States of an item that is not over; a subscription is over in state C."""


@dataclass
class Front:
    """The pages of one town. `size`: how many subscriptions it should have, cancelled ones not counted."""

    town: Town
    rng: Random
    size: int
    last_id: int = 0
    """Ids are given here, never by the database, so that model and tables name the same things."""

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.rng.randint(0, len(choices) - 1)]

    def subscriptions(self) -> list[Subscription]:
        return [each for each in self.town.subscriptions.values() if each.state != "C"]

    def items(self) -> list[tuple[Subscription, Item]]:
        return [(each, item) for each in self.subscriptions() for item in each.items if item.state in LIVE]

    def products(self) -> list[Product]:
        return list(self.town.products.values())

    def cards_of(self, member_id: str) -> list[Card]:
        return [card for card in self.town.cards.values() if card.member_id == member_id]

    @property
    def is_pg_in_use(self) -> bool:
        return any(each.state == "in_use" and each.pg_code == PG for each in self.town.contracts)


Event = Callable[[Front, datetime], str]
"""What happens at a moment; says in a few words what it was, nothing where there was no occasion."""
