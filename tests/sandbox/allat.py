"""A plain client of the simulated Allat: what the vendor's own utilities would send."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from lib.sandbox.allat import Allat
from lib.sandbox.allat_rules import CROSS_KEY, SHOP_ID, AllatSwitches
from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.server import HttpServer, Listener

MODE = {
    "allat_shop_id": SHOP_ID,
    "allat_test_yn": "N",
    "allat_opt_pin": "NOUSE",
    "allat_opt_mod": "APP",
}
CHARGE = {
    **MODE,
    "allat_card_key": "FIXKEY1",
    "allat_sell_mm": "00",
    "allat_amt": "19800",
    "allat_shop_member_id": "member7",
    "allat_order_no": "J1AAA01",
    "allat_product_cd": "p1",
    "allat_product_nm": "정기배송 1회차",
    "allat_cardcert_yn": "N",
    "allat_zerofee_yn": "N",
    "allat_buyer_nm": "김철수",
    "allat_recp_name": "김철수",
    "allat_recp_addr": "",
    "allat_user_ip": "Unknown",
    "allat_bonus_yn": "N",
    "allat_pay_type": "FIX",
}
CANCEL = {**MODE, "allat_amt": "19800", "allat_order_no": "J1AAA01", "allat_pay_type": "CARD"}
FORGET = {**MODE, "allat_fix_key": "FIXKEY1", "allat_fix_type": "FIX"}
OUTER = {
    "allat_shop_id": SHOP_ID,
    "allat_cross_key": CROSS_KEY,
    "allat_opt_lang": "PHP",
    "allat_opt_ver": "1.0.7.1",
    "allat_apply_ymdhms": "20261201120000",
}
PAGES = {"approval": CHARGE, "cancel": CANCEL, "fix_cancel": FORGET}


def enclosed(fields: Mapping[str, str]) -> bytes:
    """Return the layout of `allat_enc_data`, raw."""
    return b"00000010" + b"".join(f"{key}\x03{value}\x18".encode("cp949") for key, value in fields.items())


@dataclass
class Told:
    """One answer: HTTP status and the lines of its body."""

    status: int
    body: bytes
    content_type: str
    lines: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        pairs = (line.partition("=") for line in self.body.decode("cp949", "replace").split("\n"))
        self.lines = {key: value for key, equals, value in pairs if equals}

    @property
    def code(self) -> str:
        return self.lines.get("reply_cd", "")


class Shop:
    """Speaks to Allat, a connection for every request."""

    def __init__(self, port: int) -> None:
        self._port = port

    def post(
        self,
        page: str,
        body: bytes,
        *,
        content_type: str = "application/x-www-form-urlencoded",
        method: str = "POST",
    ) -> Told:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            path = f"/servlet/AllatPay/pay/{page}.jsp"
            connection.request(method, path, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            return Told(answer.status, answer.read(), answer.headers["Content-Type"])
        finally:
            connection.close()

    def ask(
        self,
        page: str = "approval",
        changes: Mapping[str, str | None] | None = None,
        *,
        data: bytes | None = None,
        outer: Mapping[str, str | None] | None = None,
        raw: bool = False,
    ) -> Told:
        """Send a good request with some inner fields changed; None takes one out.

        The outer amount follows the inner one; `outer` changes outer fields, `raw` leaves the data unescaped.
        """
        named = {f"allat_{name}": value for name, value in (changes or {}).items()}
        fields = {name: value for name, value in (PAGES[page] | named).items() if value is not None}
        form: dict[str, str | None] = dict(OUTER)
        if page != "fix_cancel":
            form["allat_amt"] = fields.get("allat_amt", "")
        form |= outer or {}
        sent = enclosed(fields) if data is None else data
        pairs = [f"{name}={value}".encode() for name, value in form.items() if value is not None]
        pairs.append(b"allat_enc_data=" + (sent if raw else quote_from_bytes(sent, safe="").encode()))
        return self.post(page, b"&".join(pairs))

    def charge(self, **changes: str | None) -> Told:
        return self.ask("approval", changes)

    def cancel(self, **changes: str | None) -> Told:
        return self.ask("cancel", changes)

    def forget(self, **changes: str | None) -> Told:
        return self.ask("fix_cancel", changes)


@contextmanager
def running(switches: AllatSwitches | None = None) -> Iterator[tuple[Allat, Shop, SettableClock]]:
    """Run a simulated Allat for a block, with a client and the clock it goes by."""
    clock = SettableClock()
    pg = Allat(clock, Book("allat"), switches or AllatSwitches())
    listener = Listener(0, HttpServer(pg).serve)
    pg.port = listener.port
    try:
        yield pg, Shop(pg.port), clock
    finally:
        pg.faults.stop()
        listener.close()
