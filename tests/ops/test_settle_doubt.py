"""`ops settle` on attempts in doubt: a person saw at the PG what no program could find out."""

from __future__ import annotations

import json

import pytest

from lib.sandbox.faults import Fault
from tests.jobs.charging import announced, attempts, charge, due_at, matters, state
from tests.ops.desk import WORD, approve, decided, in_doubt, ops, order_no, settle, tid
from tests.rig import Rig

PERSON = ("김운영", "상점관리자에서 확인")


def test_a_charge_that_the_gateway_has_is_paid_with_its_evidence(rig: Rig) -> None:
    in_doubt(rig, processed=True)
    approve(rig, order_no(rig))
    assert (state(rig), attempts(rig), matters(rig)) == ("paid", ["approved"], [])
    assert rig.ours("SELECT tid, kind, source, amount_krw FROM payment") == [
        {"tid": tid(rig), "kind": "approve", "source": "operator", "amount_krw": 12_900}
    ]
    assert decided(rig, "payment_attempt") == [PERSON]


def test_the_next_run_writes_the_order_of_a_charge_that_a_person_approved(rig: Rig) -> None:
    in_doubt(rig, processed=True)
    approve(rig, order_no(rig))
    charge(rig, "2026-12-03T17:00")
    assert rig.shop("SELECT order_id, payment_amount FROM orders") == [
        {"order_id": order_no(rig), "payment_amount": 12_900}
    ]


def test_the_number_of_the_round_names_its_doubtful_attempt(rig: Rig) -> None:
    in_doubt(rig, processed=True)
    round_id = rig.ours("SELECT round_id FROM billing_round")[0]["round_id"]
    approve(rig, str(round_id))
    assert state(rig) == "paid"


def test_a_charge_that_the_gateway_does_not_have_is_due_an_hour_later(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    settle(rig, order_no(rig), "--not-charged")
    assert (state(rig), attempts(rig), matters(rig)) == ("due", ["not_charged"], [])
    assert due_at(rig) == "2026-12-03T11:30"
    assert decided(rig, "payment_attempt") == [PERSON]


def test_what_was_not_charged_is_charged_under_a_new_order_number(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    settle(rig, order_no(rig), "--not-charged")
    charge(rig, "2026-12-03T17:00")
    assert (state(rig), attempts(rig)) == ("paid", ["not_charged", "approved"])
    assert len(rig.sandbox.toss.approvals()) == 1


def test_a_round_whose_days_are_over_is_missed_when_it_was_not_charged(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    settle(rig, order_no(rig), "--not-charged", at="2026-12-05T09:00", check=1)
    assert (state(rig), matters(rig)) == ("missed", ["missed"])


def test_a_round_whose_days_are_over_fails_when_it_was_declined_before(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    rig.ours("UPDATE payment_attempt SET attempt_no = 2")
    columns = "pg_code, order_name, amount_krw, card_id, request_digest, sent_at, sent_on, lease_until"
    rig.ours(
        f"INSERT INTO payment_attempt (round_id, attempt_no, order_no, state, decline, {columns})"
        f" SELECT round_id, 1, 'J1EARLIER', 'declined', 'soft', {columns} FROM payment_attempt"
    )
    number = rig.ours("SELECT order_no FROM payment_attempt WHERE state = 'in_doubt'")[0]["order_no"]
    settle(rig, number, "--not-charged", at="2026-12-05T09:00")
    assert (state(rig), matters(rig)) == ("failed", [])


def test_a_number_of_another_order_is_no_evidence(rig: Rig) -> None:
    in_doubt(rig, processed=True)
    rig.ours(
        "INSERT INTO payment (pg_code, tid, kind, seq, order_no, amount_krw, source, recorded_at)"
        " VALUES ('tosspayments', 'known', 'cancel', 0, 'ANOTHER', 100, 'inquiry', '2026-12-01')"
    )
    ended = settle(rig, order_no(rig), "--approved", "--tid", "known", check=2)
    assert (state(rig), attempts(rig)) == ("in_doubt", ["in_doubt"])
    assert "ANOTHER" in ended.stderr


def test_evidence_that_comes_after_a_person_said_so_is_known_already(rig: Rig) -> None:
    in_doubt(rig, processed=True)
    approve(rig, order_no(rig))
    left = {"tid": tid(rig), "order_no": order_no(rig), "amount_krw": 12_900, "approval_no": ""}
    spool = rig.folder / "spool" / "approvals-left.jsonl"
    spool.write_text(json.dumps({"pg_code": "tosspayments", **left}) + "\n", encoding="utf-8")
    charge(rig, "2026-12-03T17:00")
    assert (state(rig), len(rig.ours("SELECT * FROM payment"))) == ("paid", 1)


@pytest.mark.parametrize("verb", [("--approved", "--tid", "x"), ("--not-charged",)])
def test_settling_twice_changes_nothing_and_says_how_it_stands(rig: Rig, verb: tuple[str, ...]) -> None:
    in_doubt(rig, processed=False)
    settle(rig, order_no(rig), "--not-charged")
    before = rig.checksums()
    ended = settle(rig, order_no(rig), *verb, check=2)
    assert rig.checksums() == before
    assert f"{order_no(rig)} 결제안됨" in ended.stderr


def test_an_attempt_that_is_still_asked_after_is_not_settled_by_a_person(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "*"))
    charge(rig)
    settle(rig, order_no(rig), "--not-charged", at="2026-12-02T10:10", check=2)
    assert attempts(rig) == ["unknown"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("J1", *WORD),
        ("J1", "--approved", *WORD),
        ("J1", "--approved", "--not-charged", "--tid", "x", *WORD),
        ("J1", "--not-charged", "--by", "김운영"),
        ("J1", "--not-charged", "--by", " ", "--evidence", "x"),
        ("J1", "--accepted", *WORD),
        ("--message", "1", "--paid", *WORD),
        ("J1", "--void", "--order", "O-1", *WORD),
        ("J1", "--not-charged", *WORD),
        ("999", "--void", *WORD),
    ],
)
def test_a_word_that_is_not_whole_changes_nothing(sqlite_rig: Rig, arguments: tuple[str, ...]) -> None:
    sqlite_rig.config()
    before = sqlite_rig.checksums()
    ops(sqlite_rig, "settle", *arguments, check=2)
    assert sqlite_rig.checksums() == before
