"""The three jobs over a town, each a whole run (rule 12 is the reset's own)."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.model.charging import Charging
from tests.model.post import Chooser, oldest_first
from tests.model.sealing import LIVE
from tests.town import PG, Policy, Subscription, Town


class Model(Charging):
    """A town that lives by the rules: what the jobs change in the shop's tables it changes in the town."""

    def __init__(self, town: Town, policy: Policy, choose: Chooser = oldest_first) -> None:
        super().__init__(town, policy, choose)

    def notify(self, at: datetime) -> None:
        self._close(at.date())
        self._seal(at.date())
        self._deliver(at)

    def charge(self, at: datetime) -> None:
        self._close(at.date())
        for round_ in self._ready(at):
            self._take_up(round_, at)
        for round_ in self.rounds.values():
            if round_.state == "paid" and not round_.is_written:
                self._write(round_, at)
        self._deliver(at)

    def reset(self, at: datetime, confirmed: bool = False) -> None:
        """Rule 12: the oldest event; a confirmation takes up one that waits before it opens its own."""
        oldest, resets = at - timedelta(days=self.policy.reset_max_age_days), self.standing.resets
        events = [end for end in self.standing.contract_ends() if end not in resets]
        events = [end for end in events if end[0] >= oldest or (confirmed and end[2] == PG)]
        if confirmed and not any(pg_code == PG for _, _, pg_code in events):
            events.append((at, 0, PG))
        for event in sorted(events)[:1]:
            resets.append(event)
            self._purge(event[0], event[2])
        self._deliver(at)

    def _purge(self, event_at: datetime, pg_code: str) -> None:
        cards = self.town.cards
        for _, subscription in sorted(self.town.subscriptions.items()):
            main = cards.get(subscription.card_id or 0)
            is_newer = main is not None and main.registered_at > event_at
            is_concerned = subscription.pg_code == pg_code and subscription.created_at <= event_at
            if is_concerned and not is_newer and subscription.state != "C":
                self._cancel(subscription)
        for card in list(cards.values()):
            if card.pg_code == pg_code and card.registered_at <= event_at:
                self._forget(card.card_id)
        if pg_code == PG and self.town.service_in_use_at < event_at:
            self.town.service_in_use = False

    def _cancel(self, subscription: Subscription) -> None:
        for item in subscription.items:
            item.state = "A" if item.state in LIVE else item.state
        for round_ in self.rounds.values():
            if self._of(round_) is subscription and round_.state in {"sealed", "due"}:
                round_.end("void")
        self._end(subscription, "pg_reset")

    def _forget(self, card_id: int) -> None:
        del self.town.cards[card_id]
        for subscription in self.town.subscriptions.values():
            if subscription.card_id == card_id:
                subscription.card_id = None
            if subscription.backup_card_id == card_id:
                subscription.backup_card_id = None
