"""Every way in which Allat can be made to fail, and what became of the money."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from lib.sandbox.allat import Allat
from lib.sandbox.faults import Fault
from tests.sandbox.allat import Shop, running
from tests.sandbox.talking import eventually


@pytest.fixture
def both() -> Iterator[tuple[Allat, Shop]]:
    with running() as (pg, shop, _):
        yield pg, shop


@pytest.mark.parametrize("processed", [False, True])
def test_a_dropped_charge_has_or_has_not_taken_effect(both: tuple[Allat, Shop], *, processed: bool) -> None:
    pg, shop = both
    pg.faults.add(Fault("drop", "charge", processed=processed, times=1))
    with pytest.raises(http.client.RemoteDisconnected):
        shop.charge()
    assert len(pg.approvals()) == int(processed)
    assert shop.charge().code == ("0431" if processed else "0000")
    assert len(pg.approvals()) == 1


@pytest.mark.parametrize("processed", [False, True])
def test_a_dropped_cancel_has_or_has_not_given_the_money_back(
    both: tuple[Allat, Shop], *, processed: bool
) -> None:
    pg, shop = both
    shop.charge()
    pg.faults.add(Fault("drop", "cancel", subject="J1AAA01", processed=processed))
    with pytest.raises(http.client.RemoteDisconnected):
        shop.cancel()
    assert pg.approvals()[0].cancelled_amount == (19_800 if processed else 0)


def test_a_lost_deletion_has_still_deleted_the_key(both: tuple[Allat, Shop]) -> None:
    pg, shop = both
    pg.faults.add(Fault("drop", "forget", subject="FIXKEY1", processed=True))
    with pytest.raises(http.client.RemoteDisconnected):
        shop.forget()
    assert shop.charge().code == "Z302"


def test_a_connection_can_break_off_before_anything_is_read(both: tuple[Allat, Shop]) -> None:
    pg, shop = both
    pg.faults.add(Fault("drop", "accept", times=1))
    with pytest.raises(ConnectionError):
        shop.charge()
    assert len(pg.book) == 0


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault("html", "charge", processed=True, status=200), 200, ""),
        (Fault("empty", "charge", processed=True), 200, ""),
        (Fault("error", "charge", processed=True), 500, ""),
        (Fault("error", "charge", processed=True, status=200, code="0299"), 200, "0299"),
    ],
    ids=["html", "empty", "500", "0299"],
)
def test_a_charge_can_be_made_and_not_told(
    both: tuple[Allat, Shop], fault: Fault, status: int, code: str
) -> None:
    pg, shop = both
    pg.faults.add(fault)
    told = shop.charge()
    assert (told.status, told.code, len(pg.approvals())) == (status, code, 1)


@pytest.mark.parametrize("kind", ["error", "html", "empty", "drop"])
def test_a_fault_before_the_charge_leaves_the_order_number_free(both: tuple[Allat, Shop], kind: str) -> None:
    pg, shop = both
    pg.faults.add(Fault(kind, "charge", times=1))  # type: ignore[arg-type] # one of the kinds
    try:
        shop.charge()
    except http.client.RemoteDisconnected:
        assert kind == "drop"
    assert (pg.approvals(), pg.calls()[0].outcome) == ([], "not_processed")
    assert shop.charge().code == "0000"


@pytest.mark.parametrize(
    ("name", "value"), [("amt", "1"), ("order_no", "J1ZZZ99"), ("reply_cd", "0001"), ("reply_msg", "성공")]
)
def test_any_line_of_the_reply_can_be_wrong(both: tuple[Allat, Shop], name: str, value: str) -> None:
    pg, shop = both
    pg.faults.add(Fault("alter", "charge", fields={name: value}))
    assert shop.charge().lines[name] == value
    assert [(one.order_no, one.amount) for one in pg.approvals()] == [("J1AAA01", 19_800)]


def test_a_reply_can_be_cut_in_half(both: tuple[Allat, Shop]) -> None:
    pg, shop = both
    whole = shop.charge().body
    pg.faults.add(Fault("truncated", "charge"))
    assert len(shop.charge(order_no="J1AAA02").body) < 0.6 * len(whole)
    assert len(pg.approvals()) == 2


@pytest.mark.parametrize(
    "fault", [Fault("reset", "charge"), Fault("drip", "charge", seconds=0.0001)], ids=["reset", "drip"]
)
def test_a_reply_can_break_off_or_drip(both: tuple[Allat, Shop], fault: Fault) -> None:
    pg, shop = both
    pg.faults.add(fault)
    try:
        assert shop.charge().code == "0000"
    except (OSError, http.client.HTTPException):
        assert fault.kind == "reset"
    assert len(pg.approvals()) == 1


def test_a_charge_can_happen_after_the_client_has_given_up(both: tuple[Allat, Shop]) -> None:
    pg, shop = both
    pg.faults.add(Fault("delay", "charge", seconds=0.3))
    thread = threading.Thread(target=shop.charge)
    thread.start()
    assert shop.cancel().code == "Z401"
    assert eventually(lambda: len(pg.approvals()) == 1)
    thread.join()


def test_two_at_once_never_charge_one_order_twice(both: tuple[Allat, Shop]) -> None:
    pg, shop = both
    threads = [threading.Thread(target=shop.charge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pg.approvals()) == 1
    assert sorted(call.outcome for call in pg.calls()) == ["0431"] * 7 + ["approved"]


def test_the_vendors_own_http_1_0_is_understood(both: tuple[Allat, Shop]) -> None:
    pg, _ = both
    request = (
        "POST /servlet/AllatPay/pay/approval.jsp HTTP/1.0\r\nHost: tx.allatpay.com:443\r\n"
        "Content-type: application/x-www-form-urlencoded\r\nContent-length: 3\r\nAccept: */*\r\n\r\na=b"
    )
    with socket.create_connection(("127.0.0.1", pg.port), timeout=5) as conn:
        conn.sendall(request.encode())
        said = b"".join(iter(lambda: conn.recv(4096), b""))
    assert b"reply_cd=Z201" in said
