"""The post: who is written to, what it costs, when it goes out (rule 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tests.model.standing import CUSTOMER, Audience, Standing
from tests.town import Channel, Kind, Recipient, Subscription

MessageKey = tuple[Kind, str, Recipient, Channel]
Chooser = Callable[[list[MessageKey], int, int], list[MessageKey]]

CUSTOMER_MAIL: Audience = CUSTOMER[:1]
CUSTOMER_SMS: Audience = CUSTOMER[1:]
OPERATOR_MAIL: Audience = (("operator", "mail"),)
CREDIT: dict[Channel, str] = {"mail": "bulk_mail", "sms": "sms"}


@dataclass
class Message:
    address: str
    units: int
    state: str = "queued"
    debited: bool = False
    refunded: bool = False


def oldest_first(keys: list[MessageKey], balance: int, units: int) -> list[MessageKey]:
    return keys[: balance // units]


@dataclass
class Post:
    standing: Standing
    choose: Chooser
    messages: dict[MessageKey, Message] = field(default_factory=dict)

    def queue(self, kind: Kind, ref: str, subscription: Subscription, audience: Audience) -> None:
        for recipient, channel in self.standing.switched_on(kind, audience):
            is_ours = recipient == "operator"
            address = "operator" if is_ours else self.standing.address(subscription, channel)
            if address:
                message = Message(address, self._units(kind, channel))
                self.messages.setdefault((kind, ref, recipient, channel), message)

    def _units(self, kind: Kind, channel: Channel) -> int:
        town, policy = self.standing.town, self.standing.policy
        if channel == "sms":
            return policy.lms_units if town.is_long_sms else policy.sms_units
        return 1 if kind == "auto_cancel" or policy.debit_notice_mail else 0

    def waiting(self) -> list[MessageKey]:
        """Return the messages that still have to go, in the order in which they were queued."""
        return [key for key, each in self.messages.items() if each.state in {"queued", "no_credit"}]

    def merge(self) -> None:
        """Put the operators' waiting mails into one digest."""
        rows = [key for key in self.waiting() if key[2] == "operator" and key[0] != "digest"]
        for key in rows:
            self.messages[key].state = "merged"
        if rows:
            number = 1 + sum(key[0] == "digest" for key in self.messages)
            digest = Message("operator", self._units("digest", "mail"))
            self.messages["digest", str(number), "operator", "mail"] = digest

    def is_quiet(self, at: datetime) -> bool:
        if self.standing.policy.quiet_hours is None:
            return False
        first, last = self.standing.policy.quiet_hours
        return first <= at.time() < last if first <= last else not last <= at.time() < first

    def expire(self, is_over: Callable[[MessageKey], bool]) -> None:
        for key in self.waiting():
            if is_over(key):
                self.messages[key].state = "expired"

    def send(self, told: Callable[[MessageKey], None], is_over: Callable[[MessageKey], bool]) -> None:
        """Hand over what waits, as far as the credits go; `told`: called after each answer."""
        for turn in (CUSTOMER_MAIL, OPERATOR_MAIL, CUSTOMER_SMS):
            self.expire(is_over)
            keys = [key for key in self.waiting() if key[2:] in turn]
            for key in keys:
                self.messages[key].units = self._units(key[0], key[3])
            for key in self._affordable(keys):
                self._hand_over(key)
                told(key)

    def _affordable(self, keys: list[MessageKey]) -> list[MessageKey]:
        costly = [key for key in keys if self.messages[key].units]
        if not costly:
            return keys
        balance = self.standing.town.credits[CREDIT[costly[0][3]]]
        chosen = self.choose(costly, balance, self.messages[costly[0]].units)
        for key in costly:
            self.messages[key].state = "queued" if key in chosen else "no_credit"
        return [key for key in keys if self.messages[key].units == 0 or key in chosen]

    def _hand_over(self, key: MessageKey) -> None:
        """Debit, send, and refund what is refused for good."""
        message, town = self.messages[key], self.standing.town
        is_refused = message.address in town.refused_numbers or "+refuse" in message.address
        message.state = "refused" if is_refused else "accepted"
        message.debited = message.units > 0
        message.refunded = is_refused and message.debited
        town.credits[CREDIT[key[3]]] -= 0 if is_refused else message.units
