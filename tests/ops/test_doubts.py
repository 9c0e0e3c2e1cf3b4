"""`ops report --doubts`: every command that it prints is taken, and does what stands beside it."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from itertools import chain
from typing import cast

import pytest

from lib.report.ways import PGS, Way, of_attempt, of_message, of_round
from lib.sandbox import Fault
from lib.store import Row
from tests.jobs.charging import DELIVERY, NOTICE_AT, announced, charge, state
from tests.ops.desk import DOUBT_AT, in_doubt, ops, order_no, refused_row, rows, settle, text
from tests.rig import Rig
from tests.shopkeeper import open_shop, sms_switch, subscription

SCREEN = 80
TODAY = date(2026, 12, 3)


def _order_by_hand(rig: Rig) -> None:
    rig.put(
        "orders",
        order_id="BY-HAND",
        subscription_id="S-1",
        delivery_date=DELIVERY,
        sequence=1,
        member_id="haneul",
        buyer_name="김하늘",
        receiver_name="박바다",
        receiver_zipcode="06236",
        receiver_address1="서울",
        receiver_cellphone="010-2000-5678",
        items_amount=12_900,
        discount_amount=0,
        shipping_fee=0,
        payment_amount=12_900,
        pg_code="tosspayments",
        paid_at="2026-12-02 10:00:00",
    )


def _doubtful(rig: Rig) -> None:
    in_doubt(rig, processed=False)


def _refused(rig: Rig) -> None:
    refused_row(rig)


def _never_announced(rig: Rig) -> None:
    refused_row(rig)
    rig.ours("UPDATE billing_round SET announced_on = NULL")
    rig.ours("DELETE FROM payment_attempt")


def _paid_beside_an_order(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=True))
    charge(rig)
    _order_by_hand(rig)
    rig.sandbox.toss.faults.clear()
    charge(rig, "2026-12-02T10:30", check=1)


def _given_back(rig: Rig) -> None:
    _paid_beside_an_order(rig)
    settle(rig, order_no(rig), "--cancelled")


def _of_another_amount(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("alter", "charge", fields={"totalAmount": 99}))
    charge(rig, check=1)


CASES: dict[str, tuple[Callable[[Rig], None], str, dict[str, str]]] = {
    "in doubt": (_doubtful, "attempts", {"--approved": "paid", "--not-charged": "due"}),
    "refused": (_refused, "rounds", {"--due": "due", "--failed": "failed", "--void": "void"}),
    "never announced": (_never_announced, "rounds", {"--failed": "failed", "--void": "void"}),
    "paid, and ordered elsewhere": (
        _paid_beside_an_order,
        "rounds",
        {"--paid": "paid", "--paid --order": "paid", "--cancelled": "held"},
    ),
    "given back": (_given_back, "rounds", {"--paid --order": "paid", "--failed": "failed", "--void": "void"}),
    "another amount": (_of_another_amount, "rounds", {"--cancelled": "held"}),
}
WAYS = [(name, verb) for name, (_, _, ways) in CASES.items() for verb in ways]


def _verb(way: Mapping[str, str]) -> str:
    words = way["command"].split()
    return " ".join(
        each for each in words if each.startswith("--") and each not in {"--tid", "--by", "--evidence"}
    )


def _filled_in(command: str) -> list[str]:
    """Do what the reader does: put in what was found."""
    found = {"거래번호": "T-1", "주문번호": "BY-HAND", "이름": "김운영", "근거": "상점관리자에서 확인"}
    return [found.get(each, each) for each in shlex.split(command)[1:]]


@pytest.mark.parametrize(("name", "verb"), WAYS, ids=[f"{name} {verb}" for name, verb in WAYS])
def test_every_command_that_is_printed_is_taken_and_ends_as_it_says(rig: Rig, name: str, verb: str) -> None:
    begin, section, ends = CASES[name]
    begin(rig)
    (row,) = rows(rig, "report", "--doubts", section=section)
    commands = {_verb(way): way["command"] for way in row["ways"] if way["command"]}
    assert commands.keys() == ends.keys()
    if "--order" in verb and not rig.shop("SELECT * FROM orders"):
        _order_by_hand(rig)
    ops(rig, *_filled_in(commands[verb]), "--as-of", DOUBT_AT)
    assert state(rig) == ends[verb]
    if verb == "--paid" and name == "paid, and ordered elsewhere":
        rig.shop("DELETE FROM orders")


def test_a_held_round_with_a_doubt_sends_its_reader_to_the_attempt_first(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    rig.ours("UPDATE billing_round SET state = 'held'")
    (row,) = rows(rig, "report", "--doubts", section="rounds")
    (way,) = row["ways"]
    assert (way["command"], order_no(rig) in way["when"]) == ("", True)
    (attempt,) = rows(rig, "report", "--doubts", section="attempts")
    assert all("보류" in each["then"] for each in attempt["ways"][:2])


@pytest.fixture
def unknown_notice(rig: Rig) -> Rig:
    """A notice whose mail may have left."""
    open_shop(rig)
    sms_switch(rig, customer="F")
    subscription(rig, "S-1", delivery_on=DELIVERY)
    rig.sandbox.smtp.faults.add(Fault("drop", "dot", subject="haneul@"))
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    rig.sandbox.smtp.faults.clear()
    return rig


@pytest.mark.parametrize("resend", [True, False])
def test_a_mail_that_is_sent_again_anyway_may_be_left_alone(unknown_notice: Rig, *, resend: bool) -> None:
    unknown_notice.config(policy={"resend_unknown_mail": resend})
    (row,) = rows(unknown_notice, "report", "--doubts", section="messages")
    verbs = ["", "--message --accepted", "--message --refused"]
    assert [_verb(way) for way in row["ways"]] == verbs[0 if resend else 1 :]


@pytest.mark.parametrize(("verb", "ends"), [("--accepted", "due"), ("--refused", "held")])
def test_the_commands_about_a_message_are_taken(unknown_notice: Rig, verb: str, ends: str) -> None:
    rig = unknown_notice
    (row,) = rows(rig, "report", "--doubts", section="messages")
    (command,) = (way["command"] for way in row["ways"] if verb in way["command"])
    ops(rig, *_filled_in(command), "--as-of", "2026-12-01T10:00", check=verb == "--refused")
    assert state(rig) == ends


def _row(usual: Mapping[str, object], **columns: object) -> Row:
    return cast("Row", {**usual, **columns})


ATTEMPT = {"order_no": "J1X01", "pg_code": "tosspayments", "amount_krw": 12_900, "round_state": "in_doubt"}
ROUND = {
    "round_id": 7,
    "amount_krw": 12_900,
    "announced_on": TODAY,
    "charge_until": TODAY,
    "is_released": 0,
}
MESSAGE = {"message_id": 1, "kind": "payment_notice", "recipient": "customer"}
MONEY = {"order_no": "J1X01", "tid": "t", "kind": "approve", "amount_krw": 12_900}
TRIED = {"order_no": "J1X01", "state": "not_charged"}


@pytest.mark.parametrize("pg_code", [*PGS, "kcp"])
def test_each_gateway_has_its_own_words_for_an_approval(pg_code: str) -> None:
    first = of_attempt(_row(ATTEMPT, pg_code=pg_code), TODAY, TODAY)[0]
    at = PGS.get(pg_code)
    assert at is None or (at.approved in first.when and at.tid in first.when)
    assert "12,900원" in first.when
    assert ("--tid J1X01" in first.command) == (pg_code == "allat")


@pytest.mark.parametrize(
    ("until", "said"),
    [(TODAY, "2026-12-03까지"), (date(2026, 12, 2), "결제기한이 지나"), (None, "결제기한이 지나")],
)
def test_until_when_it_is_charged_again_is_told(until: date | None, said: str) -> None:
    ways = of_attempt(_row(ATTEMPT), TODAY, until)
    assert said in ways[1].then


LEDGERS: tuple[list[Row], ...] = (
    [],
    [_row(MONEY)],
    [_row(MONEY), _row(MONEY, tid="u")],
    [_row(MONEY), _row(MONEY, kind="cancel")],
)


def _all_ways() -> list[Way]:
    held = [of_attempt(_row(ATTEMPT, pg_code=pg, round_state="held"), TODAY, TODAY) for pg in PGS]
    messages = [
        of_message(_row(MESSAGE, recipient=who), is_sent_again=True) for who in ("customer", "operator")
    ]
    rounds = [of_round(_row(ROUND), [_row(TRIED)], ledger) for ledger in LEDGERS]
    waits = of_round(_row(ROUND), [_row(TRIED, state="unknown")], [])
    return [*chain(*held, *messages, *rounds), *of_attempt(_row(ATTEMPT), TODAY, None), *waits]


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line)


def test_what_is_read_fits_a_screen_of_eighty_columns_and_a_command_is_one_line() -> None:
    for way in _all_ways():
        *sentences, last = [line for line in way.lines() if line.strip() != way.command]
        assert [line for line in (*sentences, last) if _width(line) > SCREEN] == []
        assert not way.command or f"  {way.command}" in way.lines()


def test_a_command_is_never_folded(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    said = text(rig, "report", "--doubts")
    (row,) = rows(rig, "report", "--doubts", section="attempts")
    assert all(f"  {way['command']}\n" in said for way in row["ways"] if way["command"])
