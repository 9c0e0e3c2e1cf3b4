"""A plain client of the NICEPAY simulator: what a job would say, without the jobs' adapter."""

from __future__ import annotations

import base64
from typing import Any, Self

import requests

from lib.sandbox.nicepay_rules import CLIENT_KEY, SECRET_KEY

GOOD_CHARGE = {
    "orderId": "J1AAA01",
    "amount": 19_800,
    "goodsName": "정기배송 1회차",
    "cardQuota": 0,
    "useShopInterest": False,
}
DAY = "20261201"


def basic(text: str) -> str:
    """Return a header for HTTP's Basic."""
    return "Basic " + base64.b64encode(text.encode()).decode()


def code(response: requests.Response) -> tuple[int, str]:
    """Return HTTP status and the vendor's result code."""
    return response.status_code, response.json()["resultCode"]


class NicepayMerchant:
    """Speaks to NICEPAY over one kept connection."""

    def __init__(self, url: str, authorization: str = "") -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = authorization or basic(f"{CLIENT_KEY}:{SECRET_KEY}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=5)

    def charge(self, billing_key: str = "bk1", **changes: object) -> requests.Response:
        body = {name: value for name, value in (GOOD_CHARGE | changes).items() if value is not None}
        return self.call("POST", f"/v1/subscribe/{billing_key}/payments", body)

    def paid(self, **changes: object) -> dict[str, Any]:
        """Charge, and return the record."""
        record: dict[str, Any] = self.charge(**changes).json()  # type: ignore[arg-type]  # any field
        return record

    def inquire(self, order_no: str = "J1AAA01", day: str = DAY) -> requests.Response:
        return self.call("GET", f"/v1/payments/find/{order_no}?orderDate={day}")

    def cancel(self, tid: str, **body: object) -> requests.Response:
        given = {"reason": "고객 요청", "orderId": "J1AAA01"} | body
        return self.call("POST", f"/v1/payments/{tid}/cancel", given)

    def forget(self, number: str, billing_key: str = "bk1") -> requests.Response:
        return self.call("POST", f"/v1/subscribe/{billing_key}/expire", {"orderId": number})
