"""What `ops report` says of the rounds ahead: what was dropped, which prices rose, what is skipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter

from lib.billing import words
from lib.clock import Clock
from lib.dialect import as_date
from lib.report.matters import open_matters
from lib.report.table import Cells, Column, Section, count, one_of, won
from lib.store import Row, Store

ROUNDS = (
    Column("rounds", "회차 수", count),
    Column("first_on", "첫 배송일"),
    Column("subscription_id", "신청번호(예)"),
)
PRODUCT = (Column("product_no", "상품번호"), Column("product_name", "상품"))
DROPPED = (*PRODUCT, Column("reason", "사유", one_of(words.EXCLUDED)), *ROUNDS)
RISEN = (
    *PRODUCT,
    Column("agreed_price", "동의한 가격", won),
    Column("price_now", "지금 가격", won),
    Column("charged_price", "결제할 가격", won),
    *ROUNDS,
)
SKIPPED = (Column("delivery_on", "배송예정일"), *ROUNDS[:1], *ROUNDS[2:])


def overview(store: Store, clock: Clock) -> Iterator[Section]:
    """Yield what a person must look at, then what became of the rounds ahead."""
    yield from open_matters(store, clock)
    yield from ahead(store, clock.today)


def ahead(store: Store, today: date) -> Iterator[Section]:
    """Yield what rules 3 and 5 did to products and prices in the rounds whose delivery is today or later."""
    dropped = store.rows("dropped_ahead", today=today)
    yield Section("dropped", "제외 상품 (앞으로 배송할 회차)", DROPPED, _folded(dropped, DROPPED))
    risen = store.rows("risen_ahead", today=today)
    yield Section("risen", "가격이 오른 상품 (앞으로 배송할 회차)", RISEN, _folded(risen, RISEN))
    title = "건너뛴 회차 — 결제할 상품이 없어 다음 배송일로 넘어감"
    yield Section("skipped", title, SKIPPED, map(dict, store.rows("skipped_ahead", today=today)))


def _folded(rows: Sequence[Row], columns: Iterable[Column]) -> Iterator[Cells]:
    """Fold the days of one group, nearest first, into one row; the example is one of its first day."""
    keys = itemgetter(*(column.key for column in columns if column not in {*ROUNDS, PRODUCT[1]}))
    for _, days in groupby(rows, key=keys):
        first, *later = days
        yield {
            **{column.key: first.get(column.key) for column in columns},
            "rounds": first["rounds"] + sum(row["rounds"] for row in later),
            "first_on": as_date(first["delivery_on"]),
        }
