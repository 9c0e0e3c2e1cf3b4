"""What the simulated NICEPAY approves, refuses, finds and gives back."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lib.sandbox import Fault, NicepayCard, Sandbox
from lib.sandbox.nicepay_book import NicepayApproved, NicepayCancelled, NicepayKeyDeleted
from lib.sandbox.nicepay_rules import CLIENT_KEY, SECRET_KEY, signature
from tests.sandbox.nicepay import GOOD_CHARGE, NicepayMerchant, basic, code


@pytest.fixture
def merchant(sandbox: Sandbox) -> Iterator[NicepayMerchant]:
    with NicepayMerchant(sandbox.nicepay.url) as client:
        yield client


def test_a_good_charge_answers_with_the_signed_record(merchant: NicepayMerchant) -> None:
    record = merchant.paid()
    assert (record["resultCode"], record["status"], record["orderId"]) == ("0000", "paid", "J1AAA01")
    assert (record["amount"], record["balanceAmt"], len(record["tid"])) == (19_800, 19_800, 30)
    assert record["signature"] == signature(record["tid"], 19_800, record["ediDate"], SECRET_KEY)
    assert record["paidAt"].endswith("+0900")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"orderId": None}, "U100"),
        ({"orderId": "J" * 65}, "U105"),
        ({"goodsName": ""}, "U100"),
        ({"goodsName": "가" * 14}, "U105"),
        ({"cardQuota": 3}, "U100"),
        ({"cardQuota": None}, "U100"),
        ({"useShopInterest": True}, "U100"),
        ({"amount": None}, "U127"),
        ({"amount": "19800"}, "U127"),
        ({"amount": True}, "U127"),
        ({"amount": 0}, "U127"),
        ({"amount": 10**12}, "U127"),
        ({"amount": 999}, "3041"),
        ({"ediDate": "2026-12-01T12:00:00+0900", "signData": "0" * 64}, "U312"),
    ],
)
def test_a_field_that_breaks_a_rule_is_refused(
    merchant: NicepayMerchant, sandbox: Sandbox, changes: dict[str, Any], refusal: str
) -> None:
    assert code(merchant.charge(**changes)) == (200, refusal)
    assert sandbox.nicepay.approvals() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1_000},
        {"goodsName": "가" * 13 + "a"},
        {"orderId": "J" * 64},
        {"cardQuota": "0"},
        {"ediDate": "now", "signData": signature("J1AAA01", "bk1", "now", SECRET_KEY)},
    ],
)
def test_a_field_at_its_limit_is_taken(merchant: NicepayMerchant, changes: dict[str, Any]) -> None:
    assert code(merchant.charge(**changes)) == (200, "0000")


@pytest.mark.parametrize(
    "authorization",
    [basic(f"{CLIENT_KEY}:wrong"), basic(SECRET_KEY), "Basic ***", "Basic /w==", f"Bearer {SECRET_KEY}"],
)
def test_a_wrong_key_is_refused(sandbox: Sandbox, authorization: str) -> None:
    with NicepayMerchant(sandbox.nicepay.url, authorization) as stranger:
        assert code(stranger.charge()) == (401, "U304")


def test_what_is_no_json_is_refused(merchant: NicepayMerchant) -> None:
    assert code(merchant.call("POST", "/v1/subscribe/bk1/payments", ["orderId"])) == (200, "U125")
    plain = merchant.session.post(f"{merchant.url}/v1/subscribe/bk1/payments", data="x", timeout=5)
    assert code(plain) == (200, "U125")
    assert code(merchant.call("POST", "/v1/payments/t1/cancel", [])) == (200, "U125")
    assert code(merchant.call("POST", "/v1/subscribe/bk1/expire", [])) == (200, "U125")


def test_anything_else_is_not_found(merchant: NicepayMerchant) -> None:
    assert code(merchant.call("GET", "/v1/subscribe/bk1")) == (404, "U320")


def test_an_approved_order_number_is_used_up(merchant: NicepayMerchant, sandbox: Sandbox) -> None:
    tid = merchant.paid()["tid"]
    assert code(merchant.charge("bk2")) == (200, "U112")
    merchant.cancel(tid)
    assert code(merchant.charge()) == (200, "U112")
    assert len(sandbox.nicepay.approvals()) == 1


def test_a_declined_order_number_is_free_again_and_found_by_its_tid_only(
    merchant: NicepayMerchant, sandbox: Sandbox
) -> None:
    sandbox.nicepay.register(NicepayCard("bk1", script=("3095", "approve")))
    declined = merchant.paid()
    assert (declined["resultCode"], declined["status"], declined["signature"]) == ("3095", "failed", None)
    assert code(merchant.inquire()) == (200, "U107")
    assert merchant.call("GET", f"/v1/payments/{declined['tid']}").json()["status"] == "failed"
    assert code(merchant.cancel(declined["tid"])) == (200, "U107")
    assert code(merchant.charge()) == (200, "0000")


def test_a_code_of_the_gateway_comes_without_a_record(merchant: NicepayMerchant, sandbox: Sandbox) -> None:
    sandbox.nicepay.register(NicepayCard("bk1", script=("U504",)))
    assert merchant.charge().json().keys() == {"resultCode", "resultMsg"}


def test_a_decline_rate_is_the_same_for_the_same_order_numbers(
    merchant: NicepayMerchant, sandbox: Sandbox
) -> None:
    def declined() -> list[int]:
        sandbox.nicepay.reset()
        sandbox.nicepay.register(NicepayCard("bk1", decline_rate=0.5, seed=7))
        return [n for n in range(40) if merchant.paid(orderId=f"J1AAA{n:02d}")["resultCode"] == "3095"]

    first = declined()
    assert 10 <= len(first) <= 30
    assert declined() == first


def test_an_order_is_found_by_its_number_and_by_its_tid(merchant: NicepayMerchant) -> None:
    tid = merchant.paid()["tid"]
    assert merchant.inquire().json()["tid"] == tid
    assert merchant.call("GET", f"/v1/payments/{tid}").json()["orderId"] == "J1AAA01"
    assert code(merchant.call("GET", "/v1/payments/nobody")) == (200, "U107")


@pytest.mark.parametrize(("day", "refusal"), [("", "U100"), ("2026-12-01", "U130"), ("20261301", "U130")])
def test_an_inquiry_names_a_day(merchant: NicepayMerchant, day: str, refusal: str) -> None:
    assert code(merchant.inquire(day=day)) == (200, refusal)


def test_a_full_cancel_takes_the_number_of_the_order_and_cannot_be_repeated(
    merchant: NicepayMerchant, sandbox: Sandbox
) -> None:
    tid = merchant.paid()["tid"]
    record = merchant.cancel(tid).json()
    assert (record["status"], record["balanceAmt"], record["amount"]) == ("cancelled", 0, 19_800)
    assert [cancel["amount"] for cancel in record["cancels"]] == [19_800]
    assert sandbox.nicepay.approvals()[0].cancelled_amount == 19_800
    assert code(merchant.cancel(tid)) == (200, "2013")


def test_a_partial_cancel_uses_its_number_up_even_where_it_fails(merchant: NicepayMerchant) -> None:
    tid = merchant.paid()["tid"]
    assert code(merchant.cancel(tid, cancelAmt=19_801, orderId="C1")) == (200, "U123")
    assert code(merchant.cancel(tid, cancelAmt=900, orderId="C1")) == (200, "U112")
    record = merchant.cancel(tid, cancelAmt=900, orderId="C2").json()
    assert (record["status"], record["balanceAmt"]) == ("partialCancelled", 18_900)
    assert merchant.cancel(tid, orderId="C3").json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"reason": ""}, "U100"),
        ({"reason": "가" * 34}, "U105"),
        ({"cancelAmt": 0}, "U127"),
        ({"orderId": ""}, "U100"),
    ],
)
def test_a_cancel_that_breaks_a_rule_is_refused(
    merchant: NicepayMerchant, body: dict[str, Any], refusal: str
) -> None:
    tid = merchant.paid()["tid"]
    assert code(merchant.cancel(tid, **body)) == (200, refusal)


def test_a_deleted_key_charges_no_more_and_every_deletion_wants_a_new_number(
    merchant: NicepayMerchant,
) -> None:
    record = merchant.forget("D1").json()
    assert (record["resultCode"], record["bid"]) == ("0000", "bk1")
    assert code(merchant.charge()) == (200, "U115")
    assert code(merchant.forget("D1")) == (200, "U112")
    assert code(merchant.forget("D2")) == (200, "U115")
    assert code(merchant.forget("")) == (200, "U100")


def test_an_unknown_key_is_unknown_once_that_is_switched_on(
    merchant: NicepayMerchant, sandbox: Sandbox
) -> None:
    sandbox.nicepay.switches = replace(sandbox.nicepay.switches, accept_unknown_keys=False)
    assert code(merchant.charge()) == (200, "U309")
    assert code(merchant.forget("D1")) == (200, "U309")


def test_the_book_tells_what_happened_and_no_billing_key(merchant: NicepayMerchant, sandbox: Sandbox) -> None:
    record = merchant.charge("bk-secret").json()
    merchant.cancel(record["tid"])
    merchant.charge("bk-secret")
    merchant.forget("D1", "bk-secret")
    merchant.inquire()
    assert [(call.endpoint, call.order_no, call.outcome) for call in sandbox.nicepay.calls()] == [
        ("charge", "J1AAA01", "approved"),
        ("cancel", "J1AAA01", "cancelled"),
        ("charge", "J1AAA01", "U112"),
        ("forget", "", "deleted"),
        ("inquiry", "J1AAA01", "found"),
    ]
    kinds = (NicepayApproved, NicepayCancelled, NicepayKeyDeleted)
    assert [len(sandbox.nicepay.book.of(kind)) for kind in kinds] == [1, 1, 1]
    assert "bk-secret" not in repr(list(sandbox.nicepay.book)) + repr(sandbox.nicepay.approvals())


def test_two_runs_never_give_out_the_same_tid(merchant: NicepayMerchant) -> None:
    with Sandbox() as other, NicepayMerchant(other.nicepay.url) as stranger:
        assert merchant.paid()["tid"] != stranger.paid()["tid"]


def test_a_reset_forgets_everything(merchant: NicepayMerchant, sandbox: Sandbox) -> None:
    sandbox.nicepay.faults.add(Fault("error", "charge", times=5))
    merchant.charge()
    sandbox.nicepay.reset()
    assert (len(sandbox.nicepay.book), sandbox.nicepay.approvals()) == (0, [])
    assert merchant.paid()["amount"] == GOOD_CHARGE["amount"]
