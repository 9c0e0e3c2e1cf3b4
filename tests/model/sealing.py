"""The life of a round up to its notice: what is due, when, sealed and announced (rules 1 to 3, and 6)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time

from tests.model.arithmetic import DAY, Line, cycle_date, first_cycle, invoice, next_date
from tests.model.post import OPERATOR_MAIL, Chooser, MessageKey, Post
from tests.model.standing import CUSTOMER, Standing
from tests.town import Item, Policy, Subscription, Town

OPEN = {"sealed", "due", "charging", "in_doubt", "held"}
LIVE = {"U", "B", "Q"}
Due = dict[date, list[Item]]


@dataclass
class Round:
    """One delivery of one subscription; an attempt is a card and what it answered."""

    subscription_id: str
    delivery_on: date
    lines: list[Line]
    shipping_fee: int
    state: str = "sealed"
    announced_on: date | None = None
    charge_on: date | None = None
    charge_until: date | None = None
    next_attempt_at: datetime | None = None
    attempts: list[tuple[int, str]] = field(default_factory=list)
    is_written: bool = False

    def __post_init__(self) -> None:
        self.included = [line for line in self.lines if line.excluded_reason is None]
        self.round_no = max(line.round_no for line in self.included or self.lines)
        self.items_amount = sum(line.gross for line in self.included)
        self.discount_amount = sum(line.discount_amount for line in self.included)
        self.amount_krw = self.items_amount - self.discount_amount + self.shipping_fee
        self.ref = f"{self.subscription_id}|{self.delivery_on}"
        self.item_ids = {line.item_id for line in self.lines}

    def holds(self, item: Item) -> bool:
        return item.item_id in self.item_ids

    def end(self, state: str) -> None:
        self.state, self.next_attempt_at = state, None


class Announcing:
    """The rounds and messages of a town, and how a round comes to be announced."""

    def __init__(self, town: Town, policy: Policy, choose: Chooser) -> None:
        self.town, self.policy = town, policy
        self.standing = Standing(town, policy)
        self.post = Post(self.standing, choose)
        self.messages = self.post.messages
        self.rounds: dict[tuple[str, date], Round] = {}
        self._sealed_of: defaultdict[str, list[Round]] = defaultdict(list)

    def _of(self, round_: Round) -> Subscription:
        return self.town.subscriptions[round_.subscription_id]

    def _included(self, round_: Round) -> list[Item]:
        included = {line.item_id for line in round_.included}
        return [item for item in self._of(round_).items if item.item_id in included]

    # Rules 1 to 3: what is due, when, and what ends untold

    def _close(self, today: date) -> None:
        for round_ in self.rounds.values():
            if round_.state == "sealed" and self._is_called_off(round_):
                round_.end("void")
            elif round_.state == "sealed" and round_.delivery_on <= today:
                round_.end("missed")

    def _is_called_off(self, round_: Round) -> bool:
        is_wanted = any(item.state == "U" for item in self._included(round_))
        return self._of(round_).state != "U" or not is_wanted

    def _seal(self, today: date) -> None:
        found: list[tuple[date, str, Due]] = []
        for subscription in self.town.subscriptions.values():
            if due := self._due(subscription, today):
                oldest = min(item.delivery_on for items in due.values() for item in items)
                found.append((oldest, subscription.subscription_id, due))
        for _, subscription_id, due in sorted(found, key=lambda each: each[:2]):
            for day, items in sorted(due.items()):
                self._seal_round(self.town.subscriptions[subscription_id], day, items, today)

    def _due(self, subscription: Subscription, today: date) -> Due:
        due: Due = {}
        if subscription.state != "U" or self.standing.is_blocked(subscription):
            return due
        for item in subscription.items:
            day = self._date_of(subscription, item, today)
            if item.state != "U" or not self._is_free(subscription, item):
                continue
            if day - self.policy.notice_days_before * DAY <= today:
                due.setdefault(day, []).append(item)
            elif item.delivery_on <= today and self._is_clear(subscription, day, [item]):
                item.delivery_on = day  # it waits for its cycle, whatever comes until then
        return {day: items for day, items in due.items() if self._is_clear(subscription, day, items)}

    def _is_clear(self, subscription: Subscription, day: date, items: list[Item]) -> bool:
        """Tell whether nothing blocks the round: one blocked item blocks all of it."""
        is_item_blocked = any(self.standing.is_item_blocked(subscription, item) for item in items)
        return not is_item_blocked and not self.standing.orders(subscription, day)

    def _is_free(self, subscription: Subscription, item: Item) -> bool:
        return not any(round_.state in OPEN for round_ in self._rounds_of(subscription, item))

    def _rounds_of(self, subscription: Subscription, item: Item) -> list[Round]:
        """Return the item's rounds in the order of their seal."""
        return [round_ for round_ in self._sealed_of[subscription.subscription_id] if round_.holds(item)]

    def _date_of(self, subscription: Subscription, item: Item, today: date) -> date:
        day = item.delivery_on
        if day <= today:
            day = today + self.policy.notice_days_before * DAY
            if self._is_hopeless(subscription, item, today):
                day = cycle_date(item, first_cycle(item, day))
        while (subscription.subscription_id, day) in self.rounds:
            day += DAY
        return day

    def _is_hopeless(self, subscription: Subscription, item: Item, today: date) -> bool:
        is_too_late = (today - item.delivery_on).days > self.policy.max_late_days
        states = [round_.state for round_ in self._rounds_of(subscription, item)]
        return self.policy.on_missed == "skip" or is_too_late or states[-2:] == ["missed", "missed"]

    def _move_on(self, round_: Round) -> None:
        for item in self._of(round_).items:
            if round_.holds(item) and item.state in LIVE:
                item.delivery_on = next_date(item, round_.delivery_on)

    # Rules 1 and 6: the seal and the notice

    def _seal_round(self, subscription: Subscription, day: date, items: list[Item], today: date) -> None:
        for item in items:
            item.delivery_on = day
        round_ = Round(
            subscription.subscription_id, day, *invoice(self.town, self.policy, subscription, items, day)
        )
        self.rounds[subscription.subscription_id, day] = round_
        self._sealed_of[subscription.subscription_id].append(round_)
        if not round_.included:
            round_.end("skipped")
            self._move_on(round_)
            return
        is_on = self.standing.switched_on("payment_notice", CUSTOMER)
        if self.policy.require_notice == "none" or not is_on:
            self._fix_charge(round_, today)
            self._announce(round_, today)
        self.post.queue("payment_notice", round_.ref, subscription, CUSTOMER + OPERATOR_MAIL)

    def _fix_charge(self, round_: Round, today: date) -> None:
        usual = round_.delivery_on - self.policy.charge_days_before * DAY
        round_.charge_on = max(usual, today + DAY)
        round_.charge_until = round_.charge_on + (self.policy.retry_days - 1) * DAY

    def _announce(self, round_: Round, today: date) -> None:
        round_.state, round_.announced_on = "due", today
        round_.next_attempt_at = datetime.combine(round_.charge_on or date.max, time())

    def _deliver(self, at: datetime) -> None:
        def is_over(key: MessageKey) -> bool:
            return self._has_expired(key, at.date())

        self.post.expire(is_over)
        if self.policy.operator_mail == "digest":
            self.post.merge()
        if not self.post.is_quiet(at):
            self.post.send(lambda key: self._told(key, at.date()), is_over)

    def _round(self, key: MessageKey) -> Round:
        subscription_id, day = key[1].split("|")
        return self.rounds[subscription_id, date.fromisoformat(day)]

    def _has_expired(self, key: MessageKey, today: date) -> bool:
        """Tell whether nobody needs it: a notice too late, or news of a decline of a round that is over."""
        if key[0] not in {"payment_notice", "payment_declined"}:
            return False
        round_ = self._round(key)
        if key[0] == "payment_declined":
            return round_.state != "due"
        is_too_late = round_.announced_on and round_.charge_on and today >= round_.charge_on
        return round_.state not in {"sealed", "due"} or today >= round_.delivery_on or bool(is_too_late)

    def _told(self, key: MessageKey, today: date) -> None:
        if key[0] != "payment_notice" or key[2] != "customer":
            return
        round_ = self._round(key)
        if round_.announced_on is None:
            self._fix_charge(round_, today)
            if self.messages[key].state == "accepted":
                self._announce(round_, today)
        keys: list[MessageKey] = [("payment_notice", round_.ref, *each) for each in CUSTOMER]
        states = {self.messages[each].state for each in keys if each in self.messages}
        if states == {"refused"} and round_.state == "sealed":
            round_.end("held")
