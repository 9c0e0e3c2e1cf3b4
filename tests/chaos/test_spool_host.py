"""Two hosts on one database, or two runs in one folder: whoever settles, every approval counts once."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from lib.sandbox import Fault
from lib.spool import KEPT_SECONDS
from tests.jobs.charging import CHARGE_AT, announced, attempts, charge, charges, matters, state
from tests.jobs.crowd import book_equals_ledger, crowd, states
from tests.kill.wire import SECONDS, wired
from tests.ops.desk import settle
from tests.rig import Rig

pytestmark = pytest.mark.rule(9, 11, 14)

LATER, LATEST = "2026-12-02T10:05", "2026-12-02T10:10"
RECORD = b"INSERT INTO payment "
SIZE = 40


def _sources(rig: Rig) -> list[str]:
    return [row["source"] for row in rig.ours("SELECT source FROM payment")]


def _move_to(rig: Rig, host: str) -> Path:
    """Run the jobs on another host from now on: the same database, a spool of its own."""
    folder = rig.folder / host
    rig.config(paths={"spool": str(folder)})
    return folder


def _killed_with_an_approval_on_disk(rig: Rig) -> Path:
    """Let a host charge the one round there is and go down before it told the database."""
    announced(rig)
    with wired(rig) as wire:
        trap = wire.set("hold", after=b"", then=RECORD)
        process = rig.start("charge_d1", "--as-of", CHARGE_AT)
        assert trap.sprung.wait(SECONDS)
        process.kill()
        assert rig.finish(process).exit_code == -signal.SIGKILL
    (left,) = (rig.folder / "spool").iterdir()
    rig.ours("UPDATE payment_attempt SET lease_until = '2026-01-01'")
    return left


def test_what_a_host_that_never_comes_back_approved_is_settled_by_asking(rig: Rig) -> None:
    left = _killed_with_an_approval_on_disk(rig)
    _move_to(rig, "other")
    charge(rig, LATER)
    assert (state(rig), _sources(rig), left.exists()) == ("paid", ["replay"], True)
    assert book_equals_ledger(rig)
    assert len(rig.shop("SELECT * FROM orders")) == 1


def test_a_host_that_comes_back_later_tells_nothing_new(rig: Rig) -> None:
    left = _killed_with_an_approval_on_disk(rig)
    _move_to(rig, "other")
    charge(rig, LATER)
    before = rig.checksums()
    _move_to(rig, "spool")
    charge(rig, LATEST)
    assert (rig.checksums(), left.exists()) == (before, False)


def test_a_host_that_comes_back_first_is_heard_and_nobody_else_has_to_ask(rig: Rig) -> None:
    _killed_with_an_approval_on_disk(rig)
    rig.config()
    charge(rig, LATER)
    _move_to(rig, "other")
    charge(rig, LATEST)
    assert (state(rig), _sources(rig), charges(rig)) == ("paid", ["spool"], 1)


def test_a_late_spool_does_not_undo_what_a_person_settled_meanwhile(rig: Rig) -> None:
    left = _killed_with_an_approval_on_disk(rig)
    line = left.read_bytes()
    charge(rig, LATER)
    rig.ours("UPDATE billing_round SET state = 'held', written_at = NULL, order_id = NULL")
    rig.shop("UPDATE orders SET order_id = 'BY-HAND'")
    rig.shop("UPDATE order_item SET order_id = 'BY-HAND'")
    (found,) = rig.ours("SELECT round_id FROM billing_round")
    settle(rig, str(found["round_id"]), "--paid", "--order", "BY-HAND", at=LATER)
    left.write_bytes(line)
    charge(rig, LATEST)
    assert (state(rig), matters(rig), left.exists()) == ("paid", [], False)


def test_a_foreign_approval_that_a_person_has_dealt_with_is_not_told_again(rig: Rig) -> None:
    announced(rig)
    rig.broken_on_purpose = {"approval_invented"}
    fields = {"tid": "t", "order_no": "NOBODYS", "amount_krw": 100, "approval_no": "1"}
    left = rig.folder / "spool" / "approvals-left.jsonl"
    left.parent.mkdir()
    line = json.dumps({"pg_code": "tosspayments", **fields})
    left.write_text(line, encoding="ascii")
    charge(rig, check=1)
    (matter,) = rig.ours("SELECT matter_id FROM matter")
    rig.run("ops", "report", "--close", str(matter["matter_id"]))
    left.write_text(line, encoding="ascii")
    charge(rig, LATER)
    assert matters(rig) == []


def test_two_runs_at_once_share_a_folder_and_read_what_an_earlier_one_left(rig: Rig) -> None:
    crowd(rig, SIZE)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=True, times=5))
    charge(rig, "2026-12-02T09:30", "--limit", "5", check=None)
    lost = rig.sandbox.toss.approvals()
    left = rig.folder / "spool" / "approvals-left.jsonl"
    for each in lost:
        fields = {"tid": each.payment_key, "order_no": each.order_no, "amount_krw": each.amount}
        with left.open("a", encoding="ascii") as file:
            file.write(json.dumps({"pg_code": "tosspayments", **fields, "approval_no": "1"}) + "\n")
    rig.sandbox.toss.faults.latency_s = 0.03
    started = [rig.start("charge_d1", "--as-of", CHARGE_AT) for _ in range(2)]
    assert [rig.finish(process).exit_code for process in started] == [0, 0]
    assert states(rig) == {"paid": SIZE}
    assert book_equals_ledger(rig)
    assert len(rig.shop("SELECT * FROM orders")) == SIZE
    assert not [*left.parent.glob("approvals-*")]


def test_a_run_that_lives_keeps_its_file_from_the_others(rig: Rig) -> None:
    announced(rig)
    with wired(rig) as wire:
        trap = wire.set("hold", after=b"", then=RECORD)
        process = rig.start("charge_d1", "--as-of", CHARGE_AT)
        assert trap.sprung.wait(SECONDS)
        rig.config(register=False)
        charge(rig, LATER)
        assert (attempts(rig), _sources(rig)) == (["sending"], [])
        process.kill()
        rig.finish(process)
    charge(rig, LATEST)
    assert (state(rig), _sources(rig)) == ("paid", ["spool"])


def test_the_files_of_another_shop_in_the_same_folder_are_left_alone(rig: Rig) -> None:
    announced(rig)
    folder = rig.folder / "spool"
    folder.mkdir()
    fields = {"tid": "t", "order_no": "THEIRS", "amount_krw": 100, "approval_no": "1"}
    theirs = [folder / f"{what}-another_shop-1.jsonl" for what in ("approvals", "told")]
    for path in theirs:
        path.write_text(json.dumps({"pg_code": "tosspayments", **fields}), encoding="ascii")
    charge(rig)
    assert (state(rig), matters(rig)) == ("paid", [])
    assert all(path.exists() for path in theirs)


@pytest.mark.parametrize("days", [-1, 1])
def test_what_the_database_knows_is_kept_for_five_weeks(rig: Rig, days: int) -> None:
    announced(rig)
    charge(rig)
    (path,) = (rig.folder / "spool").iterdir()
    old = time.time() - KEPT_SECONDS - days * 86_400
    os.utime(path, (old, old))
    charge(rig, LATER)
    assert path.exists() == (days < 0)
