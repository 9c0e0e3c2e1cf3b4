"""The life of a round after its notice: charged, declined, given up, written (rules 8 to 11)."""

from __future__ import annotations

from datetime import date, datetime

from tests.model.arithmetic import DAY
from tests.model.post import CUSTOMER_MAIL, OPERATOR_MAIL
from tests.model.sealing import LIVE, Announcing, Round
from tests.town import Card, Item, Order, OrderLine, Subscription

OUTCOME = {"approve": "approved", "soft": "soft", "hard": "hard"}


class Charging(Announcing):
    """How an announced round is charged, and what the shop has of it."""

    def _ready(self, at: datetime) -> list[Round]:
        """Return the rounds to take up, by time, then by seal."""
        ready = [
            (round_.next_attempt_at, number, round_)
            for number, round_ in enumerate(self.rounds.values())
            if round_.state == "due" and round_.next_attempt_at and round_.next_attempt_at <= at
        ]
        return [round_ for _, _, round_ in sorted(ready, key=lambda each: each[:2])]

    def _take_up(self, round_: Round, at: datetime) -> None:
        if self._is_called_off(round_):
            round_.end("void")
        elif at.date() > (round_.charge_until or date.max):
            self._give_up(round_)
        elif self._is_charge_blocked(round_) or (self.post.is_quiet(at) and not round_.attempts):
            return
        elif round_.amount_krw == 0:
            round_.end("paid")
        else:
            self._try_cards(round_, at)

    def _is_charge_blocked(self, round_: Round) -> bool:
        subscription, standing = self._of(round_), self.standing
        is_ordered = standing.orders(subscription, round_.delivery_on)
        is_item_blocked = any(standing.is_item_blocked(subscription, item) for item in self._included(round_))
        return bool(is_ordered) or is_item_blocked or standing.is_blocked(subscription)

    def _try_cards(self, round_: Round, at: datetime) -> None:
        for card in self._cards(round_):
            round_.attempts.append((card.card_id, OUTCOME[card.answer]))
            if card.answer == "approve":
                round_.end("paid")
                return
        round_.next_attempt_at = self._next_slot(at, round_.charge_until or date.max)
        if round_.next_attempt_at is None:
            self._give_up(round_)
        else:
            self.post.queue("payment_declined", round_.ref, self._of(round_), CUSTOMER_MAIL)

    def _cards(self, round_: Round) -> list[Card]:
        """Return the main and the backup card, but none that this round has had a hard decline of."""
        subscription, cards = self._of(round_), self.town.cards
        ids = [subscription.card_id, subscription.backup_card_id if self.policy.backup_card else None]
        known = [cards[card_id] for card_id in dict.fromkeys(ids) if card_id in cards]
        usable = [card for card in known if self.standing.is_usable(card, subscription)]
        return [card for card in usable if (card.card_id, "hard") not in round_.attempts]

    def _next_slot(self, at: datetime, until: date) -> datetime | None:
        days = [at.date() + n * DAY for n in range((until - at.date()).days + 1)]
        slots = [datetime.combine(day, slot) for day in days for slot in sorted(self.policy.retry_times)]
        return next((slot for slot in slots if slot > at), None)

    def _give_up(self, round_: Round) -> None:
        round_.end("failed" if round_.attempts else "missed")
        if round_.state == "failed":
            self._move_on(round_)
            audience = CUSTOMER_MAIL + OPERATOR_MAIL
            self.post.queue("payment_failed", round_.ref, self._of(round_), audience)

    def _write(self, round_: Round, at: datetime) -> None:
        subscription, day = self._of(round_), round_.delivery_on
        lines = [
            OrderLine(each.item_id, each.round_no, each.unit_price, each.quantity, each.amount)
            for each in round_.included
        ]
        receiver = subscription.receiver_name
        self.town.orders.append(Order(round_.subscription_id, day, receiver, round_.amount_krw, at, lines))
        round_.is_written = True
        self._move_on(round_)
        for item in self._included(round_):
            line = next(each for each in lines if each.item_id == item.item_id)
            self._deliver_item(subscription, item, line)

    def _deliver_item(self, subscription: Subscription, item: Item, line: OrderLine) -> None:
        product = self.town.products[item.product_no]
        if product.stock is not None:
            product.stock -= line.quantity
        if item.state not in LIVE:
            return
        item.round_no += 1
        if 0 < item.max_rounds <= line.round_no:
            item.state = "A"
            if not any(each.state in LIVE for each in subscription.items):
                self._end(subscription, "count_finished")

    def _end(self, subscription: Subscription, reason: str) -> None:
        subscription.state, subscription.terminated_reason = "C", reason
        audience = CUSTOMER_MAIL + OPERATOR_MAIL
        self.post.queue("auto_cancel", subscription.subscription_id, subscription, audience)
