"""`ops settle`: from which state each word is taken, for every PG, and what is told where it is not."""

from __future__ import annotations

import pytest

from lib.billing import words
from tests.jobs.charging import announced, attempts, charge, matters, state, the_round
from tests.ops.desk import WORD, in_doubt, ops, order_no, refused_row, settle
from tests.rig import Rig

AT = "2026-12-02T11:00"
PGS = ("tosspayments", "nicepay", "allat")
OF_ATTEMPTS = {"--approved": ("--tid", "T-1"), "--not-charged": (), "--cancelled": ()}
OF_ROUNDS = ("--paid", "--due", "--failed", "--void")


def _through(rig: Rig, pg_code: str) -> None:
    """Let the doubt be about a charge of another PG."""
    rig.ours("UPDATE payment_attempt SET pg_code = :pg_code", pg_code=pg_code)
    rig.ours("UPDATE billing_round SET pg_code = :pg_code", pg_code=pg_code)
    rig.shop("UPDATE card SET pg_code = :pg_code", pg_code=pg_code)


@pytest.mark.parametrize("pg_code", PGS)
def test_an_approval_that_a_person_saw_is_of_the_gateway_that_was_asked(rig: Rig, pg_code: str) -> None:
    in_doubt(rig, processed=False)
    _through(rig, pg_code)
    settle(rig, order_no(rig), "--approved", "--tid", "T-1")
    assert (state(rig), attempts(rig), matters(rig)) == ("paid", ["approved"], [])
    assert rig.ours("SELECT pg_code, tid, source, amount_krw FROM payment") == [
        {"pg_code": pg_code, "tid": "T-1", "source": "operator", "amount_krw": 12_900}
    ]
    charge(rig, "2026-12-03T17:00")
    assert rig.shop("SELECT pg_code, pg_tid FROM orders") == [{"pg_code": pg_code, "pg_tid": "T-1"}]


@pytest.mark.parametrize("pg_code", PGS)
def test_a_charge_that_no_gateway_has_is_due_again_whichever_it_was(rig: Rig, pg_code: str) -> None:
    in_doubt(rig, processed=False)
    _through(rig, pg_code)
    settle(rig, order_no(rig), "--not-charged")
    assert (state(rig), attempts(rig), rig.ours("SELECT * FROM payment")) == ("due", ["not_charged"], [])


@pytest.mark.parametrize("verb", OF_ROUNDS)
def test_a_round_in_doubt_is_not_closed_over_the_head_of_its_attempt(rig: Rig, verb: str) -> None:
    in_doubt(rig, processed=False)
    before = rig.checksums()
    said = settle(rig, str(the_round(rig)["round_id"]), verb, check=2).stderr
    assert (rig.checksums(), words.ROUND["in_doubt"] in said) == (before, True)


@pytest.mark.parametrize("verb", OF_ROUNDS)
def test_a_held_round_with_a_doubt_says_what_comes_first(rig: Rig, verb: str) -> None:
    in_doubt(rig, processed=False)
    rig.ours("UPDATE billing_round SET state = 'held'")
    said = settle(rig, str(the_round(rig)["round_id"]), verb, check=2).stderr
    assert ("--approved" in said, "--not-charged" in said, state(rig)) == (True, True, "held")


def test_a_held_round_with_a_doubt_stays_held_when_the_doubt_is_over(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    rig.ours("UPDATE billing_round SET state = 'held'")
    settle(rig, order_no(rig), "--not-charged")
    assert (state(rig), attempts(rig)) == ("held", ["not_charged"])
    settle(rig, str(the_round(rig)["round_id"]), "--void")
    assert state(rig) == "void"


def test_a_charge_given_back_at_the_gateway_while_in_doubt_is_told_the_right_word(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    said = settle(rig, order_no(rig), "--cancelled", check=2).stderr
    assert ("--not-charged" in said, state(rig)) == (True, "in_doubt")


@pytest.mark.parametrize("verb", OF_ATTEMPTS)
@pytest.mark.parametrize("now", ["declined", "not_sent", "not_charged", "unknown", "sending"])
def test_an_attempt_that_is_not_in_doubt_takes_no_word_and_says_how_it_stands(
    rig: Rig, now: str, verb: str
) -> None:
    refused_row(rig)
    is_open = now in {"unknown", "sending"}
    rig.ours("UPDATE payment_attempt SET state = :now", now=now)
    before = rig.checksums()
    said = settle(rig, order_no(rig), verb, *OF_ATTEMPTS[verb], at=AT, check=2).stderr
    assert rig.checksums() == before
    assert verb == "--cancelled" or f"{order_no(rig)} {words.ATTEMPT[now]}" in said
    assert is_open or "없" in said


@pytest.mark.parametrize("verb", OF_ROUNDS)
@pytest.mark.parametrize("now", [each for each in words.ROUND if each not in {"held", "paid", "charging"}])
def test_a_round_that_is_not_held_takes_no_word_and_says_how_it_stands(rig: Rig, now: str, verb: str) -> None:
    announced(rig)
    rig.ours("UPDATE billing_round SET state = :now", now=now)
    before = rig.checksums()
    said = settle(rig, str(the_round(rig)["round_id"]), verb, at=AT, check=2).stderr
    assert (rig.checksums(), words.ROUND[now] in said) == (before, True)


WRONG = {
    "no word": ((), "하나만 고르세요"),
    "two words": (("--paid", "--void"), "하나만 고르세요"),
    "an approval without its number": (("--approved",), "--tid"),
    "a number in Korean": (("--approved", "--tid", "거래번호"), "--tid"),
    "a number in two parts": (("--approved", "--tid", "T 1"), "--tid"),
    "a number without end": (("--approved", "--tid", "x" * 201), "--tid"),
    "a number of nothing": (("--void", "--tid", "T-1"), "--tid"),
    "an order of nothing": (("--void", "--order", "O-1"), "--order"),
    "a word about messages": (("--accepted",), "--message"),
    "a message and an order": (("--accepted", "--message", "1"), "--message"),
}


@pytest.mark.parametrize(("arguments", "told"), WRONG.values(), ids=WRONG)
def test_wrong_usage_says_what_is_wrong_with_it(
    sqlite_rig: Rig, arguments: tuple[str, ...], told: str
) -> None:
    sqlite_rig.config()
    ended = ops(sqlite_rig, "settle", "J1", *arguments, *WORD, check=2)
    assert told in ended.stderr


@pytest.mark.parametrize("target", ["J1NOTHING01", "999999", "9" * 30, "", "²", "\udcff", "1 OR 1=1"])
def test_what_there_is_not_is_told_with_the_way_to_what_there_is(any_rig: Rig, target: str) -> None:
    any_rig.config()
    ended = ops(any_rig, "settle", target, "--void", *WORD, check=2)
    assert "jeonggi report --doubts" in ended.stderr


@pytest.mark.parametrize(
    ("by", "kept"), [("김운영\udcff", "김운영?"), ("김\n운영 ", "김 운영"), ("x" * 300, "x" * 100)]
)
def test_whatever_the_name_is_made_of_the_word_is_kept(rig: Rig, by: str, kept: str) -> None:
    in_doubt(rig, processed=False)
    settled = ("settle", order_no(rig), "--not-charged", "--by", by, "--evidence", "가" * 3_000)
    ops(rig, *settled, "--as-of", "2026-12-03T10:30")
    assert rig.ours("SELECT settled_by, evidence FROM payment_attempt") == [
        {"settled_by": kept, "evidence": "가" * 1_000}
    ]


@pytest.mark.parametrize("empty", [" ", "\u200b", "\n\t"])
def test_a_name_or_evidence_of_nothing_is_none(sqlite_rig: Rig, empty: str) -> None:
    sqlite_rig.config()
    for given in (("--by", empty, "--evidence", "x"), ("--by", "x", "--evidence", empty)):
        ops(sqlite_rig, "settle", "J1", "--not-charged", *given, check=2)
