"""What stands between a subscription and its round: all that rule 3 calls blocked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from tests.town import PG, Card, Channel, Contract, Item, Kind, Order, Policy, Recipient, Subscription, Town

Audience = tuple[tuple[Recipient, Channel], ...]
End = tuple[datetime, int, str]
"""The end of a contract: when, its number (0 where an operator asked for it) and its PG."""

CUSTOMER: Audience = (("customer", "mail"), ("customer", "sms"))


@dataclass
class Standing:
    town: Town
    policy: Policy
    resets: list[End] = field(default_factory=list)

    def is_blocked(self, subscription: Subscription) -> bool:
        main = self.town.cards.get(subscription.card_id or 0)
        return (
            not self.town.is_ready
            or not self.is_in_use(subscription.pg_code)
            or self.town.members[subscription.member_id].withdrawn
            or main is None
            or not self.is_usable(main, subscription)
            or self._is_out_of_reach(subscription)
        )

    def _is_out_of_reach(self, subscription: Subscription) -> bool:
        channels = [channel for _, channel in self.switched_on("payment_notice", CUSTOMER)]
        return (
            self.policy.require_notice == "any"
            and bool(channels)
            and not any(self.address(subscription, channel) for channel in channels)
        )

    def is_item_blocked(self, subscription: Subscription, item: Item) -> bool:
        orders = self.orders(subscription, item.delivery_on)
        is_ordered = any(line.item_id == item.item_id for order in orders for line in order.lines)
        return item.delivery_on < self.policy.first_delivery or is_ordered

    def orders(self, subscription: Subscription, day: date) -> list[Order]:
        key = (subscription.subscription_id, day)
        return [order for order in self.town.orders if (order.subscription_id, order.delivery_on) == key]

    def is_in_use(self, pg_code: str) -> bool:
        is_contracted = any(each.pg_code == PG and each.state == "in_use" for each in self.town.contracts)
        return pg_code == PG and self.town.service_in_use and is_contracted

    def is_usable(self, card: Card, subscription: Subscription) -> bool:
        ends = self.resets + self.contract_ends()
        has_ended = any(pg_code == card.pg_code and at >= card.registered_at for at, _, pg_code in ends)
        is_own = card.member_id == subscription.member_id
        return is_own and not has_ended and self.is_in_use(card.pg_code)

    def contract_ends(self) -> list[End]:
        def has_ended(contract: Contract) -> bool:
            return contract.state == "terminated" and contract.termination in {"changed", "reset"}

        ended = [each for each in self.town.contracts if has_ended(each)]
        return [(each.terminated_at, each.contract_no, each.pg_code) for each in ended if each.terminated_at]

    def switched_on(self, kind: Kind, audience: Audience) -> Audience:
        return tuple(each for each in audience if (kind, *each) not in self.town.switched_off)

    def address(self, subscription: Subscription, channel: Channel) -> str:
        """Return the application's address, else the member's, else nothing."""
        member = self.town.members[subscription.member_id]
        if channel == "mail":
            return next((each for each in (subscription.email, member.email) if "@" in each), "")
        return subscription.cellphone or member.cellphone
