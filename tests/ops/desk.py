"""What the tests of `ops` share: running it, and rounds that wait for a person."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from lib.sandbox import Card
from lib.sandbox.faults import Fault
from tests.jobs.charging import MAIN, announced, charge
from tests.rig import ROOT, Rig, Run
from tests.shopkeeper import Subscribed

WORD = ("--by", "김운영", "--evidence", "상점관리자에서 확인")
DOUBT_AT = "2026-12-03T10:30"
"""A day and a half hour after the charge: nothing more is asked then."""


def ops(rig: Rig, *arguments: str, check: int | None = 0) -> Run:
    """Run a command of `ops`; its answer is JSON."""
    return rig.run("ops", *arguments, check=check)


def rows(rig: Rig, *arguments: str, section: str = "rows") -> list[dict[str, Any]]:
    """Run a command and return the rows of one section."""
    found: list[dict[str, Any]] = ops(rig, *arguments).summary[section]
    return found


def text(rig: Rig, *arguments: str) -> str:
    """Run a command as a person does, through a pipe, and return what it says."""
    command = [sys.executable, "-m", "jobs.ops", "--config", str(rig.folder / "jeonggi.toml"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def in_doubt(rig: Rig, *, processed: bool) -> Subscribed:
    """Bring a round into doubt: the reply to its charge is lost, and nobody answers for a day."""
    given = announced(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=processed), Fault("drop", "*"))
    charge(rig)
    charge(rig, DOUBT_AT, check=1)
    rig.sandbox.toss.faults.clear()
    return given


def refused_row(rig: Rig) -> Subscribed:
    """Have a round held because the PG refuses its row; no money moves."""
    given = announced(rig)
    rig.sandbox.toss.register(Card(MAIN, script=("INVALID_ORDER_NAME", "approve")))
    charge(rig, check=1)
    return given


def approve(rig: Rig, target: str) -> Run:
    """Settle an attempt as approved under the gateway's own number."""
    return settle(rig, target, "--approved", "--tid", tid(rig))


def settle(rig: Rig, target: str, *arguments: str, at: str = DOUBT_AT, check: int = 0) -> Run:
    """Settle something at a moment, by a person with evidence."""
    return ops(rig, "settle", target, *arguments, *WORD, "--as-of", at, check=check)


def order_no(rig: Rig) -> str:
    """Return the order number of the newest attempt."""
    found = rig.ours("SELECT order_no FROM payment_attempt ORDER BY attempt_id DESC")
    number: str = found[0]["order_no"]
    return number


def tid(rig: Rig) -> str:
    """Return the gateway's own number of the one approval in its book."""
    (approval,) = rig.sandbox.toss.approvals()
    return approval.payment_key


def decided(rig: Rig, table: str) -> list[tuple[str | None, str | None]]:
    """Return who settled the rows of a table, and on what evidence."""
    found = rig.ours(f"SELECT settled_by, evidence FROM {table}")
    return [(row["settled_by"], row["evidence"]) for row in found]
