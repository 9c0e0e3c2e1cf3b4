"""Driving the simulators from another process, and what is left when that process is gone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from lib.sandbox import AllatCard, Card, Fault, NicepayCard, Sandbox
from lib.sandbox.book import read_book
from lib.sandbox.client import SandboxClient
from tests.sandbox.talking import Merchant, Texter, code, postman, sms

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def client(sandbox: Sandbox) -> SandboxClient:
    return SandboxClient(sandbox.control.url)


@contextmanager
def _process(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    command = [sys.executable, "-m", "lib.sandbox", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()


def test_the_books_can_be_read(sandbox: Sandbox, merchant: Merchant, client: SandboxClient) -> None:
    merchant.charge()
    assert [row["entry"] for row in client.book("toss")] == ["TossApproved", "TossCall"]
    approval = client.approvals()[0]
    assert (approval["order_no"], approval["amount"], approval["billing_key"]) == ("J1AAA01", 19_800, "bk1")
    texter = Texter(sandbox.solapi.url)
    group_id = texter.create()
    texter.add(group_id, sms(to="01000000001"))
    texter.send(group_id)
    assert [row["to"] for row in client.released()] == ["01000000001"]
    raw = "From: a@b.kr\r\n\r\n안녕\r\n".encode()
    with postman(sandbox.smtp.port) as mail:
        mail.hello().envelope("kim@example.com", options=" BODY=8BITMIME")
        mail.text(raw)
    assert client.mails()[0]["recipients"] == ["kim@example.com"]
    assert client.mails()[0]["raw"].encode("latin-1") == raw


def test_faults_are_switched_on_and_off(merchant: Merchant, client: SandboxClient, sandbox: Sandbox) -> None:
    client.add_faults("toss", Fault("error", "charge", status=429, code="BUSY"), latency_s=0.01)
    assert code(merchant.charge()) == (429, "BUSY")
    assert sandbox.toss.faults.latency_s == 0.01
    client.add_faults("toss")
    assert sandbox.toss.faults.latency_s == 0.01
    client.clear_faults("toss")
    assert merchant.charge().status_code == 200
    assert sandbox.toss.faults.latency_s == 0


def test_cards_are_registered(merchant: Merchant, client: SandboxClient) -> None:
    client.register(Card("bk1", customer_key="member-7", script=("REJECT_CARD_PAYMENT",)))
    assert code(merchant.charge()) == (403, "REJECT_CARD_PAYMENT")


@pytest.mark.parametrize(
    ("name", "card", "switch"),
    [
        ("nicepay", NicepayCard("bk1", script=("3095",)), {"inquiry_lag_s": 5.0}),
        ("allat", AllatCard("bk1", script=("Z305",)), {"cancel_lag_s": 5.0}),
    ],
)
def test_every_gateway_is_driven_by_its_name(
    client: SandboxClient,
    sandbox: Sandbox,
    name: Literal["nicepay", "allat"],
    card: NicepayCard | AllatCard,
    switch: dict[str, object],
) -> None:
    client.register(card, service=name)
    client.switch(name, **switch)
    client.add_faults(name, Fault("error", "charge"))
    simulator = sandbox.pgs[name]
    assert vars(simulator.switches).items() >= switch.items()
    assert simulator.faults.take("charge", "").name == "error"
    client.clear_faults(name)
    assert client.approvals(name) == client.book(name) == []


def test_switches_are_changed(client: SandboxClient, sandbox: Sandbox) -> None:
    client.switch("toss", accept_unknown_keys=False)
    client.switch("solapi", senders=["0215880000"], daily_quota=3)
    client.switch("smtp", user="shop", password="good")
    assert sandbox.toss.switches.accept_unknown_keys is False
    assert (sandbox.solapi.switches.senders, sandbox.solapi.switches.daily_quota) == (("0215880000",), 3)
    assert sandbox.smtp.switches.user == "shop"


def test_the_clock_is_set_and_reset(client: SandboxClient, sandbox: Sandbox) -> None:
    client.set_clock(datetime(2026, 12, 1, tzinfo=UTC))
    assert sandbox.clock.now() - datetime(2026, 12, 1, tzinfo=UTC) < timedelta(seconds=10)
    client.reset()
    assert abs(sandbox.clock.now() - datetime.now(UTC)) < timedelta(seconds=10)


def test_a_reset_empties_every_simulator(merchant: Merchant, client: SandboxClient) -> None:
    merchant.charge()
    client.reset()
    assert client.book("toss") == client.approvals() == client.released() == client.mails() == []


@pytest.mark.parametrize(
    ("call", "argument", "complaint"),
    [
        ("book", "bank", "bank"),
        ("switch", "toss", "unknown_switch"),
        ("clear_faults", "bank", "bank"),
    ],
)
def test_wrong_use_is_told(client: SandboxClient, call: str, argument: str, complaint: str) -> None:
    values = {"unknown_switch": 1} if call == "switch" else {}
    with pytest.raises(ValueError, match=complaint):
        getattr(client, call)(argument, **values)


def test_the_state_folder_keeps_the_books(tmp_path: Path) -> None:
    for _ in range(2):
        with Sandbox(state=tmp_path) as sandbox, Merchant(sandbox.toss.url) as merchant:
            merchant.charge()
    entries = [row["entry"] for row in read_book(tmp_path / "toss.jsonl")]
    assert entries == ["Reset", "TossApproved", "TossCall"] * 2


def test_a_killed_process_leaves_its_book_behind(tmp_path: Path) -> None:
    with _process("--state", str(tmp_path)) as (process, urls):
        with Merchant(urls["toss"]) as merchant:
            merchant.charge()
        process.kill()
        process.wait(5)
    approved = [row for row in read_book(tmp_path / "toss.jsonl") if row["entry"] == "TossApproved"]
    assert [row["order_no"] for row in approved] == ["J1AAA01"]


def test_the_process_tells_its_addresses_and_ends_on_sigterm(tmp_path: Path) -> None:
    with _process("--mail-dir", str(tmp_path / "mails"), "--sender", "0215880000") as (process, urls):
        assert urls["smtp"].startswith("smtp://127.0.0.1:")
        SandboxClient(urls["control"]).set_clock(datetime(2026, 12, 1, tzinfo=UTC))
        assert Texter(urls["solapi"]).call("GET", "/senderid/v1/numbers/active").json() == ["0215880000"]
        process.terminate()
        assert process.wait(5) == 0
    assert (tmp_path / "mails").is_dir()


def test_the_process_can_end_with_whoever_started_it() -> None:
    with _process("--until-eof") as (process, _):
        assert process.stdin
        process.stdin.close()
        assert process.wait(5) == 0
