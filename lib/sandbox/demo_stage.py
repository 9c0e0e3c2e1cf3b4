"""The demo's stage: its folder, the shop in a SQLite file, the configuration and the simulators behind it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.engine import RowMapping

from lib import dialect, installing, settings
from lib.sandbox import Card, Ports, Sandbox
from lib.sandbox.faults import chosen
from lib.sandbox.recipe import Recipe
from lib.sandbox.shops import load
from lib.settings import Settings
from lib.store import SQL, Store, read_statements

ZONE = ZoneInfo("Asia/Seoul")
MARKER = ".jeonggi-demo"
STATEMENTS = read_statements(Path(__file__).parent / "demo.sql")

_DECLINES = ("REJECT_CARD_PAYMENT", "EXCEED_MAX_ONE_DAY_AMOUNT", "REJECT_CARD_COMPANY")
_OVERDRAWN = 0.02
_LOST_OR_STOLEN = 0.03
_SOFT_DECLINES = 0.08


class NotADemoError(Exception):
    """The folder holds something that no demo left there; nothing was touched."""


@dataclass(frozen=True)
class Places:
    """What is where in the demo's folder."""

    folder: Path

    @property
    def config(self) -> Path:
        """The configuration that all commands take."""
        return self.folder / "jeonggi.toml"

    @property
    def database(self) -> Path:
        """The shop's tables and ours."""
        return self.folder / "shop.db"

    @property
    def mails(self) -> Path:
        """Every mail as it was accepted; beneath it the readable forms."""
        return self.folder / "mails"

    @property
    def sms(self) -> Path:
        """Every SMS and LMS that left."""
        return self.folder / "sms.txt"

    @property
    def books(self) -> Path:
        """What each simulator did."""
        return self.folder / "books"

    def clear(self) -> None:
        """Make the folder, or empty what a former demo left in it."""
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / MARKER).is_file():
                raise NotADemoError(f"{self.folder}: 데모가 만든 폴더가 아니어서 비우지 않았습니다")
            for entry in self.folder.iterdir():
                _remove(entry)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / MARKER).touch()


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


class Stage:
    """A shop that is set up and can be billed, from `__enter__` to `__exit__`.

    Raises OSError where a port is taken.
    """

    def __init__(self, places: Places, first_day: date, subscriptions: int, days: int, ports: Ports) -> None:
        self.places = places
        self.recipe = Recipe(
            first_day=first_day + timedelta(days=2), days=days, subscriptions=subscriptions, awkward=0.06
        )
        self.sandbox = Sandbox(ports, state=places.books, mail_dir=places.mails)
        self.cards: dict[str, Card] = {}
        """How each issued card answers, by its billing key."""
        self.store: Store
        self._open: ExitStack

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self.sandbox)
            self._write_config()
            given = settings.load(self.places.config)
            self.store = Store(given)
            opening.callback(self.store.close)
            self._open_shop(given)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _open_shop(self, given: Settings) -> None:
        tables = SQL / "shops" / given.shop.adapter / "tables.sql"
        installing.run_ddl(self.store.engine, dialect.sqlite_ddl(tables.read_text(encoding="utf-8")))
        installing.install(self.store, given)
        with self.store.engine.begin() as connection:
            load(connection, self.recipe)
        self._issue_cards()

    def rows(self, name: str, **parameters: object) -> Sequence[RowMapping]:
        """Return all rows of a named query of demo.sql."""
        with self.store.engine.begin() as connection:
            return connection.execute(text(STATEMENTS[name].sql), parameters).mappings().all()

    def row(self, name: str, **parameters: object) -> RowMapping | None:
        """Return its first row."""
        return next(iter(self.rows(name, **parameters)), None)

    def write(self, name: str, **parameters: object) -> None:
        """Run a named write of demo.sql, as the storefront or the admin page would."""
        with self.store.engine.begin() as connection:
            connection.execute(text(STATEMENTS[name].sql), parameters)

    def set_clock(self, local: datetime) -> None:
        """Let the simulators' business time be the shop's."""
        self.sandbox.clock.set(local.replace(tzinfo=ZONE))

    def _issue_cards(self) -> None:
        toss, solapi = self.sandbox.toss, self.sandbox.solapi
        toss.switches = replace(toss.switches, accept_unknown_keys=False)
        solapi.switches = replace(
            solapi.switches, senders=(self.recipe.sender_phone,), balance_krw=1_000_000_000
        )
        self.issue(*(_card(row, self.recipe.seed) for row in self.rows("cards_issued")))

    def issue(self, *cards: Card) -> None:
        """Let the simulated PG know cards and how they answer."""
        self.cards |= {card.billing_key: card for card in cards}
        self.sandbox.toss.register(*cards)

    def _write_config(self) -> None:
        path, sandbox = self.places.config, self.sandbox
        path.touch(mode=0o600)
        path.write_text(
            _CONFIG.format(
                first_delivery=self.recipe.first_day.isoformat(),
                database=json.dumps(f"sqlite:///{self.places.database}"),
                toss=json.dumps(sandbox.toss.url),
                toss_key=json.dumps(sandbox.toss.switches.secret_key),
                smtp=json.dumps(sandbox.smtp.url),
                solapi=json.dumps(sandbox.solapi.url),
                api_key=json.dumps(sandbox.solapi.switches.api_key),
                api_secret=json.dumps(sandbox.solapi.switches.api_secret),
                spool=json.dumps(str(self.places.folder / "spool")),
            ),
            encoding="utf-8",
        )


def _card(row: RowMapping, seed: int) -> Card:
    """Say how a card answers: a few always refuse, the others now and then."""
    card_id = row["card_id"]
    word = "approve"
    if chosen(_LOST_OR_STOLEN, seed, "lost", card_id):
        word = "INVALID_CARD_LOST_OR_STOLEN"
    elif chosen(_OVERDRAWN, seed, "overdrawn", card_id):
        word = "REJECT_CARD_PAYMENT"
    return Card(
        row["billing_key"],
        row["customer_key"],
        script=(word,),
        decline_rate=_SOFT_DECLINES,
        decline_code=_DECLINES[card_id % len(_DECLINES)],
        seed=seed,
    )


_CONFIG = """\
# 데모 설정: 모든 주소가 이 컴퓨터의 모의 서버이므로 기준 시각(--as-of)을 옮길 수 있습니다.
[shop]
first_delivery = {first_delivery}

[database]
url = {database}

[gateway.tosspayments]
secret_key = {toss_key}
base_url = {toss}

[mail]
smtp_url = {smtp}

[sms]
provider = "solapi"
base_url = {solapi}
api_key = {api_key}
api_secret = {api_secret}

[policy]
time_travel = true

[paths]
spool = {spool}
"""
