"""Orders the simulated shop has already shipped: past rounds and one-time purchases (1회구매)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random

from lib.billing.invoice import Line, make_invoice, region_fee
from lib.sandbox.catalogue import ON_SALE, REGION_FEES, SHIPPING
from lib.sandbox.items import Item
from lib.sandbox.recipe import Recipe, Row

TaggedRow = tuple[str, Row]
"""A table's name and a row of it."""

_FROM_APPLICATION = (
    "member_id",
    "buyer_name",
    "receiver_name",
    "receiver_zipcode",
    "receiver_address1",
    "receiver_address2",
    "receiver_cellphone",
    "shipping_message",
    "pg_code",
)
_NO_ROUND: Row = {"subscription_id": None, "delivery_date": None, "sequence": None}


class OrderBook:
    """Make orders with numbers of the shop's own form, which ours can never meet."""

    def __init__(self, recipe: Recipe, rng: Random) -> None:
        self._recipe = recipe
        self._rng = rng
        self._numbers = count(1)

    def past_rounds(self, application: Row, items: Sequence[Item]) -> Iterator[TaggedRow]:
        """Yield the orders of an application's last rounds: items due on one day are one order."""
        by_day: dict[date, list[tuple[Item, Line]]] = defaultdict(list)
        for item in items:
            for round_no, day in item.schedule.past(self._recipe.history_rounds):
                by_day[day].append((item, item.line(round_no)))
        for day, rounds in sorted(by_day.items()):
            yield from self._past_round(application, day, rounds)

    def _past_round(
        self, application: Row, day: date, rounds: Sequence[tuple[Item, Line]]
    ) -> Iterator[TaggedRow]:
        lines = [line for _, line in rounds]
        paid_at = datetime.combine(day - timedelta(days=1), time(10, *self._minute_and_second()))
        order, amounts = self._order(application, lines, paid_at)
        round_no = max(line.round_no for line in lines)
        key = {"subscription_id": application["subscription_id"], "delivery_date": day, "sequence": round_no}
        yield "orders", order | key
        for line_no, ((item, line), amount) in enumerate(zip(rounds, amounts, strict=True), start=1):
            owner = {"subscription_item_id": item.item_id, "sequence": line.round_no}
            price = {"unit_price": line.unit_price, "amount": amount}
            yield (
                "order_item",
                {"order_id": order["order_id"], "line_no": line_no} | owner | item.goods() | price,
            )

    def one_time(self, buyer: Row) -> Iterator[TaggedRow]:
        """Yield an order that belongs to no subscription; `buyer` has the columns of an application."""
        product = self._rng.choice(ON_SALE)
        day = self._recipe.eve - timedelta(days=self._rng.randrange(400))
        line = Line(0, 1, product.price, 1, None, "prepaid")
        paid_at = datetime.combine(day, time(self._rng.randrange(24), *self._minute_and_second()))
        order, amounts = self._order(buyer, [line], paid_at)
        yield "orders", order | _NO_ROUND
        yield (
            "order_item",
            {
                "order_id": order["order_id"],
                "line_no": 1,
                "subscription_item_id": None,
                "sequence": None,
                "product_no": product.product_no,
                "variants_code": product.variants_code(0),
                "product_name": product.name,
                "option_value": product.options[0][0],
                "quantity": 1,
                "unit_price": product.price,
                "amount": amounts[0],
            },
        )

    def _order(self, buyer: Row, lines: Sequence[Line], paid_at: datetime) -> tuple[Row, list[int]]:
        """Return an order's row without its round, and the amounts of its lines, in won."""
        extra = region_fee(str(buyer["receiver_zipcode"]), REGION_FEES)
        invoice = make_invoice(lines, SHIPPING, extra)
        number = next(self._numbers)
        row: Row = {column: buyer[column] for column in _FROM_APPLICATION}
        row |= {
            "order_id": f"{paid_at:%Y%m%d}-{number:07}",
            "items_amount": invoice.items_amount,
            "discount_amount": invoice.discount_amount,
            "shipping_fee": invoice.shipping_fee,
            "payment_amount": invoice.amount_krw,
            "pg_tid": f"tviva{paid_at:%Y%m%d%H%M%S}{number:07}",
            "approval_no": f"{self._rng.randrange(10**8):08}",
            "paid_at": paid_at,
            "order_state": "paid",
        }
        return row, [line.amount for line in invoice.lines]

    def _minute_and_second(self) -> tuple[int, int]:
        return self._rng.randrange(60), self._rng.randrange(60)
