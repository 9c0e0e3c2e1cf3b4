"""The spool on a disk that fills up, and files in it that are none: no approval is lost, and no run stops."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.sandbox import Fault
from lib.spool import ROOM
from tests.jobs.charging import CHARGE_AT, announced, attempts, charge, charges, matters, state
from tests.jobs.crowd import book_equals_ledger, crowd, states
from tests.kill.wire import SECONDS, wired
from tests.rig import Rig, Run

pytestmark = pytest.mark.rule(9, 14)

LATER, LATEST = "2026-12-02T10:05", "2026-12-02T10:10"
RECORD = b"INSERT INTO payment "
SIZE = 60


def _sources(rig: Rig) -> list[str]:
    return [row["source"] for row in rig.ours("SELECT source FROM payment")]


def _lines(rig: Rig, pattern: str = "approvals-*") -> list[dict[str, object]]:
    files = (rig.folder / "spool").glob(pattern)
    return [json.loads(line) for path in files for line in path.read_text(encoding="ascii").splitlines()]


def _fill_the_disk(process: subprocess.Popen[bytes], left: int) -> None:
    """Let no file of a process grow beyond `left` bytes from now on: its writes fail as on a full disk."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (left, left))


def test_an_approval_is_on_disk_before_the_database_is_told_and_survives_a_kill(rig: Rig) -> None:
    announced(rig)
    with wired(rig) as wire:
        trap = wire.set("hold", after=b"", then=RECORD)
        process = rig.start("charge_d1", "--as-of", CHARGE_AT)
        assert trap.sprung.wait(SECONDS)
        (made,) = rig.sandbox.toss.approvals()
        (line,) = _lines(rig)
        assert (line["tid"], line["order_no"], line["amount_krw"]) == (
            made.payment_key,
            made.order_no,
            12_900,
        )
        assert _sources(rig) == []
        process.kill()
        assert rig.finish(process).exit_code == -signal.SIGKILL
    charge(rig, LATER)
    assert (state(rig), _sources(rig), charges(rig)) == ("paid", ["spool"], 1)
    assert book_equals_ledger(rig)


def test_a_disk_that_fills_up_on_the_way_stops_charging_and_what_was_approved_is_recorded(rig: Rig) -> None:
    crowd(rig, SIZE)
    process = rig.start("charge_d1", "--as-of", CHARGE_AT, "--workers", "4")
    _fill_the_disk(process, ROOM)
    ended = rig.finish(process)
    assert ended.exit_code == 78
    assert "디스크 공간을 비워 주세요" in ended.stderr
    assert book_equals_ledger(rig)
    assert states(rig).keys() == {"due", "paid"}
    assert len(_lines(rig)) < states(rig)["paid"]
    charge(rig, LATER)
    assert states(rig) == {"paid": SIZE}
    assert book_equals_ledger(rig)
    assert len(rig.shop("SELECT * FROM orders")) == SIZE


def test_a_disk_that_is_full_from_the_start_charges_nothing(rig: Rig) -> None:
    announced(rig)
    process = rig.start("charge_d1", "--as-of", CHARGE_AT)
    _fill_the_disk(process, ROOM // 2)
    ended = rig.finish(process)
    assert (ended.exit_code, charges(rig), state(rig)) == (78, 0, "due")
    assert list((rig.folder / "spool").iterdir()) == []


def test_what_neither_the_disk_nor_the_database_took_is_found_at_the_gateway(rig: Rig) -> None:
    crowd(rig, 4)
    rig.sandbox.toss.faults.latency_s = 1.5
    with wired(rig) as wire:
        process = rig.start("charge_d1", "--as-of", CHARGE_AT, "--workers", "4")
        while attempts(rig) != ["sending"] * 4:
            time.sleep(0.01)
        _fill_the_disk(process, 0)
        wire.go_down()
        ended = rig.finish(process)
    assert (ended.exit_code, ended.stderr) == (75, "")
    assert (len(rig.sandbox.toss.approvals()), _sources(rig), _lines(rig)) == (4, [], [])
    rig.sandbox.toss.faults.clear()
    rig.ours("UPDATE payment_attempt SET lease_until = '2026-01-01'")
    charge(rig, LATER)
    assert (states(rig), _sources(rig)) == ({"paid": 4}, ["replay"] * 4)
    assert book_equals_ledger(rig)


NO_FOLDER: dict[str, Callable[[Path], Path]] = {
    "nobody may write there": lambda _: Path("/proc/jeonggi"),
    "a file in the way": lambda folder: folder / "jeonggi.toml" / "spool",
    "a link to itself": lambda folder: _loop(folder / "loop"),
    "a name that is too long": lambda folder: folder / ("x" * 256),
}


def _loop(path: Path) -> Path:
    path.symlink_to(path)
    return path


@pytest.mark.parametrize("made", NO_FOLDER.values(), ids=NO_FOLDER)
def test_without_a_folder_nothing_is_charged_and_the_remedy_is_told(
    rig: Rig, made: Callable[[Path], Path]
) -> None:
    announced(rig)
    rig.config(paths={"spool": str(made(rig.folder))})
    ended = charge(rig, check=78)
    assert (charges(rig), state(rig)) == (0, "due")
    assert "쓰기 권한을 주세요" in ended.stderr


def _directory(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("put", [_directory, _pipe, _link])
def test_what_bears_the_name_of_a_spool_file_and_is_none_stops_no_charge(
    rig: Rig, put: Callable[[Path], None]
) -> None:
    announced(rig)
    (rig.folder / "spool").mkdir()
    path = rig.folder / "spool" / "approvals-x.jsonl"
    put(path)
    ended = charge(rig, check=1)
    assert (state(rig), matters(rig), path.name in ended.stderr) == ("paid", ["spool"], True)
    charge(rig, LATER)
    assert os.path.lexists(path)


def _left(rig: Rig, content: bytes, name: bytes = b"approvals-left.jsonl") -> Path:
    folder = rig.folder / "spool"
    folder.mkdir(exist_ok=True)
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    path.write_bytes(content)
    return path


def _lost_reply(rig: Rig) -> bytes:
    """Leave an approval that only the gateway knows; returns the line that its run would have spooled."""
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=True, times=1))
    charge(rig)
    (made,) = rig.sandbox.toss.approvals()
    fields = {"tid": made.payment_key, "order_no": made.order_no, "amount_krw": made.amount}
    return json.dumps({"pg_code": "tosspayments", **fields, "approval_no": "1"}).encode() + b"\n"


def _other_order(line: bytes) -> bytes:
    found = json.loads(line)
    return json.dumps(found | {"tid": "other", "order_no": "J1NOBODY01"}).encode() + b"\n"


FILES: dict[str, tuple[Callable[[bytes], bytes], list[str], str]] = {
    "empty": (lambda _: b"", [], "replay"),
    "whole": (lambda line: line, [], "spool"),
    "without its last line end": (lambda line: line[:-1], [], "spool"),
    "twice the same": (lambda line: line * 2, [], "spool"),
    "torn at the end": (lambda line: line + line[:50], ["spool"], "spool"),
    "torn at once": (lambda line: line[:50], ["spool"], "replay"),
    "torn and written on": (lambda line: line[:50] + line, ["spool"], "replay"),
    "binary": (lambda line: bytes(range(256)) * 40 + b"\n" + line, ["spool"], "spool"),
    "zeros, as a crash leaves them": (lambda line: line + bytes(4096), ["spool"], "spool"),
    "nested without end": (lambda line: b"[" * 200_000 + b"\n" + line, ["spool"], "spool"),
    "no object": (lambda line: b"null\n7\n[]\n" + line, ["spool"], "spool"),
    "a list for a number": (lambda line: line.replace(b'"1"', b"[1, 2]"), ["spool"], "replay"),
    "no number": (lambda line: line.replace(b"12900", b"NaN"), ["spool"], "replay"),
    "a number without end": (lambda line: line.replace(b"12900", b"9" * 5000), ["spool"], "replay"),
    "a field too many": (lambda line: line.replace(b"{", b'{"x": 1, '), ["spool"], "replay"),
    "a word for the ledger": (lambda line: line + _other_order(line), ["foreign_approval"], "spool"),
}


@pytest.mark.parametrize(("content", "opened", "source"), FILES.values(), ids=FILES)
def test_whatever_is_in_a_file_its_approvals_count_once_and_the_run_goes_on(
    rig: Rig, content: Callable[[bytes], bytes], opened: list[str], source: str
) -> None:
    path = _left(rig, content(_lost_reply(rig)))
    if opened == ["foreign_approval"]:
        rig.broken_on_purpose = {"approval_invented"}
    charge(rig, LATER, check=bool(opened))
    assert (state(rig), matters(rig), _sources(rig)[0]) == ("paid", opened, source)
    assert (charges(rig), path.exists()) == (1 if source == "spool" else 2, False)
    again = rig.checksums()
    charge(rig, LATEST)
    assert rig.checksums() == again


BAD = {
    "an amount below nothing": (b"12900", b"-12900"),
    "a number longer than the ledger's": (b'"tid": "', b'"tid": "' + b"x" * 300),
    "a kind that there is not": (b'"approval_no"', b'"kind": "gift", "approval_no"'),
    "half a character": (b'"tid": "', b'"tid": "\\ud800'),
}


@pytest.mark.parametrize(("old", "new"), BAD.values(), ids=BAD)
def test_a_line_that_the_ledger_refuses_stays_for_a_person_and_the_run_goes_on(
    rig: Rig, old: bytes, new: bytes
) -> None:
    path = _left(rig, _lost_reply(rig).replace(old, new))
    charge(rig, LATER, check=1)
    assert (state(rig), matters(rig), path.exists()) == ("paid", ["spool"], True)
    charge(rig, LATEST)
    assert book_equals_ledger(rig)


@pytest.mark.parametrize("name", [b"approvals-\xff\xfe.jsonl", b"approvals-" + b"x" * 200 + b".jsonl"])
def test_a_name_that_cannot_be_stored_stops_nothing(rig: Rig, name: bytes) -> None:
    _left(rig, b"rubbish\n" + _lost_reply(rig), name)
    ended: Run = charge(rig, LATER, check=1)
    assert (state(rig), _sources(rig), matters(rig)) == ("paid", ["spool"], ["spool"])
    assert "읽을 수 없는 1줄" in ended.stderr
