"""A watch over everything that is written: what commands say, every table, every file of a run."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import click
from click.testing import CliRunner

from lib.installing import expected_columns
from lib.sandbox import Card
from tests.jobs.charging import DELIVERY, NOTICE_AT
from tests.rig import Rig, Run
from tests.secrets import marked
from tests.shopkeeper import Item, card, member, open_shop, subscription

RIGHTLY_THERE = {
    ("message", "address"): "the outbox has to know where a message goes",
}
WRITTEN_IN_THE_SHOP = ("subscription_log", "order_item")
"""Not the orders: what is shipped needs its receiver. All else there the shop's own pages write."""


@dataclass
class Watch:
    """A rig of which everything that it says is kept."""

    rig: Rig
    said: list[str] = field(default_factory=list)

    def run(self, job: str, *arguments: str, check: int | None = 0) -> Run:
        """Run a job with `--json`."""
        ended = self.rig.run(job, *arguments, check=check)
        self.said += [ended.stdout, ended.stderr]
        return ended

    def tell(self, job: str, *arguments: str) -> str:
        """Run a command as a person does, and return what it says on stdout and stderr."""
        command: click.Command = importlib.import_module(f"jobs.{job}").main
        config = str(self.rig.folder / "jeonggi.toml")
        said = CliRunner().invoke(command, ["--config", config, *arguments], catch_exceptions=False).output
        self.said.append(said)
        return said

    def leaks(self) -> list[str]:
        """Name every marked value with the place where it came out."""
        written = [*(("said", said) for said in self.said), *self._files(), *self._cells()]
        return sorted({f"{name} in {place}" for place, text in written for name in marked.leaks(text)})

    def _files(self) -> Iterator[tuple[str, str]]:
        for path in (self.rig.folder / "spool").glob("*"):
            yield "the spool", path.read_text(encoding="utf-8", errors="replace")

    def _cells(self) -> Iterator[tuple[str, str]]:
        for table in expected_columns():
            for row in self.rig.ours(f"SELECT * FROM `{table}`"):
                yield from _told_by(table, row)
        for table in WRITTEN_IN_THE_SHOP:
            for row in self.rig.shop(f"SELECT * FROM `{table}`"):
                yield from _told_by(table, row)


def _told_by(table: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if (table, name) not in RIGHTLY_THERE:
            yield f"{table}.{name}", str(value)


@contextmanager
def watched(rig: Rig) -> Iterator[Watch]:
    """Watch a rig; at the end nothing marked may have come out anywhere."""
    watch = Watch(rig)
    yield watch
    assert not watch.leaks(), watch.leaks()


def configure(rig: Rig, **overrides: Any) -> None:  # noqa: ANN401 any key
    """Let the simulators know the marked credentials, and write a configuration with them."""
    toss, solapi, smtp = rig.sandbox.toss, rig.sandbox.solapi, rig.sandbox.smtp
    toss.switches = replace(toss.switches, secret_key=marked.PG_SECRET)
    solapi.switches = replace(solapi.switches, api_key=marked.SMS_KEY, api_secret=marked.SMS_SECRET)
    smtp.switches = replace(smtp.switches, user=marked.SMTP_USER, password=marked.SMTP_PASSWORD)
    url = smtp.url.replace("//", f"//{marked.SMTP_USER}@")
    mail = {"smtp_url": url, "password": marked.SMTP_PASSWORD} | overrides.pop("mail", {})
    rig.config(mail=mail, **overrides)


def open_marked_shop(rig: Rig, *names: str, script: tuple[str, ...] = ("approve",)) -> None:
    """Put in subscriptions whose every secret is marked, each of a member with a card of its own."""
    open_shop(rig)
    for number, name in enumerate(names or ("S-1",)):
        key = marked.BILLING_KEY if number == 0 else f"{marked.BILLING_KEY}-{number}"
        member(rig, f"m{number}", email=marked.MEMBER_MAIL, cellphone=marked.MEMBER_PHONE)
        main = card(
            rig,
            f"m{number}",
            billing_key=key,
            customer_key=marked.CUSTOMER_KEY,
            masked_number=marked.MASK,
        )
        rig.sandbox.toss.register(Card(key, script=script))
        subscription(
            rig,
            name,
            delivery_on=DELIVERY,
            items=(Item(),),
            member_id=f"m{number}",
            card_id=main,
            buyer_email=marked.MAIL,
            buyer_cellphone=marked.PHONE,
            receiver_address1=marked.STREET,
            receiver_cellphone=marked.RECEIVER_PHONE,
            shipping_message=marked.DOOR_CODE,
        )


def announce(watch: Watch, *names: str, script: tuple[str, ...] = ("approve",)) -> None:
    """Put in such subscriptions and announce their rounds."""
    open_marked_shop(watch.rig, *names, script=script)
    configure(watch.rig)
    watch.run("notify_d2", "--as-of", NOTICE_AT)
