"""Looking a simulated payment up, and giving it back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.sandbox import Card, Sandbox
from tests.sandbox.talking import Merchant, code


def test_an_order_can_be_looked_up_by_order_number_and_by_payment_key(merchant: Merchant) -> None:
    payment = merchant.charge().json()
    assert merchant.inquire().json() == payment
    assert merchant.call("GET", f"/v1/payments/{payment['paymentKey']}").json() == payment


def test_an_order_that_was_declined_or_never_came_is_not_found(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.register(Card("bk1", script=("REJECT_CARD_PAYMENT",)))
    merchant.charge()
    assert code(merchant.inquire()) == (404, "NOT_FOUND_PAYMENT")
    assert code(merchant.call("GET", "/v1/payments/sim_unknown")) == (404, "NOT_FOUND_PAYMENT")


def test_an_approval_is_not_yet_visible_while_the_lag_lasts(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.switches = replace(sandbox.toss.switches, inquiry_lag_s=600)
    merchant.charge()
    assert code(merchant.inquire()) == (404, "NOT_FOUND_PAYMENT")
    sandbox.clock.set(datetime.now(UTC) + timedelta(seconds=601))
    assert merchant.inquire().json()["status"] == "DONE"


def test_a_full_cancel_leaves_nothing_and_cannot_be_repeated(merchant: Merchant, sandbox: Sandbox) -> None:
    payment_key = merchant.charge().json()["paymentKey"]
    payment = merchant.cancel(payment_key).json()
    assert (payment["status"], payment["balanceAmount"]) == ("CANCELED", 0)
    assert [cancel["cancelAmount"] for cancel in payment["cancels"]] == [19_800]
    assert sandbox.toss.approvals()[0].cancelled_amount == 19_800
    assert code(merchant.cancel(payment_key)) == (400, "ALREADY_CANCELED_PAYMENT")


def test_cancelling_the_rest_leaves_partial_canceled_with_nothing_left(merchant: Merchant) -> None:
    payment_key = merchant.charge().json()["paymentKey"]
    merchant.cancel(payment_key, cancelAmount=800)
    payment = merchant.cancel(payment_key).json()
    assert (payment["status"], payment["balanceAmount"]) == ("PARTIAL_CANCELED", 0)
    assert code(merchant.cancel(payment_key)) == (403, "NOT_CANCELABLE_AMOUNT")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"cancelAmount": 19_801}, (403, "NOT_CANCELABLE_AMOUNT")),
        ({"refundableAmount": 19_799}, (400, "NOT_MATCHES_REFUNDABLE_AMOUNT")),
        ({"cancelAmount": 0}, (400, "INVALID_REQUEST")),
        ({"cancelReason": ""}, (400, "INVALID_REQUEST")),
        ({"cancelReason": "가" * 201}, (400, "INVALID_REQUEST")),
    ],
)
def test_a_cancel_that_breaks_a_rule_is_refused(
    merchant: Merchant, sandbox: Sandbox, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    payment_key = merchant.charge().json()["paymentKey"]
    assert code(merchant.cancel(payment_key, **body)) == refusal
    assert sandbox.toss.approvals()[0].cancelled_amount == 0


def test_a_cancel_is_replayed_under_its_key(merchant: Merchant, sandbox: Sandbox) -> None:
    path = f"/v1/payments/{merchant.charge().json()['paymentKey']}/cancel"
    body = {"cancelReason": "고객 요청", "cancelAmount": 100}
    first = merchant.call("POST", path, body, Idempotency_Key="c1")
    assert merchant.call("POST", path, body, Idempotency_Key="c1").content == first.content
    assert sandbox.toss.approvals()[0].cancelled_amount == 100


def test_an_unknown_payment_cannot_be_cancelled(merchant: Merchant) -> None:
    assert code(merchant.cancel("sim_unknown")) == (404, "NOT_FOUND_PAYMENT")
