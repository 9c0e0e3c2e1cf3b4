"""Holds what the jobs did to the model: every difference is told in a line of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TypeVar

from tests.model import MessageKey, Model
from tests.rig import Rig
from tests.year import reading
from tests.year.tables import KEYS, Key, Row, order_key, order_lines, order_row, tables

EVER = date(2000, 1, 1)
BY_JOBS = ("subscription", "subscription_item", "card", "message_credit", "subscription_service", "product")
"""The tables of the shop that the jobs change."""

K = TypeVar("K", bound=tuple[object, ...])


def compare_lately(rig: Rig, model: Model, since: date) -> list[str]:
    """Compare the rounds delivered from a day on, their messages, and what the jobs change in the shop."""
    return [*_shop(rig, model, BY_JOBS), *_ours(rig, model, since)]


def compare_all(rig: Rig, model: Model) -> list[str]:
    """Compare every row that there is, and what was received with what was accepted."""
    return [
        *_shop(rig, model, tuple(KEYS)),
        *_orders(rig, model),
        *_ours(rig, model, EVER),
        *_received(rig, model),
    ]


def _received(rig: Rig, model: Model) -> Iterator[str]:
    accepted: Counter[str] = Counter(
        key[3] for key, each in model.messages.items() if each.state == "accepted"
    )
    for channel, found in (("mail", reading.read_letters(rig)), ("sms", reading.read_texts(rig))):
        if accepted[channel] != found:
            yield f"{channel} received: model {accepted[channel]:,}, jobs {found:,}"


def _shop(rig: Rig, model: Model, names: tuple[str, ...]) -> Iterator[str]:
    expected = tables(model.town)
    found = reading.read_tables(rig, names, expected)
    for name in names:
        yield from differences(name, _values(expected[name], KEYS[name]), found[name])


def _values(rows: Mapping[Key, Row], key: tuple[str, ...]) -> dict[Key, Row]:
    return {
        each: {name: reading.plain(value) for name, value in row.items() if name not in key}
        for each, row in rows.items()
    }


def _orders(rig: Rig, model: Model) -> Iterator[str]:
    expected: dict[Key, Row] = {order_key(order): order_row(order) for order in model.town.orders}
    yield from differences(
        "order", _values(expected, ("subscription_id", "delivery_date")), reading.read_orders(rig)
    )
    lines: dict[Key, Row] = {
        (*order_key(order), item_id): line
        for order in model.town.orders
        for item_id, line in order_lines(order).items()
    }
    yield from differences("order line", lines, reading.read_order_lines(rig))


def _ours(rig: Rig, model: Model, since: date) -> Iterator[str]:
    rounds = {key: each for key, each in model.rounds.items() if each.delivery_on >= since}
    sealed: dict[Key, Row] = {}
    lines: dict[Key, Row] = {}
    attempts: dict[Key, Row] = {}
    for key, each in rounds.items():
        sealed[key] = {
            "round_no": each.round_no,
            "items_amount": each.items_amount,
            "discount_amount": each.discount_amount,
            "shipping_fee": each.shipping_fee,
            "amount_krw": each.amount_krw,
            "state": each.state,
            "announced_on": each.announced_on,
            "charge_on": each.charge_on,
            "charge_until": each.charge_until,
            "is_written": each.is_written,
            "next_attempt_at": reading.plain(each.next_attempt_at) if each.state == "due" else None,
        }
        for line in each.lines:
            lines[*key, line.item_id] = {
                "round_no": line.round_no,
                "unit_price": line.unit_price,
                "quantity": line.quantity,
                "discount_amount": line.discount_amount,
                "amount": line.amount,
                "excluded_reason": line.excluded_reason,
            }
        for number, (card_id, outcome) in enumerate(each.attempts, 1):
            attempt = {"card_id": card_id, "amount_krw": each.amount_krw, "state": outcome}
            attempts[*key, number] = attempt
    yield from differences("round", sealed, reading.read_rounds(rig, since))
    yield from differences("line", lines, reading.read_lines(rig, since))
    yield from differences("attempt", attempts, reading.read_attempts(rig, since))
    refs = {each.ref for each in rounds.values()}
    messages: dict[MessageKey, Row] = {
        key: {
            "state": each.state,
            "address": each.address if key[2] == "customer" else None,
            "debited": each.units if each.debited else 0,
            "refunded": each.units if each.refunded else 0,
        }
        for key, each in model.messages.items()
        if "|" not in key[1] or key[1] in refs
    }
    yield from differences("message", messages, reading.read_messages(rig, since))


def differences(what: str, expected: Mapping[K, Row], found: Mapping[K, Row]) -> Iterator[str]:
    """Tell every field in which two sets of rows differ, and every row that only one of them has."""
    for key in sorted({*expected, *found}, key=str):
        name = " ".join(map(str, (what, *key)))
        if key not in found:
            yield f"{name}: only in the model: {_row(expected[key])}"
        elif key not in expected:
            yield f"{name}: only in the database: {_row(found[key])}"
        else:
            for column, value in expected[key].items():
                if found[key][column] != value:
                    yield f"{name} {column}: model {_told(value)}, jobs {_told(found[key][column])}"


def _row(row: Row) -> str:
    return ", ".join(f"{name} {_told(value)}" for name, value in row.items())


def _told(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
