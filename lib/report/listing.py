"""What `ops list` prints (신청내역 조회): subscriptions, or the rounds of a period, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from functools import partial
from itertools import islice

from lib import shop as contract
from lib.billing import texts, words
from lib.billing.rounds import LIVE_ITEM_STATES
from lib.dialect import as_date
from lib.report.rounds import ROUND_COLUMNS, rounds
from lib.report.table import Cells, Column, Section, one_of, won
from lib.report.wanted import DAY, LONG_AGO, NEVER, PAGE, Wanted, check_state
from lib.shop import Subscription
from lib.store import Row, Store, Transaction

SUBSCRIPTION_COLUMNS = (
    Column("subscription_id", "신청번호"),
    Column("applied_on", "신청일"),
    Column("member_id", "회원"),
    Column("buyer_name", "주문자"),
    Column("state", "상태", one_of(words.SUBSCRIPTION)),
    Column("goods", "상품"),
    Column("cycle", "주기"),
    Column("round_no", "회차"),
    Column("amount_krw", "신청금액", won),
    Column("delivery_on", "배송예정일"),
    Column("charge_on", "결제예정일"),
    Column("pg_code", "PG"),
    Column("card", "카드"),
    Column("cancelled_on", "해지일"),
)


def listing(store: Store, wanted: Wanted, today: date) -> Section:
    """Return the list; its rows are read while it is printed. Raises FilterError."""
    if wanted.rounds:
        return Section("rows", "", ROUND_COLUMNS, _limited(rounds(store, wanted), wanted))
    check_state(wanted.state, words.SUBSCRIPTION)
    rows = _coming(store, wanted, today) if wanted.by == "charge" else _by_number(store, wanted)
    return Section("rows", "", SUBSCRIPTION_COLUMNS, _limited(rows, wanted))


def _limited(rows: Iterator[Cells], wanted: Wanted) -> Iterator[Cells]:
    return islice(rows, wanted.limit) if wanted.limit else rows


def _item_filter(wanted: Wanted) -> dict[str, object]:
    """A product is named by its number or by a part of its name."""
    product = wanted.product or ""
    escaped = product.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return {
        "product_no": int(product) if product.isdecimal() else None,
        "product_name": f"%{escaped}%" if product and not product.isdecimal() else None,
        "cycle": wanted.cycle,
    }


def _by_number(store: Store, wanted: Wanted) -> Iterator[Cells]:
    """Yield subscriptions by application or cancellation, newest number first."""
    since = datetime.combine(wanted.since, time.min) if wanted.since else None
    before = datetime.combine(wanted.until + DAY, time.min) if wanted.until else None
    is_cancelled = wanted.by == "cancelled"
    items = _item_filter(wanted)
    parameters = {
        "state": wanted.state,
        "member_id": wanted.member,
        "applied_from": None if is_cancelled else since,
        "applied_before": None if is_cancelled else before,
        "cancelled_from": (since or datetime.combine(LONG_AGO, time.min)) if is_cancelled else None,
        "cancelled_before": before if is_cancelled else None,
        "any_item": int(not any(items.values())),
        **items,
    }
    before_id: str | None = None
    while True:
        rows = store.rows("list_subscriptions", before_id=before_id, page=PAGE, **parameters)
        ids = [row["subscription_id"] for row in rows]
        yield from store.transaction(partial(_describe, [(each, None) for each in ids])) if ids else []
        if len(ids) < PAGE:
            return
        before_id = ids[-1]


def _coming(store: Store, wanted: Wanted, today: date) -> Iterator[Cells]:
    """Yield what is charged from a day on, nearest first; paused and ended items have no day of charge."""
    since, until = wanted.since or today, wanted.until or NEVER
    after_on, after_id = since, ""
    while True:
        rows = store.rows(
            "list_coming",
            after_on=after_on,
            after_id=after_id,
            pay_from=since,
            pay_until=until,
            horizon=wanted.last_delivery,
            state=wanted.state,
            member_id=wanted.member,
            page=PAGE,
            **_item_filter(wanted),
        )
        keys = [(row["subscription_id"], as_date(row["delivery_on"])) for row in rows]
        yield from store.transaction(partial(_describe, keys)) if keys else []
        if len(rows) < PAGE:
            return
        after_id, after_on = keys[-1]


def _describe(keys: Sequence[tuple[str, date | None]], tx: Transaction) -> list[Cells]:
    """Read what stands in one page of subscriptions; with a date only the items due on it count."""
    ids = sorted({key for key, _ in keys})
    subscriptions = contract.read_subscriptions(tx, ids)
    ended = {row["subscription_id"]: row["terminated_at"] for row in tx.rows("ends_of", ids=ids)}
    items: dict[str, list[Row]] = defaultdict(list)
    for row in tx.rows("items_of", ids=ids):
        items[row["subscription_id"]].append(row)
    masks = masks_of(tx, [each.card_id for each in subscriptions.values()])
    return [
        {
            **_who(subscription, masks),
            **_what(_shown(items[key], on)),
            "cancelled_on": as_date(ended[key]) if ended.get(key) else None,
        }
        for key, on in keys
        if (subscription := subscriptions.get(key))
    ]


def masks_of(tx: Transaction, card_ids: Sequence[int | None]) -> dict[int, str]:
    """Read stored cards as people may see them: company and mask."""
    wanted = sorted({each for each in card_ids if each is not None})
    rows = tx.rows("masks_of", ids=wanted) if wanted else []
    return {row["card_id"]: f"{row['card_company']} {row['masked_number']}".strip() for row in rows}


def _shown(items: Sequence[Row], on: date | None) -> list[Row]:
    if on is not None:
        return [item for item in items if item["state"] == "U" and as_date(item["delivery_on"]) == on]
    return [item for item in items if item["state"] in LIVE_ITEM_STATES] or list(items)


def _who(subscription: Subscription, masks: Mapping[int, str]) -> dict[str, object]:
    return {
        "subscription_id": subscription.subscription_id,
        "applied_on": subscription.created_at.date(),
        "member_id": subscription.member_id,
        "buyer_name": subscription.name,
        "state": subscription.state,
        "pg_code": subscription.pg_code,
        "card": masks.get(subscription.card_id) if subscription.card_id else None,
    }


def _what(items: Sequence[Row]) -> dict[str, object]:
    coming = [item for item in items if item["state"] in LIVE_ITEM_STATES]
    first = min(coming, key=lambda item: as_date(item["delivery_on"]), default=None)
    return {
        "goods": goods([item["product_name"] for item in items]),
        "cycle": ",".join(sorted({item["cycle"] for item in items})),
        "round_no": max((item["round_no"] for item in items), default=None),
        "amount_krw": sum(item["applied_price"] * item["quantity"] for item in items),
        "delivery_on": as_date(first["delivery_on"]) if first else None,
        "charge_on": charge_day(first) if first else None,
    }


def charge_day(item: Row) -> date:
    """Return an item's next day of charge (결제예정일): that of its open round, else the expected one."""
    on = item["round_charge_on"] or item["pay_on"]
    return as_date(on) if on else as_date(item["delivery_on"]) - DAY


def goods(names: Sequence[str]) -> str:
    """Name goods in one cell: the first, and how many more."""
    if not names:
        return ""
    more = f" 외 {len(names) - 1}건" if len(names) > 1 else ""
    return f"{texts.clean(names[0])}{more}"
