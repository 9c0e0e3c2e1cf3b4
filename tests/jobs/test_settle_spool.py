"""charge_d1: an approval is on this host's disk before the database is told of it."""

from __future__ import annotations

import fcntl
import json
import time
from datetime import date
from pathlib import Path

from lib.sandbox import Card, Fault
from tests.jobs.charging import MAIN, SOFT, announced, attempts, charge, charges, matters, state
from tests.rig import Rig
from tests.shopkeeper import subscription

LATER = "2026-12-02T10:05"


def _spooled(rig: Rig) -> str:
    """Leave an approval that only the gateway knows; returns the line a run would have spooled."""
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=True, times=1))
    charge(rig)
    (made,) = rig.sandbox.toss.approvals()
    fields = {
        "tid": made.payment_key,
        "order_no": made.order_no,
        "amount_krw": made.amount,
        "approval_no": "1",
    }
    return json.dumps({"pg_code": "tosspayments", **fields, "kind": "approve", "seq": 0}) + "\n"


def _leave(rig: Rig, text: str) -> Path:
    path = rig.folder / "spool" / "approvals-left.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def _source(rig: Rig) -> list[str]:
    return [row["source"] for row in rig.ours("SELECT source FROM payment")]


def test_what_an_ended_run_left_in_the_spool_is_told_to_the_database(rig: Rig) -> None:
    path = _leave(rig, _spooled(rig))
    charge(rig, LATER)
    assert (state(rig), attempts(rig), _source(rig)) == ("paid", ["approved"], ["spool"])
    assert (charges(rig), path.exists()) == (1, False)


def test_the_same_file_once_more_changes_nothing(rig: Rig) -> None:
    text = _spooled(rig)
    _leave(rig, text)
    charge(rig, LATER)
    before = rig.checksums()
    _leave(rig, text * 2)
    charge(rig, LATER)
    assert rig.checksums() == before


def test_a_torn_last_line_is_told_and_its_attempt_settled_by_asking(rig: Rig) -> None:
    path = _leave(rig, _spooled(rig)[:40])
    charge(rig, LATER, check=1)
    assert (state(rig), _source(rig), matters(rig)) == ("paid", ["replay"], ["spool"])
    assert not path.exists()


def test_a_line_that_the_database_cannot_take_stays_and_the_run_goes_on(rig: Rig) -> None:
    path = _leave(rig, _spooled(rig).replace('"approve"', '"gift"'))
    charge(rig, LATER, check=1)
    assert (state(rig), matters(rig), path.exists()) == ("paid", ["spool"], True)
    charge(rig, "2026-12-02T10:10")


def test_an_approval_of_no_order_of_ours_is_recorded_and_told(rig: Rig) -> None:
    line = _spooled(rig)
    rig.broken_on_purpose = {"approval_invented"}
    _leave(rig, line + line.replace('"tid": "', '"tid": "x').replace('"order_no": "J', '"order_no": "Z'))
    charge(rig, LATER, check=1)
    assert (state(rig), matters(rig), _source(rig)) == ("paid", ["foreign_approval"], ["spool"] * 2)


def test_the_file_of_a_run_that_lives_is_left_alone(rig: Rig) -> None:
    path = _leave(rig, _spooled(rig))
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        charge(rig, LATER)
        assert path.exists()
    assert _source(rig) == ["replay"]


def test_a_spool_that_cannot_be_written_charges_nothing(rig: Rig) -> None:
    announced(rig)
    (rig.folder / "file").write_text("")
    rig.config(paths={"spool": str(rig.folder / "file" / "spool")})
    ended = charge(rig, check=78)
    assert (state(rig), charges(rig)) == ("due", 0)
    assert "paths.spool" in ended.stderr


def test_a_run_that_told_everything_leaves_nothing_to_be_read_in(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    assert [path.name.partition("-")[0] for path in (rig.folder / "spool").iterdir()] == ["told"]


def test_a_run_that_approved_nothing_leaves_no_file(rig: Rig) -> None:
    announced(rig, SOFT)
    charge(rig)
    assert list((rig.folder / "spool").iterdir()) == []


def test_the_late_approval_of_a_voided_round_is_recorded_and_held(rig: Rig) -> None:
    line = _spooled(rig)
    rig.ours("UPDATE payment_attempt SET state = 'not_charged', closed_at = sent_at")
    rig.ours("UPDATE billing_round SET state = 'void'")
    _leave(rig, line)
    charge(rig, LATER, check=1)
    assert (state(rig), _source(rig), matters(rig)) == ("held", ["spool"], ["held"])


def test_a_second_approval_for_the_same_round_holds_it(rig: Rig) -> None:
    line = _spooled(rig)
    charge(rig, LATER)
    rig.broken_on_purpose = {"approval_invented"}
    _leave(rig, line.replace('"tid": "', '"tid": "x'))
    charge(rig, "2026-12-02T10:10", check=1)
    assert (state(rig), len(_source(rig))) == ("held", 2)


def test_a_decline_that_comes_after_late_evidence_leaves_the_round_paid(rig: Rig) -> None:
    rig.config(policy={"retry_days": 1, "retry_times": ["10:00"]})
    line = _spooled(rig)
    rig.sandbox.toss.register(Card(MAIN, script=(SOFT,)))
    rig.sandbox.toss.faults.add(Fault("delay", "charge", seconds=4))
    rig.ours("UPDATE payment_attempt SET state = 'not_charged', closed_at = sent_at")
    rig.ours("UPDATE billing_round SET state = 'due'")
    second = rig.start("charge_d1", "--as-of", LATER)
    while len(attempts(rig)) < 2:
        time.sleep(0.01)
    _leave(rig, line)
    charge(rig, "2026-12-02T10:06")
    assert state(rig) == "paid"
    rig.finish(second)
    assert (state(rig), attempts(rig)) == ("paid", ["not_charged", "declined"])


def test_a_file_that_cannot_be_set_aside_keeps_nobody_from_being_told(rig: Rig) -> None:
    path = _leave(rig, _spooled(rig))
    schema = rig.settings().database.shop_schema
    (path.parent / f"told-{schema}-left.jsonl").mkdir()
    subscription(rig, "S-next", delivery_on=date(2026, 12, 4), member_id="next")
    ended = rig.run("notify_d2", "--as-of", LATER, check=78)
    assert "paths.spool" in ended.stderr
    assert (ended.counts["messages_accepted"], _source(rig), path.exists()) == (3, ["spool"], True)
