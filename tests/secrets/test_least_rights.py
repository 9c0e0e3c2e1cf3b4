"""A whole life of a shop by a user with exactly the rights of the grants, its password marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from lib.billing.numbers import order_no
from lib.checking import grants
from lib.sandbox import Fault
from tests.jobs.charging import CHARGE_AT, DELIVERY, HARD, NOTICE_AT, SOFT
from tests.jobs.street import neighbour, round_of
from tests.ops.desk import WORD
from tests.rig import Rig
from tests.secrets import marked
from tests.secrets.watching import Watch, configure, watched
from tests.shopkeeper import Item, open_shop, product, terminate_contract

pytestmark = pytest.mark.rule(3, 10, 11, 12)

DOUBT_AT, LAST_DAY = "2026-12-03T10:30", "2026-12-04T17:30"
EVENT, RESET_AT = datetime(2026, 12, 5, 10), "2026-12-05T11:00"
COMMANDS = (
    ("list", "--by", "charge"),
    ("list", "--rounds"),
    ("show", "S-soft"),
    ("service",),
    ("report",),
    ("report", "--doubts"),
    ("check", "--invariants"),
)


@pytest.fixture
def least(rig: Rig) -> Iterator[dict[str, Any]]:
    """Make the jobs' own user; return the part of a configuration that names it."""
    open_shop(rig)
    rig.config()
    name = f"marked_{rig.home.shop_schema}"
    rig.ours(f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{marked.DB_PASSWORD}'")
    for grant in grants(rig.store(), f"'{name}'@'127.0.0.1'"):
        rig.ours(grant)
    url = make_url(rig.home.url)
    yield {
        "url": f"mysql+pymysql://{name}@{url.host}:{url.port}/{url.database}",
        "password": marked.DB_PASSWORD,
    }
    rig.config()
    rig.ours(f"DROP USER '{name}'@'127.0.0.1'")


def people(rig: Rig) -> None:
    """Put in one subscription for each way that a round can go."""
    product(rig, 2, 9_900, sold_out="T")
    gone = Item(product_no=2, price=9_900)
    neighbour(rig, "S-paid", items=(Item(), gone))
    neighbour(rig, "S-soft", *[SOFT] * 9)
    neighbour(rig, "S-backup", HARD, backup=("approve",))
    neighbour(rig, "S-doubt")
    neighbour(rig, "S-held", "NOT_MATCHES_CUSTOMER_KEY")
    neighbour(rig, "S-free", items=(Item(product_no=3, price=0),))
    neighbour(rig, "S-last", items=(Item(max_rounds=1),))
    neighbour(rig, "S-skipped", items=(gone,))
    neighbour(rig, "S-cancelled")
    neighbour(rig, "S-stays")


def test_every_job_and_command_can_do_its_work_with_the_rights_of_the_grants(
    rig: Rig, least: dict[str, Any]
) -> None:
    people(rig)
    solapi = rig.sandbox.solapi
    solapi.switches = replace(solapi.switches, senders=("0215440000",))
    with watched(rig) as watch:
        configure(rig)
        configure(rig, register=False, database=least, policy={"operator_mail": "digest"})
        live(watch)
    assert {row["state"] for row in rig.ours("SELECT state FROM billing_round")} >= {
        "paid",
        "failed",
        "void",
        "skipped",
    }
    assert rig.ours("SELECT state FROM pg_reset") == [{"state": "done"}]
    assert {row["kind"] for row in rig.ours("SELECT DISTINCT kind FROM message")} >= {
        "payment_notice",
        "payment_declined",
        "payment_failed",
        "auto_cancel",
        "digest",
    }


def live(watch: Watch) -> None:
    """Announce, charge, look, settle by hand, reset."""
    rig = watch.rig
    watch.run("notify_d2", "--as-of", NOTICE_AT, "--dry-run")
    watch.run("notify_d2", "--as-of", NOTICE_AT)
    rig.shop("UPDATE subscription SET subscription_state = 'P' WHERE subscription_id = 'S-cancelled'")
    doubtful = order_no(1, "S-doubt", DELIVERY, 1)
    rig.sandbox.toss.faults.add(Fault("drop", "*", subject=doubtful))
    watch.run("charge_d1", "--as-of", CHARGE_AT, "--dry-run")
    watch.run("charge_d1", "--as-of", CHARGE_AT, check=1)
    watch.run("charge_d1", "--as-of", DOUBT_AT, check=1)
    rig.sandbox.toss.faults.clear()
    look(watch)
    watch.run("ops", "settle", doubtful, "--not-charged", *WORD, "--as-of", DOUBT_AT)
    held = str(round_of(rig, "S-held")["round_id"])
    watch.run("ops", "settle", held, "--void", *WORD, "--as-of", DOUBT_AT)
    watch.run("charge_d1", "--as-of", LAST_DAY)
    watch.run("notify_d2", "--as-of", LAST_DAY)
    terminate_contract(rig, at=EVENT)
    watch.run("reset_pg", "--as-of", RESET_AT, "--dry-run")
    watch.run("reset_pg", "--as-of", RESET_AT)
    watch.run("ops", "check", "--fresh", "26h")
    look(watch)


def look(watch: Watch) -> None:
    for command in COMMANDS:
        watch.run("ops", *command)
        watch.tell("ops", *command)
