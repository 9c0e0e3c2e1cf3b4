"""What customers do on the shop's pages: apply, put off, pause, cancel, change cards and addresses."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.town import PG, Answer, Card, Consent, Item, Member, Product, Subscription
from tests.year.front import LIVE, Front

CYCLES = (
    *("1W",) * 6,
    *("2W",) * 6,
    *("3W",) * 3,
    *("4W",) * 3,
    *("1M",) * 6,
    *("2M",) * 2,
    *("3M", "4M", "5M", "6M", "1Y"),
)
LIMITS = (2, 3, 4, 6, 8, 10, 12)
ZIPCODES = (*("06236",) * 6, "63100", "63002-1", "40221", "12345")
RECEIVERS = ("박바다", "이구름", "최노을")
DAYS_TO_FIRST = (1, 1, 2, 2, 3, 3, 4, 5, 7, 10, 14)


def new_member(front: Front) -> Member:
    number = front.new_id()
    member = Member(f"m{number}", "", f"010{20_000_000 + number}")
    member.email = _mail(front, member)
    if front.chance(0.05):
        member.cellphone = ""
    elif front.chance(0.04):
        front.town.refused_numbers.add(member.cellphone)
    front.town.members[member.member_id] = member
    return member


def _mail(front: Front, member: Member) -> str:
    if front.chance(0.85):
        return f"{member.member_id}@example.com"
    return front.one_of(("", "no-address", f"{member.member_id}+refuse@example.com"))


def _answer(front: Front) -> Answer:
    return front.one_of(("soft", "soft", "hard")) if front.chance(0.08) else "approve"


def new_card(front: Front, member: Member, at: datetime) -> Card:
    pg_code = "allat" if front.chance(0.01) else PG
    card = Card(front.new_id(), member.member_id, at, pg_code, _answer(front))
    front.town.cards[card.card_id] = card
    return card


def apply(front: Front, at: datetime) -> str:
    """Apply for a subscription, also for tomorrow; with its own card, one stored before, or a backup too."""
    if not (front.is_pg_in_use and front.town.service_in_use):
        return ""
    known = [each for each in front.town.members.values() if not each.withdrawn]
    member = front.one_of(known) if known and front.chance(0.25) else new_member(front)
    subscription = subscribe(front, member, at)
    first_on = at.date() + timedelta(days=front.one_of(DAYS_TO_FIRST))
    for _ in range(front.one_of((1, 1, 1, 2, 2, 3, 4))):
        subscription.items.append(new_item(front, first_on))
    return f"{subscription.subscription_id} applied for {first_on}"


def subscribe(front: Front, member: Member, at: datetime) -> Subscription:
    """Put in an application without items."""
    stored = front.cards_of(member.member_id)
    main = front.one_of(stored) if stored and front.chance(0.5) else new_card(front, member, at)
    backup = _backup(front, member, at)
    subscription = Subscription(
        f"S-{at:%Y%m%d}-{front.new_id():07d}", member.member_id, at, main.card_id, backup, main.pg_code
    )
    if front.chance(0.5):
        subscription.email = _mail(front, member)
    if front.chance(0.2):
        subscription.cellphone = f"010{30_000_000 + front.new_id()}"
    subscription.zipcode = front.one_of(ZIPCODES)
    front.town.subscriptions[subscription.subscription_id] = subscription
    return subscription


def _backup(front: Front, member: Member, at: datetime) -> int | None:
    if front.chance(0.75):
        return None
    if front.chance(0.05):
        return front.one_of(list(front.town.cards.values())).card_id
    return new_card(front, member, at).card_id


def new_item(front: Front, first_on: date) -> Item:
    """Put in a line for a product as its page shows it, with its first delivery on a day."""
    usual = [each for each in front.products() if each.is_on_sale and not (each.is_set or each.one_plus_n)]
    product: Product = front.one_of(usual if usual and front.chance(0.97) else front.products())
    return Item(
        item_id=front.new_id(),
        product_no=product.product_no,
        cycle=front.one_of(CYCLES),
        start_date=first_on,
        delivery_on=first_on,
        product_price=product.price,
        option_price=front.one_of((0, 0, 0, 500, 1_500)),
        quantity=front.one_of((1, 1, 1, 2, 3, 5)),
        shipping=front.one_of(("P", "P", "P", "P", "F", "C")),
        max_rounds=front.one_of(LIMITS) if front.chance(0.15) else 0,
    )


def end_item(front: Front, at: datetime) -> str:
    """Cancel one item; with the last one the subscription ends."""
    del at
    if not (items := front.items()):
        return ""
    subscription, item = front.one_of(items)
    item.state = front.one_of("MMO")
    if not any(each.state in LIVE for each in subscription.items) and front.chance(0.8):
        subscription.state = "C"
    return f"item {item.item_id} of {subscription.subscription_id} cancelled ({item.state})"


def end_subscription(front: Front, at: datetime) -> str:
    del at
    if not (live := front.subscriptions()):
        return ""
    subscription = front.one_of(live)
    subscription.state = "C"
    for item in subscription.items:
        if item.state in LIVE and front.chance(0.95):
            item.state = "M"
    return f"{subscription.subscription_id} cancelled"


def pause_item(front: Front, at: datetime) -> str:
    """Pause an item, or resume a paused one."""
    del at
    if not (items := front.items()):
        return ""
    paused = [each for each in items if each[1].state != "U"]
    subscription, item = front.one_of(paused) if paused and front.chance(0.6) else front.one_of(items)
    item.state = front.one_of("BQ") if item.state == "U" else "U"
    return f"item {item.item_id} of {subscription.subscription_id} now {item.state}"


def pause_subscription(front: Front, at: datetime) -> str:
    del at
    if not (live := front.subscriptions()):
        return ""
    paused = [each for each in live if each.state == "P"]
    subscription = front.one_of(paused) if paused and front.chance(0.7) else front.one_of(live)
    subscription.state = "P" if subscription.state == "U" else "U"
    return f"{subscription.subscription_id} now {subscription.state}"


def move_date(front: Front, at: datetime) -> str:
    """Set another delivery date, always ahead; for one item or, as most do, for all of them."""
    if not (items := front.items()):
        return ""
    subscription, item = front.one_of(items)
    whole_weeks = (item.delivery_on - at.date()).days + front.one_of((-7, 7, 7, 14))
    days = whole_weeks if whole_weeks > 0 and front.chance(0.5) else front.rng.randint(1, 30)
    item.delivery_on = at.date() + timedelta(days=days)
    if front.chance(0.6):
        for each in subscription.items:
            each.delivery_on = item.delivery_on if each.state in LIVE else each.delivery_on
    return f"item {item.item_id} of {subscription.subscription_id} moved to {item.delivery_on}"


def change_quantity(front: Front, at: datetime) -> str:
    del at
    if not (items := front.items()):
        return ""
    _, item = front.one_of(items)
    if front.chance(0.5):
        item.quantity = front.rng.randint(1, 6)
    else:
        item.option_price = front.one_of((0, 500, 700, 2_000))
    return f"item {item.item_id}: {item.quantity} pieces, option {item.option_price}"


def store_card(front: Front, at: datetime) -> str:
    """Store a new card and name it as main or backup card; those with a declined card do so more often."""
    if not (front.is_pg_in_use and front.subscriptions()):
        return ""
    live = front.subscriptions()
    declined = [
        each for each in live if each.card_id is None or front.town.cards[each.card_id].answer == "hard"
    ]
    subscription = front.one_of(declined) if declined and front.chance(0.7) else front.one_of(live)
    card = new_card(front, front.town.members[subscription.member_id], at)
    if subscription.card_id is None or front.chance(0.7):
        subscription.card_id, subscription.pg_code = card.card_id, card.pg_code
    else:
        subscription.backup_card_id = card.card_id
    return f"{subscription.subscription_id}: new card {card.card_id} ({card.answer})"


def swap_cards(front: Front, at: datetime) -> str:
    """Make the backup card the main one, or another card that is stored for the member."""
    del at
    if not (live := front.subscriptions()):
        return ""
    subscription = front.one_of(live)
    main = subscription.backup_card_id
    if main is None or front.chance(0.3):
        main = front.one_of([main, *(each.card_id for each in front.cards_of(subscription.member_id))])
    elif front.chance(0.6):
        subscription.backup_card_id = subscription.card_id
    if main is None:
        return ""
    subscription.card_id, subscription.pg_code = main, front.town.cards[main].pg_code
    return f"{subscription.subscription_id}: cards {main}, {subscription.backup_card_id}"


def card_answers(front: Front, at: datetime) -> str:
    """A card runs dry, expires, or gets well."""
    del at
    if not (cards := list(front.town.cards.values())):
        return ""
    ill = [each for each in cards if each.answer != "approve"]
    card = front.one_of(ill) if ill and front.chance(0.5) else front.one_of(cards)
    wells: tuple[Answer, ...] = ("approve", "approve", "hard", "soft")
    card.answer = front.one_of(("soft", "hard")) if card.answer == "approve" else front.one_of(wells)
    return f"card {card.card_id} says {card.answer}"


def consent(front: Front, at: datetime) -> str:
    """Agree to the price that an item costs now, mostly where it has risen."""
    items = [item for _, item in front.items()]
    prices = {each.item_id: front.town.products[each.product_no].price + each.option_price for each in items}
    risen = [each for each in items if prices[each.item_id] > each.product_price + each.option_price]
    if not items:
        return ""
    item = front.one_of(risen) if risen and front.chance(0.9) else front.one_of(items)
    if any(each.agreed_at == at for each in item.consents):
        return ""
    item.consents.append(Consent(prices[item.item_id], at))
    return f"item {item.item_id}: consent to {prices[item.item_id]:,}"


def change_receiver(front: Front, at: datetime) -> str:
    del at
    if not (live := front.subscriptions()):
        return ""
    subscription = front.one_of(live)
    subscription.zipcode, subscription.receiver_name = front.one_of(ZIPCODES), front.one_of(RECEIVERS)
    return f"{subscription.subscription_id} to {subscription.receiver_name}, {subscription.zipcode}"


def change_address(front: Front, at: datetime) -> str:
    """Change where a customer is told, for the better or the worse."""
    del at
    if not (live := front.subscriptions()):
        return ""
    subscription = front.one_of(live)
    member = front.town.members[subscription.member_id]
    if front.chance(0.5):
        subscription.email = _mail(front, member) if front.chance(0.6) else ""
    elif front.chance(0.5):
        member.email = _mail(front, member)
    elif front.chance(0.5):
        member.cellphone = f"010{40_000_000 + front.new_id()}" if front.chance(0.7) else ""
    elif member.cellphone:
        front.town.refused_numbers ^= {member.cellphone}
    return (
        f"{subscription.subscription_id} reached at {subscription.email}, {member.email}, {member.cellphone}"
    )


def withdraw(front: Front, at: datetime) -> str:
    """A member leaves; the shop's pages do not always cancel everything."""
    del at
    if not (live := front.subscriptions()):
        return ""
    member = front.town.members[front.one_of(live).member_id]
    member.withdrawn = True
    for subscription in live:
        if subscription.member_id == member.member_id and front.chance(0.6):
            subscription.state = "C"
    return f"member {member.member_id} left"
