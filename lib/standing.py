"""Who may be charged now: the facts of rule 3, read for a batch, asked at the seal and again at the claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lib.billing.rounds import CardStanding, Standing, blocked_reason
from lib.gateways import Card
from lib.settings import Settings
from lib.shop import Channel, ShopState, Subscription

CHANNELS: tuple[Channel, ...] = ("mail", "sms")


@dataclass(frozen=True)
class Judge:
    """Answers for one batch; everything it needs was read in the same transaction."""

    settings: Settings
    shop: ShopState
    cards: Mapping[int, Card]

    def blocked(self, subscription: Subscription, *, earliest_on: date, is_ordered: bool) -> str | None:
        """Say why a round of this subscription is neither sealed nor charged, or None."""
        card = self.main_card(subscription)
        return blocked_reason(
            Standing(
                is_shop_ready=self.shop.is_ready,
                member_id=subscription.member_id,
                is_withdrawn=subscription.is_withdrawn,
                pg=self.shop.pg(card.pg_code if card else subscription.pg_code),
                card=card_standing(card),
                is_reachable=self.is_reachable(subscription),
                earliest_on=earliest_on,
                first_delivery=self.settings.shop.first_delivery,
                is_ordered=is_ordered,
            )
        )

    def main_card(self, subscription: Subscription) -> Card | None:
        """Return the main card, if its row is there."""
        return None if subscription.card_id is None else self.cards.get(subscription.card_id)

    def backup_card(self, subscription: Subscription) -> Card | None:
        """Return the backup card (보조 결제 수단), if its row is there."""
        return None if subscription.backup_card_id is None else self.cards.get(subscription.backup_card_id)

    def notice_channels(self) -> list[Channel]:
        """Return the channels on which the shop tells its customers of a payment."""
        return [each for each in CHANNELS if self.shop.is_on("payment_notice", "customer", each)]

    def needs_notice(self) -> bool:
        """Tell whether a charge has to be announced first."""
        return self.settings.policy.require_notice == "any" and bool(self.notice_channels())

    def is_reachable(self, subscription: Subscription) -> bool:
        """Tell whether the customer has an address on a switched-on channel, where a notice is required."""
        channels = self.notice_channels()
        return not self.needs_notice() or any(subscription.address(each) for each in channels)


def card_standing(card: Card | None) -> CardStanding | None:
    """Return what rule 3 wants to know of a card."""
    return CardStanding(card.member_id, card.pg_code, card.registered_at) if card else None
