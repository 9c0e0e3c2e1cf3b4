"""The control: builds that break one promise each, and the piece of the suite that must catch it.

`python -m tests.chaos.broken` plays every piece on the sound build and on its broken one;
`python -m tests.chaos.broken --piece NAME` plays one on the build of the current folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import lib
from lib.failpoints import Step
from lib.sandbox import Fault
from tests import mariadb
from tests.chaos import judge
from tests.chaos.armed import Blow, Plan, start
from tests.chaos.framing import is_anything
from tests.chaos.proxy import Proxy, Strike
from tests.chaos.storm import LEASE, sky, through
from tests.homes import drop_pair, make_pair
from tests.jobs.charging import CHARGE_AT, NOTICE_AT, charge
from tests.jobs.resetting import PG, RESET_AT, eventually, pg_changed
from tests.jobs.street import neighbour
from tests.rig import Rig
from tests.shopkeeper import card, open_shop

ROOT = Path(__file__).resolve().parents[2]
LINKED = ("jobs", "sql", "tests")
SECONDS = 300
LOST_REPLY = Fault("drop", "charge", processed=True, times=1)
A_DAY_LATER, THEN = "2026-12-03T10:30", "2026-12-03T10:50"
OFTEN = 10**9


@dataclass(frozen=True)
class Edit:
    """A line of a file of lib/, or its telling part, and what stands there instead."""

    file: str
    line: str
    broken: str


@dataclass(frozen=True)
class Build:
    """A broken build, the piece that catches it, and by the name of which violation."""

    name: str
    edits: tuple[Edit, ...]
    piece: str
    shows: str


BUILDS = (
    Build(
        "charge before claim",
        (
            Edit("charging/start.py", "LONGEST_NAME = 40", "LONGEST_NAME, ANSWERS = 40, {}"),
            Edit(
                "charging/start.py",
                "    reach(Step.ATTEMPT_WRITTEN)",
                "    ANSWERS[attempt.order_no] = desk.gateways[attempt.pg_code].charge(attempt, card)\n"
                "    reach(Step.ATTEMPT_WRITTEN)",
            ),
            Edit("charging/charge.py", "start import Claimed", "start import ANSWERS, Claimed"),
            Edit(
                "charging/charge.py",
                "gateway.charge(replace(claimed.attempt, send_until=claimed.lease_until), claimed.card)",
                "ANSWERS.pop(claimed.attempt.order_no)",
            ),
        ),
        piece="killed as it claims",
        shows="approval_lost",
    ),
    Build(
        "not found means a new order number",
        (
            Edit(
                "gateways/tosspayments.py",
                "        if payment is None:\n            return Unknown(code, message)",
                "        if payment is None:\n            return NotCharged(code, message, ())",
            ),
        ),
        piece="an inquiry that lags",
        shows="charged_twice",
    ),
    Build(
        "no spool",
        (Edit("charging/batch.py", "spool.append(_approvals(results))", "pass"),),
        piece="the database away for good",
        shows="left_to_a_person",
    ),
    Build(
        "debit outside the claim",
        (
            Edit(
                "outbox/credits.py",
                '    if not tx.change("debit_credit", channel=credit, ',
                "    def tx_change(name, **told):\n"
                "        return run.store.transaction(lambda own: own.change(name, **told))\n"
                '    if not tx_change("debit_credit", channel=credit, ',
            ),
        ),
        piece="killed as it debits",
        shows="credits_add_up",
    ),
    Build(
        "reset without drain",
        (Edit("resetting/steps.py", "if not drain(run, desk, reset):", "if reset.state != state:"),),
        piece="a reset while a charge stands still",
        shows="reset_left_no_attempt",
    ),
)


def _announced(rig: Rig, *names: str) -> None:
    open_shop(rig)
    for name in names:
        neighbour(rig, name)
    rig.run("notify_d2", "--as-of", NOTICE_AT)


def _struck(rig: Rig, job: str, at: str, plan: Plan) -> None:
    """Run a job that must be struck."""
    armed = start(rig, job, "--as-of", at, plan=plan)
    armed.wait()
    assert armed.fired


def killed_as_it_claims(rig: Rig, _database: Proxy) -> list[str]:
    """Kill a run before its claim is committed: nobody may have been asked for money."""
    _announced(rig, "one", "two")
    _struck(rig, "charge_d1", CHARGE_AT, Blow(Step.ATTEMPT_WRITTEN, "kill"))
    return judge.at_rest(rig)


def an_inquiry_that_lags(rig: Rig, _database: Proxy) -> list[str]:
    """Lose the reply to a charge whose card is gone since; for hours the PG finds nothing of it."""
    _announced(rig, "one")
    toss = rig.sandbox.toss
    toss.faults.add(LOST_REPLY)
    charge(rig)
    usual, toss.switches = toss.switches, replace(toss.switches, inquiry_lag_s=OFTEN)
    _change_card(rig)
    charge(rig, "2026-12-02T10:05")
    charge(rig, "2026-12-02T11:30")
    toss.switches = usual
    charge(rig, A_DAY_LATER, check=None)
    return judge.at_the_end(rig, datetime.fromisoformat(A_DAY_LATER))


def the_database_away_for_good(rig: Rig, database: Proxy) -> list[str]:
    """Take the database away once the PG has approved, and kill the run; nobody can be asked afterwards."""
    rig.config(database=through(rig, database), gateway={PG: {"lease": LEASE}})
    _announced(rig, "one")
    armed = start(rig, "charge_d1", "--as-of", CHARGE_AT, plan=Blow(Step.CHARGE_ANSWERED, "stop"))
    assert armed.wait_until_stopped()
    away = Strike("before", on=is_anything, times=OFTEN)
    database.lay(away)
    armed.go_on()
    eventually(lambda: away.fired > 1)
    armed.kill()
    armed.wait()
    database.lay(None)
    time.sleep(LEASE)
    rig.config()
    _change_card(rig)
    rig.sandbox.toss.faults.add(Fault("error", "inquiry", status=503))
    for at in (A_DAY_LATER, THEN):
        charge(rig, at, check=None)
    doubts = [f"left_to_a_person: {judge.doubts(rig)} charges"] if judge.doubts(rig) else []
    return [*judge.at_the_end(rig, datetime.fromisoformat(THEN)), *doubts]


def killed_as_it_debits(rig: Rig, _database: Proxy) -> list[str]:
    """Kill a run between the debit of its messages and the COMMIT that claims them."""
    open_shop(rig)
    neighbour(rig, "one")
    _struck(rig, "notify_d2", NOTICE_AT, Blow(Step.CREDIT_DEBITED, "kill"))
    return judge.at_rest(rig)


def a_reset_while_a_charge_stands_still(rig: Rig, database: Proxy) -> list[str]:
    """Let a PG be changed while a charge is claimed and not sent yet; it goes on when the reset is done."""
    rig.config(database=through(rig, database), gateway={PG: {"lease": LEASE}})
    _announced(rig, "one")
    armed = start(rig, "charge_d1", "--as-of", CHARGE_AT, plan=Blow(Step.CHARGE_BEGUN, "stop"))
    assert armed.wait_until_stopped()
    pg_changed(rig)
    rig.run("reset_pg", "--as-of", RESET_AT, check=None)
    found = judge.at_rest(rig)
    armed.go_on()
    armed.wait()
    return [*found, *judge.at_the_end(rig, datetime.fromisoformat(RESET_AT))]


def _change_card(rig: Rig) -> None:
    """Let the customer take another card; the old one's row goes."""
    before = rig.shop("SELECT card_id, member_id FROM card")[0]
    made = card(rig, before["member_id"], billing_key="another")
    rig.shop("UPDATE subscription SET card_id = :made", made=made)
    rig.shop("DELETE FROM card WHERE card_id = :card_id", card_id=before["card_id"])


PIECES: Mapping[str, Callable[[Rig, Proxy], list[str]]] = {
    "killed as it claims": killed_as_it_claims,
    "an inquiry that lags": an_inquiry_that_lags,
    "the database away for good": the_database_away_for_good,
    "killed as it debits": killed_as_it_debits,
    "a reset while a charge stands still": a_reset_while_a_charge_stands_still,
}


def apply(build: Build, folder: Path) -> None:
    """Make a checkout in a folder that has the errors; ValueError where a line is not there once."""
    shutil.copytree(ROOT / "lib", folder / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    for edit in build.edits:
        path = folder / "lib" / edit.file
        text = path.read_text(encoding="utf-8")
        if text.count(edit.line) != 1:
            raise ValueError(f"{edit.file} does not have this line once: {edit.line}")
        path.write_text(text.replace(edit.line, edit.broken), encoding="utf-8")


def found_by(piece: str, checkout: Path, server: str) -> list[str]:
    """Play a piece on the build in a folder, with a process of its own, and return what it found."""
    command = [sys.executable, "-m", "tests.chaos.broken", "--piece", piece]
    surroundings = os.environ | {"PYTHONPATH": str(checkout), mariadb.VARIABLE: server}
    ended = subprocess.run(
        command, cwd=checkout, env=surroundings, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def found_in(build: Build, server: str) -> list[str]:
    """Make a broken build, play its piece on it, and return what that found."""
    with tempfile.TemporaryDirectory(prefix="jeonggi-broken-") as folder:
        apply(build, Path(folder))
        return found_by(build.piece, Path(folder), server)


def controls() -> list[tuple[str, str, str]]:
    """Hold every piece to both its builds; returns build, piece, and the line that caught it.

    AssertionError: a piece finds something in the sound build, or does not catch the broken one.
    """
    caught = []
    with mariadb.server() as server:
        for build in BUILDS:
            sound = found_by(build.piece, ROOT, server)
            assert sound == [], f"{build.piece}: the sound build has {sound}"
            found = found_in(build, server)
            lines = [line for line in found if line.startswith(f"{build.shows}:")]
            assert lines, f"{build.name}: not caught by {build.piece}, which found {found}"
            caught.append((build.name, build.piece, lines[0]))
    return caught


def _play(piece: str) -> list[str]:
    """Play a piece on the build of this very process."""
    # Else a broken build could seem sound because another one was played.
    assert Path(lib.__file__).parent.parent == Path.cwd(), lib.__file__
    with ExitStack() as opened:
        server = opened.enter_context(mariadb.server())
        home = make_pair(server, f"broken_{os.getpid()}")
        opened.callback(drop_pair, server, home)
        home.install()
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="jeonggi-broken-"))
        rig, database = opened.enter_context(sky(home, Path(folder)))
        return PIECES[piece](rig, database)


def main() -> None:
    """Play one piece here, or all of them on both builds."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.broken", description=__doc__)
    parser.add_argument("--piece", choices=PIECES)
    piece = parser.parse_args().piece
    for line in _play(piece) if piece else map(" | ".join, controls()):
        print(line)  # noqa: T201 this is the command's answer


if __name__ == "__main__":
    main()
