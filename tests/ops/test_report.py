"""`ops report`: what a person must look at, with what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lib.billing import words
from lib.clock import Clock
from lib.matters import Matters
from lib.report.matters import ADVICE, open_matters
from tests.jobs.charging import matters
from tests.ops.desk import in_doubt, ops, order_no, refused_row, rows, text
from tests.rig import Rig

AT = datetime(2026, 12, 2, tzinfo=UTC)


def _open(rig: Rig, kind: str, subject: str) -> int:
    rig.store().transaction(lambda tx: Matters(1).open(tx, subject, kind, "확인할 내용", AT))
    found = rig.ours("SELECT matter_id FROM matter ORDER BY matter_id DESC")
    number: int = found[0]["matter_id"]
    return number


def _commands(rig: Rig) -> list[str]:
    clock = Clock(AT, rig.settings().shop.timezone)
    return [row["command"] for section in open_matters(rig.store(), clock) for row in section.rows]


def test_there_is_advice_for_every_kind_that_the_jobs_open() -> None:
    assert ADVICE.keys() == words.MATTER.keys()


@pytest.mark.parametrize(
    ("kind", "subject", "command"),
    [
        ("held", "round 7", "jeonggi show 7"),
        ("blocked", "S-20261101-0000001", "jeonggi show S-20261101-0000001"),
        ("blocked", "tosspayments", "jeonggi service"),
        ("in_doubt", "round 7", "jeonggi report --doubts"),
        ("no_credit", "sms", "jeonggi service"),
        ("bad_row", "S-20261101-0000001", "jeonggi show S-20261101-0000001"),
        ("bad_row", "round 7", "jeonggi show 7"),
        ("template", "template payment_notice", "jeonggi preview payment_notice"),
        ("reset_waits", "allat", "reset-pg --pg allat --confirm 쇼핑몰이름"),
    ],
)
def test_each_matter_names_its_command(any_rig: Rig, kind: str, subject: str, command: str) -> None:
    _open(any_rig, kind, subject)
    assert _commands(any_rig) == [command]


def test_a_kind_that_nobody_described_is_shown_all_the_same(sqlite_rig: Rig) -> None:
    number = _open(sqlite_rig, "new_kind", "something {odd}")
    assert _commands(sqlite_rig) == [f"jeonggi report --close {number}"]


def test_closed_matters_are_not_shown(sqlite_rig: Rig) -> None:
    _open(sqlite_rig, "missed", "round 1")
    sqlite_rig.ours("UPDATE matter SET closed_at = '2026-12-02'")
    assert _commands(sqlite_rig) == []


def test_a_person_closes_what_no_job_finds_out(sqlite_rig: Rig) -> None:
    sqlite_rig.config()
    number = _open(sqlite_rig, "missed", "round 1")
    ops(sqlite_rig, "report", "--close", str(number))
    assert matters(sqlite_rig) == []


def test_what_closes_by_itself_is_not_closed_by_hand(sqlite_rig: Rig) -> None:
    sqlite_rig.config()
    number = _open(sqlite_rig, "held", "round 1")
    ops(sqlite_rig, "report", "--close", str(number), check=2)
    assert matters(sqlite_rig) == ["held"]


def test_a_doubt_tells_where_to_look_and_both_ways_out(rig: Rig) -> None:
    in_doubt(rig, processed=False)
    (row,) = rows(rig, "report", "--doubts", section="attempts")
    assert "토스페이먼츠 상점관리자" in row["remedy"]
    assert [way["command"] for way in row["ways"]] == [
        f"jeonggi settle {order_no(rig)} --approved --tid 거래번호 --by 이름 --evidence 근거",
        f"jeonggi settle {order_no(rig)} --not-charged --by 이름 --evidence 근거",
        "",
    ]


def test_a_held_round_tells_its_reason_and_its_ways_out(rig: Rig) -> None:
    refused_row(rig)
    (row,) = rows(rig, "report", "--doubts", section="rounds")
    assert "INVALID_ORDER_NAME" in row["state_reason"]
    assert [way["command"].split()[3] for way in row["ways"]] == ["--due", "--failed", "--void"]


def test_what_a_person_reads_is_cut_nowhere(sqlite_rig: Rig) -> None:
    sqlite_rig.config()
    detail = "가" * 240
    sqlite_rig.store().transaction(lambda tx: Matters(1).open(tx, "S-1", "bad_row", detail, AT))
    assert detail in text(sqlite_rig, "report")
