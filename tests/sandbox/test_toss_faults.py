"""Every way in which TossPayments can be made to fail, and what became of the money."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests

from lib.sandbox import Card, Fault, Sandbox
from tests.sandbox.talking import Merchant, code, eventually


@pytest.mark.parametrize("processed", [False, True])
def test_a_dropped_request_has_or_has_not_taken_effect(
    merchant: Merchant, sandbox: Sandbox, *, processed: bool
) -> None:
    sandbox.toss.faults.add(Fault("drop", "charge", processed=processed, times=1))
    with pytest.raises(requests.ConnectionError):
        merchant.charge()
    assert len(sandbox.toss.approvals()) == int(processed)
    assert merchant.charge().status_code == 200
    assert len(sandbox.toss.approvals()) == 1


def test_a_connection_can_break_off_before_anything_is_read(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("drop", "accept", times=1))
    with pytest.raises(requests.ConnectionError):
        merchant.charge()
    assert len(sandbox.toss.book) == 0


def test_a_connection_can_be_reset_in_the_middle_of_the_reply(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("reset", "charge"))
    with pytest.raises(requests.RequestException):
        merchant.charge()
    assert len(sandbox.toss.approvals()) == 1


def test_a_kept_connection_can_be_closed_after_the_reply(sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("close", "inquiry", times=1))
    with socket.create_connection(("127.0.0.1", sandbox.toss.port), timeout=5) as conn:
        conn.sendall(b"GET /v1/payments/orders/J1AAA01 HTTP/1.1\r\nHost: x\r\n\r\n")
        reply = b"".join(iter(lambda: conn.recv(4096), b""))
    assert reply.startswith(b"HTTP/1.1 401")
    assert b"Connection: close" not in reply


def test_a_reply_can_come_byte_by_byte(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("drip", "charge", seconds=0.0001))
    assert merchant.charge().json()["status"] == "DONE"


@pytest.mark.parametrize("processed", [False, True])
def test_a_500_can_come_with_and_without_the_charge(
    merchant: Merchant, sandbox: Sandbox, *, processed: bool
) -> None:
    sandbox.toss.faults.add(Fault("error", "charge", processed=processed, times=1))
    assert code(merchant.charge()) == (500, "FAILED_INTERNAL_SYSTEM_PROCESSING")
    assert len(sandbox.toss.approvals()) == int(processed)


@pytest.mark.parametrize(
    ("status", "wanted"),
    [(401, "UNAUTHORIZED_KEY"), (429, "TOO_MANY_REQUESTS"), (400, "SOME_FUTURE_CODE")],
)
def test_any_error_code_can_be_given(merchant: Merchant, sandbox: Sandbox, status: int, wanted: str) -> None:
    sandbox.toss.faults.add(Fault("error", "charge", status=status, code=wanted))
    assert code(merchant.charge()) == (status, wanted)
    assert sandbox.toss.approvals() == []


def test_a_spoilt_reply_is_not_what_the_key_remembers(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("error", "charge", processed=True, times=1))
    merchant.charge()
    assert merchant.charge().json()["status"] == "DONE"


@pytest.mark.parametrize("processed", [False, True])
def test_a_stored_error_is_replayed_as_the_vendor_does(
    merchant: Merchant, sandbox: Sandbox, *, processed: bool
) -> None:
    sandbox.toss.faults.add(Fault("error", "charge", processed=processed, stored=True, times=1))
    assert merchant.charge().status_code == 500
    assert merchant.charge().status_code == 500
    assert len(sandbox.toss.approvals()) == int(processed)


@pytest.mark.parametrize("status", [200, 500])
def test_a_web_page_can_come_instead_of_json(merchant: Merchant, sandbox: Sandbox, status: int) -> None:
    sandbox.toss.faults.add(Fault("html", "charge", processed=True, status=status))
    reply = merchant.charge()
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert reply.text.startswith("<!DOCTYPE html>")
    assert len(sandbox.toss.approvals()) == 1


def test_a_200_can_be_empty(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("empty", "charge", processed=True))
    reply = merchant.charge()
    assert (reply.status_code, reply.content) == (200, b"")


def test_a_200_can_have_half_its_json(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("truncated", "charge"))
    reply = merchant.charge()
    assert reply.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        reply.json()


@pytest.mark.parametrize(
    ("name", "value"),
    [("totalAmount", 1), ("orderId", "J1ZZZ99"), ("status", "IN_PROGRESS"), ("paymentKey", "")],
)
def test_any_field_of_the_reply_can_be_wrong(
    merchant: Merchant, sandbox: Sandbox, name: str, value: object
) -> None:
    sandbox.toss.faults.add(Fault("alter", "charge", fields={name: value}))
    assert merchant.charge().json()[name] == value
    assert (sandbox.toss.approvals()[0].order_no, sandbox.toss.approvals()[0].amount) == ("J1AAA01", 19_800)


def test_a_reply_can_come_too_late_for_a_charge_that_was_made(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("delay", "charge", processed=True, seconds=5))
    with pytest.raises(requests.ReadTimeout):
        merchant.session.post(
            f"{sandbox.toss.url}/v1/billing/bk1",
            json={"customerKey": "m7", "orderName": "n", "amount": 100, "orderId": "J1AAA01"},
            timeout=0.1,
        )
    assert len(sandbox.toss.approvals()) == 1


def test_a_charge_can_happen_after_the_client_has_given_up(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("delay", "charge", seconds=0.3))
    with pytest.raises(requests.ReadTimeout):
        merchant.session.post(
            f"{sandbox.toss.url}/v1/billing/bk1",
            json={"customerKey": "m7", "orderName": "n", "amount": 100, "orderId": "J1AAA01"},
            timeout=0.1,
        )
    assert code(merchant.inquire()) == (404, "NOT_FOUND_PAYMENT")
    assert eventually(lambda: merchant.inquire().status_code == 200)


def test_a_second_request_under_a_key_that_is_running_is_told_so(
    merchant: Merchant, sandbox: Sandbox
) -> None:
    sandbox.toss.faults.latency_s = 0.3

    def charge_first() -> None:
        with Merchant(sandbox.toss.url) as first:
            first.charge()

    thread = threading.Thread(target=charge_first)
    thread.start()
    time.sleep(0.1)
    assert code(merchant.charge()) == (409, "IDEMPOTENT_REQUEST_PROCESSING")
    thread.join()
    assert merchant.charge().status_code == 200
    assert len(sandbox.toss.approvals()) == 1


def test_two_keys_at_once_never_charge_one_order_twice(sandbox: Sandbox) -> None:
    def charge(key: str) -> None:
        with Merchant(sandbox.toss.url) as one:
            one.charge(key=key)

    threads = [threading.Thread(target=charge, args=(f"key-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sandbox.toss.approvals()) == 1


def test_a_fault_strikes_only_its_order_number(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("error", "charge", subject="J1AAA02"))
    assert merchant.charge().status_code == 200
    assert merchant.charge(orderId="J1AAA02").status_code == 500


def test_a_fault_strikes_only_its_endpoint(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("error", "inquiry"))
    assert merchant.charge().status_code == 200
    assert merchant.inquire().status_code == 500


def test_a_fault_can_let_some_pass_and_strike_a_few(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("error", "inquiry", skip=1, times=2))
    assert [merchant.inquire().status_code for _ in range(4)] == [404, 500, 500, 404]


def test_a_fault_by_rate_strikes_the_same_orders_in_any_order(merchant: Merchant, sandbox: Sandbox) -> None:
    def struck(numbers: list[int]) -> set[int]:
        sandbox.toss.faults.clear()
        sandbox.toss.faults.add(Fault("error", "inquiry", rate=0.5, seed=3))
        return {number for number in numbers if merchant.inquire(f"J1AAA{number:02d}").status_code == 500}

    forwards = struck(list(range(40)))
    assert 10 <= len(forwards) <= 30
    assert struck(list(reversed(range(40)))) == forwards


def test_a_lost_deletion_of_a_billing_key_has_still_deleted_it(merchant: Merchant, sandbox: Sandbox) -> None:
    sandbox.toss.faults.add(Fault("drop", "forget", subject="bk1", processed=True, times=1))
    with pytest.raises(requests.ConnectionError):
        merchant.call("DELETE", "/v1/billing/bk1")
    assert code(merchant.call("DELETE", "/v1/billing/bk1")) == (404, "NOT_FOUND_BILLING")


def test_a_lost_cancel_has_still_given_the_money_back(merchant: Merchant, sandbox: Sandbox) -> None:
    payment_key = merchant.charge().json()["paymentKey"]
    sandbox.toss.faults.add(Fault("drop", "cancel", subject="J1AAA01", processed=True))
    with pytest.raises(requests.ConnectionError):
        merchant.cancel(payment_key)
    assert sandbox.toss.approvals()[0].cancelled_amount == 19_800


def test_after_fifteen_days_the_key_no_longer_protects_but_the_order_number_does(
    merchant: Merchant, sandbox: Sandbox
) -> None:
    merchant.charge()
    sandbox.clock.set(datetime.now(UTC) + timedelta(days=15))
    assert code(merchant.charge()) == (400, "DUPLICATED_ORDER_ID")


def test_what_is_no_http_is_refused(sandbox: Sandbox) -> None:
    def said(raw: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", sandbox.toss.port), timeout=5) as conn:
            conn.sendall(raw)
            return b"".join(iter(lambda: conn.recv(4096), b""))

    assert said(b"HELLO\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert said(b"GET / HTTP/1.1\r\nno colon\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert said(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").startswith(b"HTTP/1.1 411 ")
    assert said(b"POST / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 411 ")
    assert b"Connection: close" in said(b"GET / HTTP/1.0\r\n\r\n")


def test_a_client_that_leaves_in_the_middle_of_its_request_charges_nothing(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.toss.port), timeout=5) as conn:
        conn.sendall(b'POST /v1/billing/bk1 HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"amount"')
        conn.shutdown(socket.SHUT_WR)
        assert conn.recv(10) == b""
    assert len(sandbox.toss.book) == 0


def test_closing_the_sandbox_ends_waiting_requests() -> None:
    started = time.monotonic()
    with Sandbox() as sandbox:
        sandbox.toss.register(Card("bk1"))
        sandbox.toss.faults.add(Fault("delay", "inquiry", seconds=60))
        with Merchant(sandbox.toss.url) as merchant, pytest.raises(requests.ReadTimeout):
            merchant.session.get(f"{sandbox.toss.url}/v1/payments/orders/J1AAA01", timeout=0.1)
    assert time.monotonic() - started < 5
