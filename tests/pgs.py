"""The simulated PGs: what a configuration says of each, and their books held against our ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lib.sandbox import Sandbox
from lib.sandbox.allat_rules import CLASSES

Section = dict[str, Any]


def sections(sandbox: Sandbox, codes: Iterable[str]) -> dict[str, Section]:
    """Return the configuration of the simulated PGs among `codes`."""
    known: dict[str, Callable[[Sandbox], Section]] = {
        "tosspayments": _toss,
        "nicepay": _nicepay,
        "allat": _allat,
    }
    return {code: known[code](sandbox) for code in codes if code in known}


def _toss(sandbox: Sandbox) -> Section:
    return {"secret_key": sandbox.toss.switches.secret_key, "base_url": sandbox.toss.url}


def _nicepay(sandbox: Sandbox) -> Section:
    switches = sandbox.nicepay.switches
    keys = {"client_key": switches.client_key, "secret_key": switches.secret_key}
    return keys | {"base_url": sandbox.nicepay.url}


def _allat(sandbox: Sandbox) -> Section:
    switches = sandbox.allat.switches
    shop = {"shop_id": switches.shop_id, "cross_key": switches.cross_key, "test": switches.test}
    return shop | {"base_url": sandbox.allat.url, "codes": dict(CLASSES)}


def book_differences(sandbox: Sandbox, rows: Callable[[str], list[dict[str, Any]]]) -> list[str]:
    """Hold our ledger against the book of every simulated PG, both ways; `rows` reads our schema."""
    recorded = rows("SELECT pg_code, tid, order_no, source FROM payment WHERE kind = 'approve'")
    attempts = rows("SELECT order_no FROM payment_attempt WHERE state IN ('sending', 'unknown', 'in_doubt')")
    open_orders = {row["order_no"] for row in attempts}
    booked = {
        (code, one.payment_key): one.order_no
        for code, simulator in sandbox.pgs.items()
        for one in simulator.approvals()
    }
    ledger = {(row["pg_code"], row["tid"]) for row in recorded}
    by_machine = [row for row in recorded if row["source"] != "operator"]
    lost = {no for key, no in booked.items() if key not in ledger and no not in open_orders}
    invented = {row["order_no"] for row in by_machine if (row["pg_code"], row["tid"]) not in booked}
    return [f"approval_lost: {no}" for no in lost] + [f"approval_invented: {no}" for no in invented]
