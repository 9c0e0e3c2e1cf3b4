"""What can go wrong at the simulated NICEPAY, and what becomes of the money: lost, late and invisible."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from lib.sandbox import Fault, NicepayCard, Sandbox
from tests.sandbox.nicepay import NicepayMerchant, code

START = datetime(2026, 12, 1, 3, tzinfo=UTC)


@pytest.fixture
def merchant(sandbox: Sandbox) -> Iterator[NicepayMerchant]:
    sandbox.clock.set(START)
    with NicepayMerchant(sandbox.nicepay.url) as client:
        yield client


def _switch(sandbox: Sandbox, **switches: Any) -> None:  # noqa: ANN401 any switch
    sandbox.nicepay.switches = replace(sandbox.nicepay.switches, **switches)


def _after(sandbox: Sandbox, minutes: float) -> None:
    sandbox.clock.set(START + timedelta(minutes=minutes))


@pytest.mark.parametrize("processed", [False, True])
def test_a_dropped_charge_has_or_has_not_taken_effect(
    merchant: NicepayMerchant, sandbox: Sandbox, *, processed: bool
) -> None:
    sandbox.nicepay.faults.add(Fault("drop", "charge", processed=processed, times=1))
    with pytest.raises(requests.ConnectionError):
        merchant.charge()
    assert len(sandbox.nicepay.approvals()) == int(processed)
    assert code(merchant.inquire()) == (200, "0000" if processed else "U107")
    assert code(merchant.charge()) == (200, "U112" if processed else "0000")
    assert len(sandbox.nicepay.approvals()) == 1


@pytest.mark.parametrize("processed", [False, True])
def test_a_500_can_come_with_and_without_the_charge(
    merchant: NicepayMerchant, sandbox: Sandbox, *, processed: bool
) -> None:
    sandbox.nicepay.faults.add(Fault("error", "charge", processed=processed, times=1))
    assert code(merchant.charge()) == (500, "U508")
    assert len(sandbox.nicepay.approvals()) == int(processed)


def test_any_code_can_be_given_and_any_field_be_wrong(merchant: NicepayMerchant, sandbox: Sandbox) -> None:
    sandbox.nicepay.faults.add(
        Fault("error", "inquiry", status=200, code="U303", times=1),
        Fault("alter", "charge", fields={"amount": 1}),
        Fault("error", "payment", status=400),
    )
    assert code(merchant.inquire()) == (200, "U303")
    record = merchant.charge().json()
    assert (record["amount"], sandbox.nicepay.approvals()[0].amount) == (1, 19_800)
    assert code(merchant.call("GET", f"/v1/payments/{record['tid']}")) == (400, "U125")


def test_an_approval_is_not_yet_visible_while_the_lag_lasts(
    merchant: NicepayMerchant, sandbox: Sandbox
) -> None:
    _switch(sandbox, inquiry_lag_s=600)
    merchant.charge()
    assert (code(merchant.inquire()), code(merchant.charge())) == ((200, "U107"), (200, "U112"))
    _after(sandbox, 11)
    assert merchant.inquire().json()["status"] == "paid"


def test_a_late_charge_is_approved_after_nobody_waits_and_has_its_number_meanwhile(
    merchant: NicepayMerchant, sandbox: Sandbox
) -> None:
    sandbox.nicepay.register(NicepayCard("bk1", script=("late", "approve")))
    assert merchant.charge().status_code == 504
    assert (code(merchant.inquire()), sandbox.nicepay.approvals()) == ((200, "U107"), [])
    assert code(merchant.charge()) == (200, "U112")
    _after(sandbox, 11)
    assert len(sandbox.nicepay.approvals()) == 1
    assert merchant.inquire().json()["status"] == "paid"


@pytest.mark.parametrize(("second", "approvals"), [("approve", 1), ("3095", 1)])
def test_a_late_charge_can_be_stuck_before_it_has_its_number(
    merchant: NicepayMerchant, sandbox: Sandbox, second: str, approvals: int
) -> None:
    _switch(sandbox, late_takes_number=False)
    sandbox.nicepay.register(NicepayCard("bk1", script=("late", second)))
    merchant.charge()
    assert merchant.charge().json()["status"] == ("paid" if second == "approve" else "failed")
    _after(sandbox, 11)
    assert len(sandbox.nicepay.approvals()) == approvals
    assert merchant.inquire().json()["status"] == "paid"


def test_an_inquiry_can_be_held_to_the_day_of_the_order(merchant: NicepayMerchant, sandbox: Sandbox) -> None:
    _switch(sandbox, order_date_counts=True)
    merchant.charge()
    assert code(merchant.inquire(day="20261201")) == (200, "0000")
    assert code(merchant.inquire(day="20261202")) == (200, "U107")


def test_two_at_once_never_charge_one_order_twice(sandbox: Sandbox) -> None:
    def charge() -> None:
        with NicepayMerchant(sandbox.nicepay.url) as one:
            one.charge()

    threads = [threading.Thread(target=charge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sandbox.nicepay.approvals()) == 1
