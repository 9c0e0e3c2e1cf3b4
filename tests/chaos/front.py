"""The storefront meanwhile: a shop full of subscriptions, and threads that write its tables as pages do."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import Connection, column, insert, table, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import OperationalError

from lib.sandbox import Card
from tests.jobs.charging import HARD, SOFT
from tests.rig import Rig
from tests.shopkeeper import LONG_AGO, open_shop, product

PG = "tosspayments"
SCRIPTS: tuple[tuple[str, ...], ...] = (
    *[("approve",)] * 7,
    (SOFT, "approve"),
    (SOFT, "approve"),
    (HARD,),
    (SOFT,),
)
"""How the cards answer; every other one that may decline has a backup card behind it."""
PRODUCTS = 6
PRICE = 12_900
THREADS = 2
OFTEN = 0.7
PAUSE, MOST = 0.12, 20
"""Seconds between two things that one thread does, on average, and how many it does before a door closes."""


def found(rig: Rig, size: int, delivery_on: date, rng: Random) -> None:
    """Open a shop with so many subscriptions, most due on a day, the others on the next."""
    open_shop(rig)
    for product_no in range(1, PRODUCTS + 1):
        product(rig, product_no, PRICE, stock_quantity=rng.choice((None, 500)))
    with rig.home.shop.begin() as connection:
        for number in range(1, size + 1):
            due = delivery_on + timedelta(days=rng.random() < 0.25)
            scripts = [rng.choice(SCRIPTS)]
            scripts += [("approve",)] if scripts[0] != ("approve",) and rng.random() < 0.5 else []
            keys = [f"bk-{number}-{place}" for place in range(len(scripts))]
            rig.sandbox.toss.register(
                *(Card(key, script=each) for key, each in zip(keys, scripts, strict=True))
            )
            subscribe(connection, rng, f"S-{number:04d}", due, LONG_AGO + timedelta(days=9), keys)


def subscribe(
    connection: Connection, rng: Random, name: str, due: date, at: datetime, keys: list[str]
) -> None:
    """Put in one subscription of a member of its own, with one or two items and a card per billing key."""
    phone = f"010-{rng.randrange(10**4):04d}-{rng.randrange(10**4):04d}"
    member = name.lower().replace("-", "")
    mail = f"{member}@example.com"
    _put(connection, "member", member_id=member, name="김하늘", email=mail, cellphone=phone)
    cards = [*(put_card(connection, member, key, at) for key in keys), None][:2]
    _put(
        connection,
        "subscription",
        subscription_id=name,
        member_id=member,
        pg_code=PG,
        card_id=cards[0],
        backup_card_id=cards[1],
        buyer_name="김하늘",
        buyer_email=mail,
        buyer_cellphone=phone,
        receiver_name="박바다",
        receiver_zipcode="06236",
        receiver_address1="서울특별시 강남구 테헤란로 152",
        receiver_cellphone="010-2000-5678",
        created_date=at,
    )
    for product_no in rng.sample(range(1, PRODUCTS + 1), rng.choice((1, 1, 2))):
        _put(
            connection,
            "subscription_item",
            subscription_id=name,
            product_no=product_no,
            product_name="에티오피아 예가체프 200g",
            quantity=rng.randint(1, 2),
            product_price=PRICE,
            subscription_shipments_cycle=rng.choice(("2W", "1M")),
            start_date=due,
            max_delivery_limit=rng.choice((0, 0, 0, 1)),
            expected_delivery_date=due,
            expected_pay_date=due - timedelta(days=1),
        )


def put_card(connection: Connection, member: str, key: str, at: datetime) -> int:
    """Store a card and return its id."""
    return _put(
        connection,
        "card",
        member_id=member,
        pg_code=PG,
        billing_key=key,
        customer_key=f"customer-{member}",
        card_company="국민",
        masked_number="4330-12**-****-1001",
        registered_at=at,
    )


@dataclass(frozen=True)
class Visit:
    """One visit to a page, in one transaction."""

    connection: Connection
    rng: Random
    at: datetime
    eyed: Sequence[str]
    """Subscriptions that are being charged just now, which are the ones to meddle with."""

    def do(self, sql: str, **parameters: object) -> None:
        self.connection.execute(text(sql), parameters)

    def chosen(self) -> RowMapping:
        """Return any subscription, often one that is being charged."""
        rows = self.connection.execute(text("SELECT * FROM subscription")).mappings().all()
        eyed = [row for row in rows if row["subscription_id"] in self.eyed]
        return self.rng.choice(eyed if eyed and self.rng.random() < OFTEN else rows)


class Front:
    """The pages of one shop, open to several customers and operators at once."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self.acts: Counter[str] = Counter()
        """What was done so far, and `locked`: how often the database had no place for it just then."""
        self._rig, self._seed = rig, seed
        self._lock = threading.Lock()
        self._opened = 0

    @contextmanager
    def open(self, at: datetime) -> Iterator[None]:
        """Let the threads write from a business moment on, until the caller is done."""
        over, began = threading.Event(), time.monotonic()
        self._opened += 1

        def write(number: int) -> None:
            rng = Random(f"{self._seed} {self._opened} {number}")  # noqa: S311 seeded
            for _ in range(MOST):
                if over.wait(rng.uniform(0, 2 * PAUSE)):
                    return
                self._act(rng, at + timedelta(seconds=time.monotonic() - began))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _act(self, rng: Random, at: datetime) -> None:
        name = rng.choices(list(ACTS), [weight for weight, _ in ACTS.values()])[0]
        rows = self._rig.ours("SELECT subscription_id FROM billing_round WHERE state = 'charging'")
        try:
            with self._rig.home.shop.begin() as connection:
                ACTS[name][1](Visit(connection, rng, at, [row["subscription_id"] for row in rows]))
        except OperationalError:
            name = "locked"
        with self._lock:
            self.acts[name] += 1


def _put(connection: Connection, into: str, **columns: object) -> int:
    return connection.execute(insert(table(into, *map(column, columns))).values(columns)).lastrowid or 0


def _cancel(visit: Visit) -> None:
    """Cancel an application: what was over before stays as it was."""
    key = visit.chosen()["subscription_id"]
    visit.do(
        "UPDATE subscription SET subscription_state = 'C', terminated_date = :at "
        "WHERE subscription_id = :key AND subscription_state <> 'C'",
        key=key,
        at=visit.at,
    )
    visit.do(
        "UPDATE subscription_item SET subscription_state = 'M', terminated_date = :at "
        "WHERE subscription_id = :key AND subscription_state IN ('U', 'B', 'Q')",
        key=key,
        at=visit.at,
    )


def _move_state(of: str, before: str, after: str) -> Callable[[Visit], None]:
    sql = (
        f"UPDATE {of} SET subscription_state = :after "
        "WHERE subscription_id = :key AND subscription_state = :before"
    )
    return lambda visit: visit.do(sql, key=visit.chosen()["subscription_id"], before=before, after=after)


def _move_date(visit: Visit) -> None:
    visit.do(
        "UPDATE subscription_item SET expected_delivery_date = :due "
        "WHERE subscription_id = :key AND subscription_state = 'U'",
        key=visit.chosen()["subscription_id"],
        due=visit.at.date() + timedelta(days=visit.rng.randint(1, 9)),
    )


def _new_card(visit: Visit) -> None:
    """Take another main card; the old one goes, or stays as nobody's."""
    before = visit.chosen()
    key = f"bk-new-{visit.rng.getrandbits(60):x}"
    made = put_card(visit.connection, before["member_id"], key, visit.at)
    visit.do(
        "UPDATE subscription SET card_id = :made WHERE subscription_id = :key AND subscription_state <> 'C'",
        key=before["subscription_id"],
        made=made,
    )
    if visit.rng.random() < OFTEN:
        _drop_card(visit, before["card_id"])


def _delete_card(visit: Visit) -> None:
    _drop_card(visit, visit.chosen()["card_id"])


def _drop_card(visit: Visit, card_id: int | None) -> None:
    visit.do("UPDATE subscription SET card_id = NULL WHERE card_id = :card_id", card_id=card_id)
    visit.do("UPDATE subscription SET backup_card_id = NULL WHERE backup_card_id = :id", id=card_id)
    visit.do("DELETE FROM card WHERE card_id = :card_id", card_id=card_id)


def _change_product(what: str, values: tuple[object, ...]) -> Callable[[Visit], None]:
    sql = f"UPDATE product SET {what} = :chosen WHERE product_no = :number"
    return lambda visit: visit.do(sql, chosen=visit.rng.choice(values), number=visit.rng.randint(1, PRODUCTS))


def _new_subscription(visit: Visit) -> None:
    name = f"N-{visit.rng.getrandbits(40):010x}"
    due = visit.at.date() + timedelta(days=visit.rng.randint(1, 4))
    subscribe(visit.connection, visit.rng, name, due, visit.at, [f"bk-{name}"])


ACTS: Mapping[str, tuple[int, Callable[[Visit], None]]] = {
    "cancel": (2, _cancel),
    "pause": (2, _move_state("subscription", "U", "P")),
    "resume": (4, _move_state("subscription", "P", "U")),
    "pause an item": (2, _move_state("subscription_item", "U", "B")),
    "resume an item": (4, _move_state("subscription_item", "B", "U")),
    "move the date": (3, _move_date),
    "new card": (4, _new_card),
    "delete a card": (1, _delete_card),
    "price": (2, _change_product("price", (PRICE - 900, PRICE, PRICE + 1_000))),
    "stock": (2, _change_product("stock_quantity", (None, 1, 500))),
    "sold out": (1, _change_product("sold_out", ("T", "F", "F"))),
    "new subscription": (3, _new_subscription),
}
"""Everything the pages do, with how often each is done compared with the others."""
