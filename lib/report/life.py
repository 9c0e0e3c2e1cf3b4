"""What `ops show` prints: the whole life of a subscription, from its application to the last message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from lib import shop as contract
from lib.billing import texts, words
from lib.clock import Clock
from lib.report import events
from lib.report.listing import charge_day, masks_of
from lib.report.matters import local
from lib.report.rounds import ROUND_COLUMNS
from lib.report.table import Cells, Column, Section, count, one_of, won
from lib.shop import Subscription
from lib.store import Row, Store, Transaction

SUBSCRIPTION_COLUMNS = (
    Column("subscription_id", "신청번호"),
    Column("state", "상태", one_of(words.SUBSCRIPTION)),
    Column("applied_at", "신청일시"),
    Column("member_id", "회원"),
    Column("buyer_name", "주문자"),
    Column("mail", "메일"),
    Column("mobile", "휴대전화"),
    Column("pg_code", "PG"),
    Column("card", "결제 카드"),
    Column("backup_card", "보조 카드"),
    Column("ended_at", "해지일시"),
    Column("ended_reason", "해지 사유", one_of(words.ENDED)),
)

ITEM_COLUMNS = (
    Column("item_id", "품목"),
    Column("product_name", "상품"),
    Column("option_value", "옵션"),
    Column("quantity", "수량", count),
    Column("unit_price", "신청단가", won),
    Column("cycle", "주기"),
    Column("start_date", "배송시작일"),
    Column("round_no", "다음 회차"),
    Column("max_rounds", "배송 횟수"),
    Column("state", "상태", one_of(words.ITEM)),
    Column("delivery_on", "배송예정일"),
    Column("charge_on", "결제예정일"),
)

LINE_COLUMNS = (
    Column("round_id", "회차번호"),
    Column("round_no", "회차"),
    Column("product_name", "상품"),
    Column("option_value", "옵션"),
    Column("quantity", "수량", count),
    Column("unit_price", "단가", won),
    Column("price_now", "판매가", won),
    Column("discount_amount", "할인", won),
    Column("amount", "금액", won),
    Column("excluded_reason", "제외", one_of(words.EXCLUDED)),
)

SETTLED_COLUMNS = (Column("settled_by", "확인한 사람"), Column("evidence", "근거"))


def life(store: Store, clock: Clock, wanted: str) -> list[Section]:
    """Return the sections of one life; empty: nothing here is called so.

    `wanted` is a subscription's id, a round's number, or an order number of ours or the shop's.
    """
    return store.transaction(partial(_read, clock, wanted))


def _read(clock: Clock, wanted: str, tx: Transaction) -> list[Section]:
    key = _subscription_of(wanted, tx)
    if key is None:
        return []
    subscription = contract.read_subscriptions(tx, [key]).get(key)
    rounds = tx.rows("rounds_of", ids=[key])
    ids = [row["round_id"] for row in rounds]
    sections = [_about(subscription, tx)] if subscription else []
    # What stands in the way of its PG stands in its way too, as long as it lives.
    pg_codes = [subscription.pg_code] if subscription and subscription.state != "C" else []
    subjects = [key, *pg_codes, *(f"round {each}" for each in ids)]
    return [
        *sections,
        Section("items", "품목", ITEM_COLUMNS, [_item(row) for row in tx.rows("items_of", ids=[key])]),
        Section("rounds", "회차", (*ROUND_COLUMNS, *SETTLED_COLUMNS), [*map(dict, rounds)]),
        Section("lines", "회차별 품목", LINE_COLUMNS, _lines(ids, tx)),
        Section("events", "기록", events.COLUMNS, events.of(tx, clock, key, rounds)),
        Section("matters", "확인할 일", MATTER_COLUMNS, [*_matters(clock, subjects, tx)]),
    ]


MATTER_COLUMNS = (
    Column("matter_id", "번호"),
    Column("opened_at", "생긴 때"),
    Column("kind", "종류", one_of(words.MATTER)),
    Column("detail", "내용"),
)


def _subscription_of(wanted: str, tx: Transaction) -> str | None:
    if wanted.isascii() and wanted.isdecimal():
        rounds: Sequence[Row] = tx.rows("rounds_by_id", ids=[int(wanted)])
        return rounds[0]["subscription_id"] if rounds else None
    if contract.read_subscriptions(tx, [wanted]) or tx.rows("rounds_of", ids=[wanted]):
        return wanted
    attempts = tx.rows("attempts_by_order_no", order_nos=[wanted]) if wanted.isascii() else []
    if attempts:
        return str(tx.rows("rounds_by_id", ids=[attempts[0]["round_id"]])[0]["subscription_id"])
    order = tx.row("order_by_id", order_id=wanted)
    return order["subscription_id"] if order else None


def _about(subscription: Subscription, tx: Transaction) -> Section:
    key = subscription.subscription_id
    ended = tx.row("ends_of", ids=[key])
    masks = masks_of(tx, [subscription.card_id, subscription.backup_card_id])
    row = {
        "subscription_id": key,
        "state": subscription.state,
        "applied_at": subscription.created_at,
        "member_id": subscription.member_id + (" (탈퇴)" if subscription.is_withdrawn else ""),
        "buyer_name": subscription.name,
        "mail": texts.mask_address(subscription.mail) if subscription.mail else None,
        "mobile": texts.mask_phone(subscription.mobile) if subscription.mobile else None,
        "pg_code": subscription.pg_code,
        "card": masks.get(subscription.card_id or 0),
        "backup_card": masks.get(subscription.backup_card_id or 0),
        "ended_at": ended["terminated_at"] if ended else None,
        "ended_reason": ended["terminated_reason"] if ended else None,
    }
    return Section("subscription", "신청", SUBSCRIPTION_COLUMNS, [row], is_record=True)


def _item(row: Row) -> Cells:
    return {
        **{column.key: row.get(column.key) for column in ITEM_COLUMNS},
        "unit_price": row["applied_price"],
        "charge_on": charge_day(row),
    }


def _lines(round_ids: Sequence[int], tx: Transaction) -> list[Cells]:
    rows = tx.rows("round_items", ids=list(round_ids)) if round_ids else []
    return [{column.key: row[column.key] for column in LINE_COLUMNS} for row in rows]


def _matters(clock: Clock, subjects: Sequence[str], tx: Transaction) -> Iterator[Cells]:
    for row in tx.rows("open_matters_about", subjects=subjects):
        yield {**row, "opened_at": local(clock, row["opened_at"])}
