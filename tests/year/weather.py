"""The model where a neighbour may be away for days: what nobody took waits, what was debited stays so.

Whom a run tried before it gave a neighbour up, the jobs say; everything else follows from the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from tests.model import MessageKey, Model, Round
from tests.model.post import CREDIT, CUSTOMER_MAIL, CUSTOMER_SMS, OPERATOR_MAIL, Chooser, Post
from tests.town import Policy, Town

Neighbour = Literal["PG", "mail", "sms"]
UNSENT = "not_sent"
MOST_UNSENT = 10
"""The third charge in a row that does not leave ends the trying; eight workers may be at it by then."""
TRIED_AGAIN_AFTER = timedelta(hours=1, seconds=30)
"""A run takes seconds, so the hour after it is over a little later than the model's."""


@dataclass(frozen=True)
class Tried:
    """What the jobs say of a message: how often it was claimed so far, and whether it waits for credit."""

    tries: int
    state: str


@dataclass
class Away:
    """Who is away now, and where to look up what the jobs tried."""

    unsent: Callable[[], Mapping[tuple[str, date], int]]
    """Charges that never left, by round."""
    messages: Callable[[], Mapping[MessageKey, Tried]]
    now: frozenset[Neighbour] = frozenset()
    missed: set[str] = field(default_factory=set)
    """Who was tried in vain in this run."""


class Weather(Model):
    """The model, with neighbours that are away for days."""

    def __init__(self, town: Town, policy: Policy, choose: Chooser, away: Away) -> None:
        super().__init__(town, policy, choose)
        self.away = away
        self.post = PatientPost(self.standing, choose, self.messages, away=away)

    def charge(self, at: datetime) -> None:
        before = self._unsent()
        super().charge(at)
        tried = self._unsent() - before
        assert tried <= MOST_UNSENT, f"{at}: {tried} charges tried at a PG that is away"

    def _unsent(self) -> int:
        return sum(outcome == UNSENT for each in self.rounds.values() for _, outcome in each.attempts)

    def _take_up(self, round_: Round, at: datetime) -> None:
        is_first_to_leave = bool(round_.attempts) and round_.attempts[-1][1] == UNSENT
        is_wanted = not self._is_called_off(round_) and at.date() <= (round_.charge_until or date.max)
        if not (is_first_to_leave and is_wanted and self.post.is_quiet(at)):
            super()._take_up(round_, at)

    def _try_cards(self, round_: Round, at: datetime) -> None:
        cards = self._cards(round_)
        if "PG" not in self.away.now or not cards:
            super()._try_cards(round_, at)
            return
        known = sum(outcome == UNSENT for _, outcome in round_.attempts)
        if self.away.unsent().get((round_.subscription_id, round_.delivery_on), 0) == known:
            return  # the run had given the PG up
        round_.attempts.append((cards[0].card_id, UNSENT))
        self.away.missed.add("PG away")
        again = self._after_quiet_hours(at + TRIED_AGAIN_AFTER)
        if again.date() <= (round_.charge_until or date.max):
            round_.next_attempt_at = again
        else:
            self._give_up(round_)

    def _after_quiet_hours(self, at: datetime) -> datetime:
        if not self.post.is_quiet(at) or self.policy.quiet_hours is None:
            return at
        end = datetime.combine(at.date(), self.policy.quiet_hours[1])
        return end if end > at else end + timedelta(days=1)

    def _give_up(self, round_: Round) -> None:
        every = round_.attempts
        round_.attempts = [each for each in every if each[1] != UNSENT]
        super()._give_up(round_)
        round_.attempts = every


@dataclass
class PatientPost(Post):
    """The post, with messages that were claimed and debited, and came back because nobody took them."""

    away: Away = field(kw_only=True)
    _tries: dict[MessageKey, int] = field(default_factory=dict)

    def expire(self, is_over: Callable[[MessageKey], bool]) -> None:
        waiting = self.waiting()
        super().expire(is_over)
        for key in waiting:
            message = self.messages[key]
            if message.state == "expired" and message.debited and not message.refunded:
                message.refunded = True
                self.standing.town.credits[CREDIT[key[3]]] += message.units

    def send(self, told: Callable[[MessageKey], None], is_over: Callable[[MessageKey], bool]) -> None:
        for turn in (CUSTOMER_MAIL, OPERATOR_MAIL, CUSTOMER_SMS):
            self.expire(is_over)
            keys = [key for key in self.waiting() if key[2:] in turn]
            for key in keys:
                if not self.messages[key].debited:
                    self.messages[key].units = self._units(key[0], key[3])
            is_away = turn[0][1] in self.away.now
            for key in self._claimed(keys) if is_away else self._affordable(keys):
                if not is_away:
                    self._hand_over(key)
                told(key)

    def _claimed(self, keys: list[MessageKey]) -> list[MessageKey]:
        """Return what the run claimed before it gave up; it is debited, and waits."""
        rows, claimed = self.away.messages(), []
        for key in keys:
            message, found = self.messages[key], rows[key]
            message.state = found.state if found.state == "no_credit" else "queued"
            if found.tries > self._tries.get(key, 0):
                self._tries[key] = found.tries
                self.away.missed.add(f"{key[3]} provider away")
                claimed.append(key)
                self._debit(key)
        return claimed

    def _affordable(self, keys: list[MessageKey]) -> list[MessageKey]:
        owing = [key for key in keys if not self.messages[key].debited]
        chosen = {*super()._affordable(owing)} if owing else set()
        return [key for key in keys if self.messages[key].debited or key in chosen]

    def _hand_over(self, key: MessageKey) -> None:
        message, town = self.messages[key], self.standing.town
        if message.debited:
            town.credits[CREDIT[key[3]]] += message.units
        super()._hand_over(key)

    def _debit(self, key: MessageKey) -> None:
        message = self.messages[key]
        if message.units and not message.debited:
            message.debited = True
            self.standing.town.credits[CREDIT[key[3]]] -= message.units
