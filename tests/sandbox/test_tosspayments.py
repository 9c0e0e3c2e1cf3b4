"""What the simulated TossPayments approves, refuses, replays and gives back."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.sandbox import Card, Fault, Sandbox
from lib.sandbox.tosspayments_book import TossApproved, TossCancelled, TossKeyDeleted
from lib.sandbox.tosspayments_rules import SECRET_KEY
from tests.sandbox.talking import GOOD_CHARGE, Merchant, code


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_good_charge_answers_with_the_payment(merchant: Merchant) -> None:
    payment = merchant.charge().json()
    assert payment["status"] == "DONE"
    assert (payment["orderId"], payment["totalAmount"], payment["balanceAmount"]) == (
        "J1AAA01",
        19_800,
        19_800,
    )
    assert (payment["suppliedAmount"], payment["vat"]) == (18_000, 1_800)
    assert payment["approvedAt"].endswith("+09:00")
    assert payment["paymentKey"]


def test_every_reply_has_a_trace_id(merchant: Merchant) -> None:
    assert merchant.charge().headers["X-TossPayments-Trace-Id"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"amount": 99}, (400, "BELOW_MINIMUM_AMOUNT")),
        ({"amount": "19800"}, (400, "INVALID_REQUEST")),
        ({"amount": True}, (400, "INVALID_REQUEST")),
        ({"amount": None}, (400, "INVALID_REQUEST")),
        ({"orderId": "J1AAA"}, (400, "INVALID_ORDER_ID")),
        ({"orderId": "J" * 65}, (400, "INVALID_ORDER_ID")),
        ({"orderId": "J1 AAA01"}, (400, "INVALID_ORDER_ID")),
        ({"orderId": None}, (400, "INVALID_ORDER_ID")),
        ({"orderName": ""}, (400, "INVALID_ORDER_NAME")),
        ({"orderName": "가" * 101}, (400, "INVALID_ORDER_NAME")),
        ({"customerKey": "k"}, (400, "INVALID_REQUEST")),
        ({"customerKey": "key with spaces"}, (400, "INVALID_REQUEST")),
        ({"customerName": "이" * 101}, (400, "INVALID_REQUEST")),
        ({"taxFreeAmount": 19_801}, (400, "INVALID_REQUEST")),
        ({"cardInstallmentPlan": 13}, (400, "INVALID_CARD_INSTALLMENT_PLAN")),
        ({"cardInstallmentPlan": 2}, (400, "NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN")),
    ],
)
def test_a_field_that_breaks_a_rule_is_refused(
    merchant: Merchant, sandbox: Sandbox, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert code(merchant.charge(key="k", **changes)) == refusal
    assert sandbox.toss.approvals() == []


@pytest.mark.parametrize(
    "changes", [{"amount": 100}, {"orderName": "가" * 100}, {"orderId": "J" * 64}, {"orderId": "J1AA01"}]
)
def test_a_field_at_its_limit_is_taken(merchant: Merchant, changes: dict[str, Any]) -> None:
    assert merchant.charge(**changes).status_code == 200


@pytest.mark.parametrize(
    ("authorization", "refusal"),
    [
        (_basic("test_sk_other:"), (401, "UNAUTHORIZED_KEY")),
        (_basic(f"{SECRET_KEY}:password"), (401, "UNAUTHORIZED_KEY")),
        (_basic(f"\ufeff{SECRET_KEY}:"), (401, "UNAUTHORIZED_KEY")),
        (_basic(SECRET_KEY), (403, "INCORRECT_BASIC_AUTH_FORMAT")),
        ("Basic ***", (403, "INCORRECT_BASIC_AUTH_FORMAT")),
        (f"Bearer {SECRET_KEY}", (401, "UNAUTHORIZED_KEY")),
    ],
)
def test_a_wrong_secret_key_is_refused(
    sandbox: Sandbox, authorization: str, refusal: tuple[int, str]
) -> None:
    with Merchant(sandbox.toss.url, authorization) as stranger:
        assert code(stranger.charge()) == refusal


def test_a_charge_that_is_no_json_is_refused(merchant: Merchant) -> None:
    assert code(merchant.call("POST", "/v1/billing/bk1", Content_Type="text/plain")) == (
        400,
        "INVALID_REQUEST",
    )
    assert code(merchant.call("POST", "/v1/billing/bk1", ["amount"])) == (400, "INVALID_REQUEST")
    wrong_type = merchant.call("POST", "/v1/billing/bk1", GOOD_CHARGE, Content_Type="text/plain")
    assert code(wrong_type) == (400, "INVALID_REQUEST")


def test_a_billing_key_belongs_to_one_customer(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.register(Card("bk1", customer_key="member-8"))
    assert code(merchant.charge()) == (400, "NOT_MATCHES_CUSTOMER_KEY")


def test_an_unregistered_key_belongs_to_whoever_uses_it_first(merchant: Merchant) -> None:
    merchant.charge()
    second = merchant.charge(orderId="J1AAA02", customerKey="member-8")
    assert code(second) == (400, "NOT_MATCHES_CUSTOMER_KEY")


def test_an_unknown_billing_key_is_not_found_once_that_is_switched_on(
    merchant: Merchant, sandbox: Sandbox
) -> None:
    sandbox.toss.switches = replace(sandbox.toss.switches, accept_unknown_keys=False)
    assert code(merchant.charge()) == (404, "NOT_FOUND_BILLING")
    assert code(merchant.call("DELETE", "/v1/billing/bk1")) == (404, "NOT_FOUND_BILLING")


def test_a_percent_encoded_billing_key_is_the_key_itself(merchant: Merchant, sandbox: Sandbox) -> None:
    merchant.charge(billing_key="a%2Fb%3D")
    assert sandbox.toss.approvals()[0].billing_key == "a/b="


def test_a_deleted_billing_key_charges_no_more_and_is_deleted_once(merchant: Merchant) -> None:
    deleted = merchant.call("DELETE", "/v1/billing/bk1")
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert code(merchant.charge()) == (404, "NOT_FOUND_BILLING")
    assert code(merchant.call("DELETE", "/v1/billing/bk1")) == (404, "NOT_FOUND_BILLING")


def test_a_deleted_billing_key_can_say_what_public_code_has_seen(
    merchant: Merchant, sandbox: Sandbox
) -> None:
    sandbox.toss.switches = replace(sandbox.toss.switches, removed_key_code="ALREADY_REMOVED_BILLING_KEY")
    merchant.call("DELETE", "/v1/billing/bk1")
    assert code(merchant.call("DELETE", "/v1/billing/bk1")) == (400, "ALREADY_REMOVED_BILLING_KEY")


def test_an_approved_order_number_is_taken_under_every_other_key(
    merchant: Merchant, sandbox: Sandbox
) -> None:
    merchant.charge()
    assert code(merchant.charge(key="other")) == (400, "DUPLICATED_ORDER_ID")
    assert code(merchant.charge(key="")) == (400, "DUPLICATED_ORDER_ID")
    assert len(sandbox.toss.approvals()) == 1


def test_a_cancelled_order_number_stays_taken(merchant: Merchant) -> None:
    merchant.cancel(merchant.charge().json()["paymentKey"])
    assert code(merchant.charge(key="other")) == (400, "DUPLICATED_ORDER_ID")


def test_a_declined_order_number_is_free_under_another_key(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.register(Card("bk1", script=("INVALID_STOPPED_CARD", "approve")))
    merchant.charge()
    assert merchant.charge(key="other").status_code == 200


def test_the_same_key_replays_the_approval_whatever_the_body(merchant: Merchant, sandbox: Sandbox) -> None:
    first = merchant.charge()
    assert merchant.charge(key="J1AAA01", orderId="J1AAA02", amount=500).content == first.content
    assert len(sandbox.toss.approvals()) == 1


def test_the_same_key_replays_a_decline(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.register(Card("bk1", script=("REJECT_CARD_PAYMENT", "approve")))
    assert code(merchant.charge()) == code(merchant.charge()) == (403, "REJECT_CARD_PAYMENT")


def test_the_same_key_on_another_url_is_another_request(merchant: Merchant, sandbox: Sandbox) -> None:
    merchant.charge()
    merchant.charge(billing_key="bk2", key="J1AAA01", orderId="J1AAA02")
    assert len(sandbox.toss.approvals()) == 2


@pytest.mark.parametrize(
    ("age", "replayed"), [(timedelta(days=14, hours=23), True), (timedelta(days=15), False)]
)
def test_a_key_counts_for_fifteen_days(
    merchant: Merchant, sandbox: Sandbox, age: timedelta, *, replayed: bool
) -> None:
    sandbox.toss.register(Card("bk1", script=("REJECT_CARD_PAYMENT", "approve")))
    merchant.charge()
    sandbox.clock.set(datetime.now(UTC) + age)
    assert merchant.charge().status_code == (403 if replayed else 200)


def test_a_refused_credential_is_not_remembered(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.switches = replace(sandbox.toss.switches, secret_key="test_sk_new")
    assert code(merchant.charge()) == (401, "UNAUTHORIZED_KEY")
    sandbox.toss.switches = replace(sandbox.toss.switches, secret_key=SECRET_KEY)
    assert merchant.charge().status_code == 200


def test_a_key_has_at_most_300_characters(merchant: Merchant) -> None:
    assert code(merchant.charge(key="k" * 301)) == (400, "INVALID_IDEMPOTENCY_KEY")
    assert merchant.charge(key="k" * 300).status_code == 200


def test_a_script_is_played_one_word_a_charge_and_ends_on_its_last(
    merchant: Merchant, sandbox: Sandbox
) -> None:
    sandbox.toss.register(Card("bk1", script=("REJECT_CARD_PAYMENT", "INVALID_STOPPED_CARD", "approve")))
    statuses = [merchant.charge(orderId=f"J1AAA{number:02d}").status_code for number in range(4)]
    assert statuses == [403, 400, 200, 200]


def test_a_decline_rate_is_the_same_for_the_same_order_numbers(merchant: Merchant, sandbox: Sandbox) -> None:
    def declined() -> list[int]:
        sandbox.toss.reset()
        sandbox.toss.register(Card("bk1", decline_rate=0.5, seed=7))
        return [number for number in range(40) if not merchant.charge(orderId=f"J1AAA{number:02d}").ok]

    first = declined()
    assert 10 <= len(first) <= 30
    assert declined() == first


def test_the_vendors_test_header_gives_the_error_asked_for(merchant: Merchant, sandbox: Sandbox) -> None:
    asked = merchant.call("POST", "/v1/billing/bk1", GOOD_CHARGE, TossPayments_Test_Code="PROVIDER_ERROR")
    assert code(asked) == (400, "PROVIDER_ERROR")
    assert sandbox.toss.approvals() == []


def test_anything_else_is_not_found(merchant: Merchant) -> None:
    assert merchant.call("GET", "/v1/billing/bk1").status_code == 404


def test_the_book_tells_what_happened_and_no_billing_key(merchant: Merchant, sandbox: Sandbox) -> None:
    merchant.cancel(merchant.charge(billing_key="bk-secret").json()["paymentKey"])
    merchant.charge(billing_key="bk-secret")
    merchant.call("DELETE", "/v1/billing/bk-secret")
    merchant.call("GET", "/v1/billing/bk-secret/oops")
    calls = sandbox.toss.calls()
    assert [(call.endpoint, call.order_no, call.outcome) for call in calls] == [
        ("charge", "J1AAA01", "approved"),
        ("cancel", "J1AAA01", "cancelled"),
        ("charge", "J1AAA01", "replayed"),
        ("forget", "", "deleted"),
        ("unsupported", "", "NOT_FOUND"),
    ]
    kinds = (TossApproved, TossCancelled, TossKeyDeleted)
    assert [len(sandbox.toss.book.of(kind)) for kind in kinds] == [1, 1, 1]
    assert "bk-secret" not in repr(list(sandbox.toss.book)) + repr(sandbox.toss.approvals())


def test_two_runs_never_give_out_the_same_payment_key(merchant: Merchant) -> None:
    with Sandbox() as other, Merchant(other.toss.url) as stranger:
        assert merchant.charge().json()["paymentKey"] != stranger.charge().json()["paymentKey"]


def test_a_reset_forgets_everything(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("error", "charge", times=5))
    merchant.charge()
    sandbox.toss.reset()
    assert (len(sandbox.toss.book), sandbox.toss.approvals()) == (0, [])
    assert merchant.charge().status_code == 200
