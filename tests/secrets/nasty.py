"""Strings that mean something to somebody on the way, in every text of the shop, through a whole life."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any

from lib.sandbox import Card
from tests.jobs.charging import CHARGE_AT, DELIVERY, NOTICE_AT, SOFT
from tests.jobs.resetting import BY_HAND
from tests.reading import Reader
from tests.rig import Rig
from tests.secrets.watching import Watch
from tests.shopkeeper import Item, card, member, open_shop, product, subscription

STRINGS = {
    "plain": "평범한 이름",
    "header": "홍길동\r\nBcc: evil@example.net\r\n\r\n<p>",
    "line ends": "a\rBcc: evil@example.net\nTo: x\x0bb\x0cc\x1cd\x85e\u2028f\u2029g",
    "end of mail": "\r\n.\r\nMAIL FROM:<evil@example.net>\r\nDATA\r\n",
    "encoded word": "=?utf-8?b?PGI+?= =?utf-8?q?=0D=0ABcc:_x?=",
    "NUL": "a\x00b\x00",
    "escape": "\x1b[2J\x1b]0;own\x07\x1b[31m빨강\x9b1m\x08\x7f",
    "bidi": "\u202eabc\u2066d\u200b\ufeff",
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover=\"alert(1)' x='",
    "tags": "</td></table><img src=x onerror=alert(1)><!--",
    "entity": "&lt;b&gt;&amp;&#60;",
    "jinja": "{{ 7*7 }}{% for x in lines %}{{ x }}{# #}{% raw %}",
    "format": "{0.__class__} {subject} %s %(name)s %n ${x}",
    "markup": "[red]x[/red][/] :smile: [link=file:///etc/passwd]",
    "quotes": "'; DROP TABLE orders; -- ",
    "backslash": "\\' OR 1=1 /* :subscription_id \" ` %_! \\",
    "json": '{"a":"\\u0000"}, "x": [}',
    "formula": "=cmd|' /C calc'!A0",
    "shell": "$(rm -rf ~) `id` ; reboot & | > x",
    "emoji": "😀🏳️‍🌈𠮷👩‍👩‍👧",
    "syllables": "뷁똠햏 " + unicodedata.normalize("NFD", "한글 é"),
    "blank": "\u200b\u202e\r\n\t ",
    "long": "가나다라마바사아자차" * 25,
}
KINDS = ("payment_notice", "payment_declined", "payment_failed", "auto_cancel", "digest")
LOOKS = (("list",), ("list", "--rounds"), ("report",), ("service",), ("check", "--invariants"))
LAST_DAY, RESET_AT = "2026-12-04T17:30", "2026-12-05T09:00"
TO_CUSTOMER = "customer{}@example.com"


@dataclass(frozen=True)
class Told:
    """A mail as it left, with what the outbox says of it."""

    kind: str
    recipient: str
    subscription_id: str | None
    raw: bytes
    recipients: tuple[str, ...]

    @cached_property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @cached_property
    def text(self) -> str:
        return self._part("plain")

    @cached_property
    def html(self) -> Reader:
        return Reader(self._part("html"))

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        content: str = part.get_content()
        return content.replace("\r\n", "\n")


@dataclass(frozen=True)
class Ids:
    """The subscriptions that carry one string: paid and finished, declined to the end, without a card."""

    paid: str
    declined: str
    blocked: str


def ids(name: str) -> Ids:
    """Return the numbers of the subscriptions that carry a string, and carry it themselves."""
    number, value = [*STRINGS].index(name), STRINGS[name]
    return Ids(*(f"{way}{number}-{value}"[:25].rstrip(" ") for way in "PDN"))


def put_in(rig: Rig) -> None:
    """Put in three subscriptions for every string."""
    open_shop(rig)
    for number, (name, value) in enumerate(STRINGS.items()):
        person = f"{number}-{value}"[:20].rstrip(" ")
        member(rig, person, name=value[:100], email=TO_CUSTOMER.format(number))
        product(rig, 2 * number + 1, 15_000, product_name=value[:250])
        product(rig, 2 * number + 2, 9_900, product_name=value[:250], sold_out="T")
        who = ids(name)
        _put_in(rig, who.paid, person, number, "approve")
        _put_in(rig, who.declined, person, number, SOFT)
        _put_in(rig, who.blocked, person, number, None)


COLUMNS = {
    "buyer_name": 100,
    "buyer_email": 254,
    "buyer_cellphone": 20,
    "receiver_name": 100,
    "receiver_zipcode": 14,
    "receiver_address1": 250,
    "receiver_address2": 250,
    "receiver_cellphone": 20,
    "shipping_message": 250,
}
"""The texts of an application and how many characters each holds."""


def _put_in(rig: Rig, key: str, person: str, number: int, script: str | None) -> None:
    """Put in one subscription; that of an approved card ends with this round, the others lack a product."""
    value = [*STRINGS.values()][number]
    goods = [Item(product_no=2 * number + 1, name=value, option_value=value, max_rounds=script == "approve")]
    if script != "approve":
        goods.append(Item(product_no=2 * number + 2, price=9_900, name=value, option_value=value))
    subscription(
        rig,
        key,
        delivery_on=DELIVERY,
        items=tuple(goods),
        member_id=person,
        card_id=_card(rig, person, number, script) if script else None,
        **{column: value[:longest] for column, longest in COLUMNS.items()},
    )
    code = "UPDATE subscription_item SET variants_code = :code WHERE subscription_id = :key"
    rig.shop(code, code=value[:12], key=key)


def _card(rig: Rig, person: str, number: int, script: str) -> int:
    value, billing_key = [*STRINGS.values()][number], f"bk-{script}-{number}"
    rig.sandbox.toss.register(Card(billing_key, script=(script,)))
    return card(
        rig,
        person,
        billing_key=billing_key,
        customer_key=f"customer-{number}",
        masked_number=value[:25],
        card_company=value[:30],
    )


@dataclass(frozen=True)
class Life:
    """What a shop of such texts left behind, and what everybody was told of it."""

    mails: list[Told]
    rounds: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    orders: dict[str, dict[str, Any]]
    lines: list[dict[str, Any]]
    subscriptions: dict[str, dict[str, Any]]
    items: dict[int, dict[str, Any]]
    log: list[str]
    said: list[str]
    shown: dict[str, str]
    """What `ops show` says of the paid subscription of each string."""
    as_json: dict[str, str]

    def of(self, name: str) -> list[Told]:
        """Return the mails about the subscriptions that carry a string."""
        who = ids(name)
        return [mail for mail in self.mails if mail.subscription_id in {who.paid, who.declined}]


def live(rig: Rig) -> Life:
    """Announce, charge to the end, look, reset the PG; the operators get single mails, then a digest."""
    watch = Watch(rig)
    rig.config()
    for way in ("--dry-run", "-v"):
        watch.tell("notify_d2", "--as-of", NOTICE_AT, way)
    for at, way in ((CHARGE_AT, "--dry-run"), (CHARGE_AT, "-v"), (LAST_DAY, "-v")):
        watch.tell("charge_d1", "--as-of", at, way)
    for arguments in LOOKS:
        watch.tell("ops", *arguments)
    as_json = {" ".join(each): rig.run("ops", *each, check=None).stdout for each in LOOKS}
    rig.config(policy={"operator_mail": "digest"}, gateway={"tosspayments": {"enabled": False}})
    watch.tell("reset_pg", "--as-of", RESET_AT, "-v", *BY_HAND)
    watch.tell("ops", "report")
    return Life(
        mails=mails(rig),
        rounds=rig.ours("SELECT * FROM billing_round"),
        attempts=rig.ours("SELECT * FROM payment_attempt"),
        orders={row["subscription_id"]: row for row in rig.shop("SELECT * FROM orders")},
        lines=rig.shop("SELECT * FROM order_item"),
        subscriptions={row["subscription_id"]: row for row in rig.shop("SELECT * FROM subscription")},
        items={row["subscription_item_id"]: row for row in rig.shop("SELECT * FROM subscription_item")},
        log=[row["detail"] for row in rig.shop("SELECT detail FROM subscription_log")],
        said=[*watch.said],
        shown={name: watch.tell("ops", "show", "--", ids(name).paid) for name in STRINGS},
        as_json=as_json,
    )


def mails(rig: Rig) -> list[Told]:
    """Return every mail that left."""
    about = {str(row["message_id"]): row for row in rig.ours("SELECT * FROM message")}
    found = []
    for mail in rig.sandbox.smtp.book:
        message_id = str(message_from_bytes(mail.raw)["Message-ID"])
        row = about[message_id.partition(".")[2].partition("@")[0]]
        found.append(Told(row["kind"], row["recipient"], row["subscription_id"], mail.raw, mail.recipients))
    return found


def is_visible(text: str, besides: str = "\n") -> bool:
    """Tell whether a text has no control, format or bidi character and no line end but those."""
    return all(each.isprintable() or each in besides for each in text)
