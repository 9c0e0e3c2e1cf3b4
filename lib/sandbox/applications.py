"""Applications (신청내역) of the simulated shop: who, on which card, what, and to where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random

from lib.sandbox import korean
from lib.sandbox.items import Item, ItemMaker, Life
from lib.sandbox.orders import OrderBook, TaggedRow
from lib.sandbox.people import Member, StoredCard, Townsfolk, stored_card
from lib.sandbox.recipe import Recipe, Row

_LEAD_DAYS = 3  # the settings' shipments_start_date
_MESSAGES = ("", "", "문 앞에 놓아주세요", "경비실에 맡겨주세요", "부재 시 연락 주세요", "공동현관 #1234 종")
_STRANGE_MESSAGE = "벨 X <3 🙏\r\n{{ 비밀번호 }} \"문 앞\" 'OK'"
_STATES: dict[Life, str] = {"live": "U", "paused": "P", "ended": "C"}


@dataclass(frozen=True)
class Cards:
    """What an application is paid with; a card that is not there is None."""

    pg_code: str
    main: StoredCard | None = None
    backup: StoredCard | None = None


class Storefront:
    """Make a shop's applications, one after the other, each with all rows that belong to it."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._rng = Random(recipe.seed)
        self._people = Townsfolk(recipe, self._rng)
        self._items = ItemMaker(recipe, self._rng)
        self._orders = OrderBook(recipe, self._rng)
        self._card_numbers = count(1)
        self._wallet: list[StoredCard] = []
        """The cards of the member whose applications are being made."""

    def rows(self) -> Iterator[TaggedRow]:
        """Yield the rows of all members and applications; a row comes after those it refers to."""
        member: Member | None = None
        for number in range(1, self._recipe.subscriptions + 1):
            if member is None or not self._chance(self._recipe.second_subscription):
                member = self._people.member(number)
                yield from self._join(member)
            yield from self._apply(number, member)

    def _join(self, member: Member) -> Iterator[TaggedRow]:
        self._wallet = []
        yield "member", member.row()
        if self._chance(self._recipe.one_time_orders):
            buyer: Row = {"member_id": member.member_id, "buyer_name": member.name, **self._receiver(member)}
            yield from self._orders.one_time({**buyer, "pg_code": self._recipe.pg_code})

    def _apply(self, number: int, member: Member) -> Iterator[TaggedRow]:
        life = self._life()
        items = self._items.items(life)
        applied_at = self._applied_at(items)
        known = len(self._wallet)
        cards = self._cards(member, life, applied_at)
        yield from (("card", card.row()) for card in self._wallet[known:])
        subscription_id = f"S-{applied_at:%Y%m%d}-{number:07}"
        application: Row = {
            "subscription_id": subscription_id,
            "created_date": applied_at,
            **self._buyer(member),
            **self._receiver(member),
            **_standing(cards, life, items),
        }
        yield "subscription", application
        yield from (("subscription_item", item.row(subscription_id)) for item in items)
        yield from (("price_consent", consent) for consent in self._consents(items))
        if self._chance(self._recipe.history):
            yield from self._orders.past_rounds(application, items)

    def _life(self) -> Life:
        chance = self._rng.random()
        if chance < self._recipe.paused:
            return "paused"
        return "ended" if chance < self._recipe.paused + self._recipe.cancelled else "live"

    def _applied_at(self, items: Sequence[Item]) -> datetime:
        first = min(item.schedule.start for item in items) - timedelta(days=_LEAD_DAYS)
        return self._daytime(min(first, self._recipe.eve) - timedelta(days=self._rng.randrange(10)))

    def _daytime(self, day: date) -> datetime:
        hour, minute, second = (self._rng.randrange(*span) for span in ((11, 19), (60,), (60,)))
        return datetime.combine(day, time(hour, minute, second))

    def _cards(self, member: Member, life: Life, applied_at: datetime) -> Cards:
        """Choose the cards; new ones go into the member's wallet."""
        codes = self._recipe.pg_codes
        pg_code = codes[-1] if self._chance(self._recipe.second_pg) else codes[0]
        if member.trouble == "no_card" or (life == "ended" and self._chance(0.5)):
            return Cards(pg_code)
        known = [card for card in self._wallet if card.pg_code == pg_code]
        main = known[0] if known and self._chance(0.7) else self._new_card(member, pg_code, applied_at)
        has_backup = self._chance(self._recipe.backup_card)
        return Cards(pg_code, main, self._new_card(member, pg_code, applied_at) if has_backup else None)

    def _new_card(self, member: Member, pg_code: str, applied_at: datetime) -> StoredCard:
        registered_at = applied_at
        if self._chance(0.1):  # changed since
            eve = datetime.combine(self._recipe.eve, time(19))
            registered_at += timedelta(seconds=int(self._rng.random() * (eve - applied_at).total_seconds()))
        card = stored_card(next(self._card_numbers), member, pg_code, registered_at, self._rng)
        self._wallet.append(card)
        return card

    def _buyer(self, member: Member) -> Row:
        is_silent = member.trouble == "application_without_mail"
        return {
            "member_id": member.member_id,
            "buyer_name": member.name,
            "buyer_email": "" if is_silent else member.email,
            "buyer_cellphone": member.cellphone,
        }

    def _receiver(self, member: Member) -> Row:
        """Return where it goes, mostly to the buyer; subscription and orders name these columns alike."""
        is_strange = member.trouble == "strange_address"
        address = korean.address(self._rng, remote=self._chance(self._recipe.remote))
        is_gift = self._chance(0.15)
        phone = korean.mobile(self._rng, 2 * member.number + 1) if is_gift else member.cellphone
        return {
            "receiver_name": korean.person(self._rng) if is_gift else member.name,
            "receiver_zipcode": f"({address.zipcode})" if is_strange else address.zipcode,
            "receiver_address1": address.address1,
            "receiver_address2": '<3층> "O\'Neill" {{방}}' if is_strange else address.address2,
            "receiver_cellphone": phone,
            "shipping_message": _STRANGE_MESSAGE if is_strange else self._rng.choice(_MESSAGES),
        }

    def _consents(self, items: Sequence[Item]) -> Iterator[Row]:
        """Yield consents to higher prices, given on the eve, after the last order at the old price."""
        for item in items:
            if item.unit_price_now > item.unit_price and self._chance(self._recipe.consented):
                yield {
                    "subscription_item_id": item.item_id,
                    "unit_price": item.unit_price_now,
                    "agreed_at": self._daytime(self._recipe.eve),
                }

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share


def _standing(cards: Cards, life: Life, items: Sequence[Item]) -> Row:
    """Return the columns that change in the life of an application."""
    ended = [item.terminated_at for item in items if item.terminated_at]
    return {
        "subscription_state": _STATES[life],
        "pg_code": cards.pg_code,
        "card_id": cards.main.card_id if cards.main else None,
        "backup_card_id": cards.backup.card_id if cards.backup else None,
        "terminated_date": max(ended) if life == "ended" else None,
        "terminated_reason": "count_finished" if items[0].state == "A" else None,
    }
