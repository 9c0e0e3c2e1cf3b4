"""Gather what a batch of messages tells, read in a few statements in the transaction that claims them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any, Literal

from lib import facts
from lib import shop as contract
from lib.billing.dunning import last_slot
from lib.dialect import as_date
from lib.gateways import Card
from lib.run import Run
from lib.shop import Item, ShopState, Subscription
from lib.store import Row, Transaction, utc

DIGEST_ENTRIES = 100
ROUND_KINDS = frozenset({"payment_notice", "payment_declined", "payment_failed"})


@dataclass(frozen=True)
class Material:
    """What the messages of one batch are worded from."""

    run: Run
    shop: ShopState
    rounds: Mapping[int, Row]
    lines: Mapping[int, Sequence[Row]]
    subscriptions: Mapping[str, Subscription]
    cards: Mapping[int, Card]
    items: Mapping[int, Item]
    goods: Mapping[str, Sequence[Row]]
    declines: Mapping[int, Row]
    ends: Mapping[str, Row]
    carried: Mapping[int, Sequence[Row]]


def gather(run: Run, messages: Sequence[Row], tx: Transaction) -> Material:
    """Read what the messages need, whatever their kinds."""
    carried = {
        row["message_id"]: tx.rows("carried_by", digest_id=row["message_id"], entries=DIGEST_ENTRIES)
        for row in messages
        if row["kind"] == "digest"
    }
    told = [*messages, *chain.from_iterable(carried.values())]
    round_ids = sorted({row["round_id"] for row in told if row["kind"] in ROUND_KINDS})
    rounds = {row["round_id"]: row for row in tx.rows("rounds_by_id", ids=round_ids)} if round_ids else {}
    lines = _grouped(tx.rows("round_items", ids=round_ids) if round_ids else [], "round_id")
    subscriptions = contract.read_subscriptions(
        tx, {row["subscription_id"] for row in told if row["subscription_id"]}
    )
    cancelled = sorted({row["subscription_id"] for row in told if row["kind"] == "auto_cancel"})
    after_decline = sorted(
        {row["round_id"] for row in messages if row["kind"] in ROUND_KINDS - {"payment_notice"}}
    )
    return Material(
        run=run,
        shop=contract.read_shop(tx, run.settings, run.clock),
        rounds=rounds,
        lines=lines,
        subscriptions=subscriptions,
        cards=contract.read_cards(tx, (each.card_id for each in subscriptions.values())),
        items=contract.read_items(
            tx, {line["item_id"] for id_ in after_decline for line in lines.get(id_, [])}
        ),
        goods=_grouped(tx.rows("goods_of", ids=cancelled) if cancelled else [], "subscription_id"),
        declines={
            row["round_id"]: row
            for row in (tx.rows("last_declines", ids=after_decline) if after_decline else [])
        },
        ends={
            row["subscription_id"]: row for row in (tx.rows("ends_of", ids=cancelled) if cancelled else [])
        },
        carried=carried,
    )


def _grouped(rows: Sequence[Row], key: str) -> dict[Any, list[Row]]:
    grouped: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[key]].append(row)
    return grouped


def word(material: Material, message: Row, charge_days: tuple[date, date] | None) -> Mapping[str, object]:
    """Return the facts of one message for its template; `charge_days` are those that a notice names."""
    kind = message["kind"]
    if kind == "digest":
        return vars(_digest(material, message))
    if kind == "auto_cancel":
        return vars(_auto_cancel(material, message))
    round_ = material.rounds[message["round_id"]]
    common = _round_facts(material, round_)
    if kind == "payment_notice":
        charge_on, charge_until = charge_days or (
            as_date(round_["charge_on"]),
            as_date(round_["charge_until"]),
        )
        return vars(_payment_notice(material, round_, common | {"charge_until": charge_until}, charge_on))
    if kind == "payment_declined":
        return vars(_payment_declined(material, round_, common))
    return vars(_payment_failed(material, round_, common))


def _shop_facts(material: Material) -> dict[str, Any]:
    shop = material.shop
    return {
        "shop_name": shop.name,
        "homepage_url": shop.homepage_url,
        "sender_phone": shop.sender_phone,
        "operator_email": shop.operator_mail or "",
    }


def _round_facts(material: Material, round_: Row) -> dict[str, Any]:
    subscription = material.subscriptions.get(round_["subscription_id"])
    card = material.cards.get(subscription.card_id) if subscription and subscription.card_id else None
    return _shop_facts(material) | {
        "buyer_name": subscription.name if subscription else "",
        "member_id": subscription.member_id if subscription else "",
        "subscription_id": round_["subscription_id"],
        "round_no": round_["round_no"],
        "delivery_on": as_date(round_["delivery_on"]),
        "charge_until": as_date(round_["charge_until"])
        if round_["charge_until"]
        else as_date(round_["delivery_on"]),
        "amount_krw": round_["amount_krw"],
        "card_mask": card.masked_number if card else "",
        "lines": tuple(
            facts.Line(
                line["product_name"],
                line["option_value"],
                line["quantity"],
                line["unit_price"],
                line["discount_amount"],
                line["amount"],
                line["round_no"],
            )
            for line in material.lines.get(round_["round_id"], [])
            if line["excluded_reason"] is None
        ),
    }


def _payment_notice(
    material: Material, round_: Row, common: dict[str, Any], charge_on: date
) -> facts.PaymentNotice:
    lines = material.lines.get(round_["round_id"], [])
    return facts.PaymentNotice(
        **common,
        charge_on=charge_on,
        items_amount=round_["items_amount"],
        discount_amount=round_["discount_amount"],
        shipping_fee=round_["shipping_fee"],
        dropped=tuple(
            facts.Dropped(line["product_name"], line["option_value"], line["excluded_reason"])
            for line in lines
            if line["excluded_reason"]
        ),
        price_risen=tuple(
            facts.PriceRise(
                line["product_name"],
                line["option_value"],
                line["agreed_price"],
                line["price_now"],
                line["unit_price"],
            )
            for line in _risen(lines)
        ),
    )


def _payment_declined(material: Material, round_: Row, common: dict[str, Any]) -> facts.PaymentDeclined:
    last = material.declines.get(round_["round_id"])
    next_at: datetime | None = None
    if round_["state"] == "due" and round_["next_attempt_at"]:
        next_at = material.run.clock.to_local(utc(round_["next_attempt_at"]))
    return facts.PaymentDeclined(
        **common,
        decline=last["decline"] if last else "soft",
        next_attempt_at=next_at,
        last_attempt_at=last_slot(material.run.settings.policy.retry_times, common["charge_until"]),
    )


def _payment_failed(material: Material, round_: Row, common: dict[str, Any]) -> facts.PaymentFailed:
    last = material.declines.get(round_["round_id"])
    items = [material.items.get(line["item_id"]) for line in material.lines.get(round_["round_id"], [])]
    dates = [item.delivery_on for item in items if item and item.state == "U"]
    return facts.PaymentFailed(
        **common,
        next_delivery_on=min(dates) if dates else None,
        decline_message=f"{last['code']} {last['message']}" if last else "",
    )


def _auto_cancel(material: Material, message: Row) -> facts.AutoCancel:
    key = message["subscription_id"]
    subscription = material.subscriptions.get(key)
    end = material.ends.get(key)
    return facts.AutoCancel(
        **_shop_facts(material),
        buyer_name=subscription.name if subscription else "",
        member_id=subscription.member_id if subscription else "",
        subscription_id=key,
        cancelled_on=as_date(end["terminated_at"])
        if end and end["terminated_at"]
        else material.run.clock.today,
        reason=_end_reason(end),
        lines=tuple(
            facts.Goods(row["product_name"], row["option_value"], row["quantity"])
            for row in material.goods.get(key, [])
        ),
    )


def _digest(material: Material, message: Row) -> facts.Digest:
    parts = []
    for kind, rows in _grouped(material.carried.get(message["message_id"], []), "kind").items():
        entries = tuple(_digest_entry(material, row) for row in rows)
        parts.append(facts.DigestPart(kind, rows[0]["carried"], entries))
    run_on = material.run.clock.to_local(utc(message["queued_at"])).date()
    return facts.Digest(**_shop_facts(material), run_on=run_on, parts=tuple(parts))


def _digest_entry(material: Material, row: Row) -> facts.DigestEntry:
    key = row["subscription_id"]
    subscription = material.subscriptions.get(key)
    name = subscription.name if subscription else ""
    if row["kind"] == "auto_cancel":
        return facts.DigestEntry(key, name, reason=_end_reason(material.ends.get(key)))
    round_ = material.rounds[row["round_id"]]
    lines = material.lines.get(row["round_id"], [])
    return facts.DigestEntry(
        key,
        name,
        as_date(round_["delivery_on"]),
        round_["amount_krw"],
        dropped_items=sum(bool(line["excluded_reason"]) for line in lines),
        risen_items=len(_risen(lines)),
    )


def _risen(lines: Sequence[Row]) -> list[Row]:
    return [
        line for line in lines if line["excluded_reason"] is None and line["price_now"] > line["agreed_price"]
    ]


def _end_reason(end: Row | None) -> Literal["pg_reset", "count_finished"]:
    return "count_finished" if end and end["terminated_reason"] == "count_finished" else "pg_reset"
