"""The script a shop would write: the ORM, a commit a row, a new connection for every request and every mail.

`python -m bench.plain {notify,charge,reset} …` does the work of one job for every subscription due and
prints how many that were, and the seconds and CPU of its loop. It has no outbox, no attempts, no consent to
prices, no discounts and no repeat: it is the cheapest script that still sends, charges, writes and deletes
the same things.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import secrets
import smtplib
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from sqlalchemy import create_engine, make_url, select
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session

from bench import DATABASE, DELIVERY_ON
from lib.sandbox.solapi_rules import API_KEY, API_SECRET
from lib.sandbox.tosspayments_rules import SECRET_KEY

TIMEOUT_S = 60
SHIPPING_FEE = 3000
COPIED = (
    "subscription_id",
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
"""What an order takes over from its subscription."""
NOW = datetime(2026, 12, 1, 9)  # noqa: DTZ001 the shop's columns hold naive local time


class Plain:
    """The script's connections; rows are objects of the ORM, named as the shop's columns are."""

    def __init__(self, options: argparse.Namespace) -> None:
        engine = create_engine(make_url(os.environ[DATABASE]).set(database=options.shop_schema))
        base: Any = automap_base()
        base.prepare(autoload_with=engine)
        self.tables: Any = base.classes
        self.session = Session(engine)
        self.options = options
        self.shop: Any = self.session.scalars(select(self.tables.shop)).one()

    def due(self) -> Iterator[tuple[Any, list[Any]]]:
        """Yield every subscription due with its items."""
        item = self.tables.subscription_item
        wanted = item.subscription_state == "U", item.expected_delivery_date == DELIVERY_ON
        by_subscription: dict[str, list[Any]] = defaultdict(list)
        for one in self.session.scalars(select(item).where(*wanted)).all():
            by_subscription[one.subscription_id].append(one)
        for subscription_id, items in by_subscription.items():
            yield self.session.get(self.tables.subscription, subscription_id), items

    def save(self, *rows: Any) -> None:  # noqa: ANN401 classes of the automap have no names
        """Commit row by row."""
        for row in rows:
            self.session.add(row)
            self.session.commit()

    def log(self, subscription: Any, event: str, detail: str) -> None:  # noqa: ANN401
        """Note what was done."""
        key = subscription.subscription_id
        self.save(
            self.tables.subscription_log(subscription_id=key, event=event, detail=detail, logged_at=NOW)
        )

    def debit(self, channel: str) -> None:
        """Use up one credit."""
        credit = self.session.get(self.tables.message_credit, channel)
        if credit is None:
            sys.exit(f"no credits for {channel}")
        credit.balance -= 1
        self.save(credit)

    def mail(self, address: str, subject: str, text: str) -> None:
        """Send a mail over a connection of its own."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.shop.sender_email, address, subject
        message.set_content(text, cte="base64")
        message.add_alternative(f"<html><body><p>{text}</p></body></html>", subtype="html", cte="base64")
        self.debit("bulk_mail")
        server = urlsplit(self.options.smtp)
        with smtplib.SMTP(server.hostname or "", server.port or 25) as connection:
            connection.send_message(message)

    def sms(self, number: str, text: str) -> None:
        """Send an SMS by a request of its own."""
        now, salt = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), secrets.token_hex(16)
        signature = hmac.new(API_SECRET.encode(), (now + salt).encode(), hashlib.sha256).hexdigest()
        signed = f"HMAC-SHA256 apiKey={API_KEY}, date={now}, salt={salt}, signature={signature}"
        message = {"to": "".join(filter(str.isdigit, number)), "from": self.shop.sender_phone, "text": text}
        self.debit("sms")
        requests.post(
            f"{self.options.solapi}/messages/v4/send-many/detail",
            json={"messages": [message]},
            headers={"Authorization": signed},
            timeout=TIMEOUT_S,
        ).raise_for_status()


def sum_of(items: list[Any]) -> int:
    """Return what a delivery costs, in won."""
    return SHIPPING_FEE + sum(
        int(item.product_price + item.option_price) * int(item.quantity) for item in items
    )


def notify(plain: Plain) -> int:
    """Tell customers and the operator of every round due."""
    done = 0
    for subscription, items in plain.due():
        names = "\n".join(f"{item.product_name} {item.option_value} x {item.quantity}" for item in items)
        text = f"{subscription.buyer_name}님, {sum_of(items):,}원이 내일 결제됩니다.\n{names}"
        plain.mail(subscription.buyer_email, "결제 안내", text)
        plain.sms(subscription.buyer_cellphone, f"{sum_of(items):,}원이 내일 결제됩니다")
        plain.mail(plain.shop.operator_email, f"결제 안내 {subscription.subscription_id}", text)
        plain.log(subscription, "notified", f"{sum_of(items):,}원")
        done += 1
    return done


def charge(plain: Plain) -> int:
    """Charge every round due and write its order."""
    done = 0
    for subscription, items in plain.due():
        card = plain.session.get(plain.tables.card, subscription.card_id)
        payment = _pay(plain, subscription, card, sum_of(items))
        _order(plain, subscription, items, payment)
        for item in items:
            item.expected_delivery_date = _next(item.expected_delivery_date)
            item.expected_pay_date = item.expected_delivery_date - timedelta(days=1)
            item.subscription_shipments_sequence += 1
            plain.save(item)
        plain.log(subscription, "paid", f"{sum_of(items):,}원")
        done += 1
    return done


def _pay(plain: Plain, subscription: Any, card: Any, amount: int) -> Any:  # noqa: ANN401 ORM rows, JSON
    reply = requests.post(
        f"{plain.options.toss}/v1/billing/{quote(card.billing_key, safe='')}",
        json={
            "amount": amount,
            "customerKey": card.customer_key,
            "orderId": f"{subscription.subscription_id}-{DELIVERY_ON:%Y%m%d}",
            "orderName": "정기배송",
        },
        auth=(SECRET_KEY, ""),
        timeout=TIMEOUT_S,
    )
    reply.raise_for_status()
    return reply.json()


def _order(plain: Plain, subscription: Any, items: list[Any], payment: Any) -> None:  # noqa: ANN401
    order = plain.tables.orders(
        **{name: getattr(subscription, name) for name in COPIED},
        order_id=payment["orderId"],
        delivery_date=DELIVERY_ON,
        sequence=max(item.subscription_shipments_sequence for item in items),
        items_amount=payment["totalAmount"] - SHIPPING_FEE,
        discount_amount=0,
        shipping_fee=SHIPPING_FEE,
        payment_amount=payment["totalAmount"],
        pg_tid=payment["paymentKey"],
        paid_at=NOW,
    )
    plain.save(order)
    for number, item in enumerate(items, start=1):
        _order_line(plain, payment["orderId"], number, item)


def _order_line(plain: Plain, order_id: str, number: int, item: Any) -> None:  # noqa: ANN401
    copied = ("product_no", "variants_code", "product_name", "option_value", "quantity")
    price = item.product_price + item.option_price
    line = plain.tables.order_item(
        **{name: getattr(item, name) for name in copied},
        order_id=order_id,
        line_no=number,
        subscription_item_id=item.subscription_item_id,
        sequence=item.subscription_shipments_sequence,
        unit_price=price,
        amount=price * item.quantity,
    )
    plain.save(line)
    product = plain.session.get(plain.tables.product, item.product_no)
    if product is not None and product.stock_quantity is not None:
        product.stock_quantity -= item.quantity
        plain.save(product)


def _next(day: date) -> date:
    return day + timedelta(days=28)


def reset(plain: Plain) -> int:
    """Cancel every subscription, delete every card and tell everybody."""
    done = 0
    for subscription in plain.session.scalars(select(plain.tables.subscription)).all():
        subscription.subscription_state = "C"
        subscription.terminated_date, subscription.terminated_reason = NOW, "pg_reset"
        cards = [subscription.card_id, subscription.backup_card_id]
        subscription.card_id = subscription.backup_card_id = None
        plain.save(subscription)
        _cancel_items(plain, subscription)
        for card_id in filter(None, cards):
            _forget(plain, card_id)
        text = f"{subscription.buyer_name}님, 정기배송이 해지되었습니다."
        plain.mail(subscription.buyer_email, "정기배송 해지 안내", text)
        plain.mail(plain.shop.operator_email, f"해지 {subscription.subscription_id}", text)
        plain.log(subscription, "cancelled", "PG 변경")
        done += 1
    return done


def _cancel_items(plain: Plain, subscription: Any) -> None:  # noqa: ANN401
    item = plain.tables.subscription_item
    wanted = select(item).where(item.subscription_id == subscription.subscription_id)
    for one in plain.session.scalars(wanted).all():
        one.subscription_state, one.terminated_date = "A", NOW
        plain.save(one)


def _forget(plain: Plain, card_id: int) -> None:
    card = plain.session.get(plain.tables.card, card_id)
    if card is None:
        return  # another subscription's too, and gone with it
    address = f"{plain.options.toss}/v1/billing/{quote(card.billing_key, safe='')}"
    requests.delete(address, auth=(SECRET_KEY, ""), timeout=TIMEOUT_S).raise_for_status()
    plain.session.delete(card)
    plain.session.commit()


def main(argv: list[str]) -> None:
    """Do the work of one job."""
    parser = argparse.ArgumentParser(prog="python -m bench.plain", description=__doc__)
    parser.add_argument("job", choices=("notify", "charge", "reset"))
    for name in ("shop-schema", "toss", "smtp", "solapi"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args(argv)
    work = {"notify": notify, "charge": charge, "reset": reset}[options.job]
    plain = Plain(options)
    began, began_cpu = time.perf_counter(), time.process_time()
    done = work(plain)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    print(json.dumps({"done": done, "seconds": seconds, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(sys.argv[1:])
