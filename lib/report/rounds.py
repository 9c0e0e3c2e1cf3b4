"""The rounds of a period, newest delivery first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from lib.billing import words
from lib.dialect import as_date
from lib.report.table import Cells, Column, one_of, won
from lib.report.wanted import LONG_AGO, NEVER, PAGE, FilterError, Wanted, check_state
from lib.store import Row, Store

NO_ROUND_YET = 2**62

ROUND_COLUMNS = (
    Column("round_id", "번호"),
    Column("subscription_id", "신청번호"),
    Column("delivery_on", "배송예정일"),
    Column("round_no", "회차"),
    Column("state", "상태", one_of(words.ROUND)),
    Column("amount_krw", "금액", won),
    Column("announced_on", "안내일"),
    Column("charge_on", "결제예정일"),
    Column("charge_until", "결제기한"),
    Column("pg_code", "PG"),
    Column("order_id", "주문번호"),
    Column("state_reason", "사유"),
)


def rounds(store: Store, wanted: Wanted) -> Iterator[Cells]:
    """Yield the rounds of a period, newest delivery first; each state has its index, the merge is ours."""
    check_state(wanted.state, words.ROUND)
    if wanted.product or wanted.cycle or wanted.by in {"applied", "cancelled"}:
        raise FilterError("--rounds: --product, --cycle, --by applied, --by cancelled 는 함께 쓸 수 없습니다")
    if wanted.member:
        return _rounds_of_member(store, wanted, wanted.member)
    states = [wanted.state] if wanted.state else list(words.ROUND)
    pages = [_rounds_in(store, wanted, state) for state in states]
    return map(_round_cells, heapq.merge(*pages, key=_place, reverse=True))


def _place(row: Row) -> tuple[date, int]:
    return as_date(row["delivery_on"]), row["round_id"]


def _bounds(wanted: Wanted) -> dict[str, Any]:
    """The period counts by the delivery, with `--by charge` by the first day of the charge."""
    if wanted.by != "charge":
        bounds = {"delivery_from": wanted.since or LONG_AGO, "delivery_until": wanted.until or NEVER}
        return {**bounds, "charge_from": None, "charge_until": None}
    return {
        "delivery_from": wanted.since or LONG_AGO,
        "delivery_until": wanted.last_delivery,
        "charge_from": wanted.since,
        "charge_until": wanted.until,
    }


def _rounds_in(store: Store, wanted: Wanted, state: str) -> Iterator[Row]:
    bounds = _bounds(wanted)
    before_on, before_id = bounds.pop("delivery_until"), NO_ROUND_YET
    while True:
        rows = store.rows(
            "list_rounds", state=state, before_on=before_on, before_id=before_id, page=PAGE, **bounds
        )
        yield from rows
        if len(rows) < PAGE:
            return
        before_on, before_id = _place(rows[-1])


def _rounds_of_member(store: Store, wanted: Wanted, member: str) -> Iterator[Cells]:
    bounds = _bounds(wanted)
    ids = [row["subscription_id"] for row in store.rows("subscriptions_of_member", member_id=member)]
    rows = store.rows("rounds_of", ids=ids) if ids else []
    for row in sorted(rows, key=_place, reverse=True):
        if wanted.state in {None, row["state"]} and _is_within(row, bounds):
            yield _round_cells(row)


def _is_within(row: Row, bounds: Mapping[str, Any]) -> bool:
    delivery_on, charge_on = as_date(row["delivery_on"]), row["charge_on"]
    if not bounds["delivery_from"] <= delivery_on <= bounds["delivery_until"]:
        return False
    if bounds["charge_from"] is None and bounds["charge_until"] is None:
        return True
    first, last = bounds["charge_from"] or LONG_AGO, bounds["charge_until"] or NEVER
    return charge_on is not None and first <= as_date(charge_on) <= last


def _round_cells(row: Row) -> Cells:
    return {column.key: row[column.key] for column in ROUND_COLUMNS}
