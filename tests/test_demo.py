"""The demo: a few days of a small shop, with everything that the story promises."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from lib import settings
from lib.sandbox import Ports
from lib.sandbox.demo_ledger import faults
from lib.sandbox.demo_stage import MARKER, NotADemoError, Places, Stage
from tests.rig import ROOT

DAYS = 5


@dataclass(frozen=True)
class Played:
    """A demo that came to its end."""

    places: Places
    exit_code: int
    output: str

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.places.database)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def told(self, sentence: str) -> str:
        """Return what the first group of a pattern found in the output, however it was wrapped."""
        found = re.search(sentence, " ".join(self.output.split()))
        assert found, self.output
        return found[1]


def play(folder: Path, *options: str) -> Played:
    ended = subprocess.run(
        [sys.executable, "-m", "lib.sandbox.demo", "--folder", str(folder), *options],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Played(Places(folder), ended.returncode, ended.stdout + ended.stderr)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("demo"), "--days", str(DAYS), "--subscriptions", "40")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Give a shop on its first morning, before any job has run."""
    places = Places(tmp_path / "demo")
    places.clear()
    with Stage(places, date(2026, 12, 1), subscriptions=5, days=5, ports=Ports()) as opened:
        yield opened


def test_the_demo_ends_well_because_everything_holds(played: Played) -> None:
    assert played.exit_code == 0, played.output
    assert played.output.count("✓") == 3


def test_every_run_shows_its_own_summary_line_under_its_day(played: Played) -> None:
    begun = played.rows("SELECT job, COUNT(*) FROM job_run GROUP BY job ORDER BY job")
    assert begun == [
        (job, played.output.count(f"  {job} 2026-12-0")) for job in ("charge_d1", "notify_d2", "reset_pg")
    ]
    days = range(1, DAYS + 1)
    assert all(f"{number}일째 · 2026년 12월 {number}일" in played.output for number in days)


def test_its_lines_fit_into_a_hundred_columns(played: Played) -> None:
    story = played.output.partition("볼 곳")[0]
    assert max(map(cell_len, story.splitlines())) <= 100


def test_a_lost_reply_is_found_and_the_card_was_charged_once(played: Played) -> None:
    order_no = played.told(r"같은 주문번호 (\w+) 로 확인했습니다")
    assert played.rows("SELECT state FROM payment_attempt WHERE order_no = ?", order_no) == [("approved",)]
    assert played.rows("SELECT COUNT(*) FROM payment WHERE order_no = ?", order_no) == [(1,)]


def test_a_round_of_which_one_item_was_cancelled_is_charged_as_announced(played: Played) -> None:
    subscription_id = played.told(r"고객 (\S+) 님이 상품 하나를 해지했습니다")
    paid = played.rows(
        "SELECT r.state, p.amount_krw = r.amount_krw FROM billing_round r "
        "JOIN payment p ON p.order_no = r.order_id WHERE r.subscription_id = ?",
        subscription_id,
    )
    assert ("paid", 1) in paid


def test_a_round_of_a_cancelled_subscription_is_never_charged(played: Played) -> None:
    subscription_id = played.told(r"고객 (\S+) 님이 신청을 모두 해지했습니다")
    rounds = played.rows(
        "SELECT r.state, a.attempt_id FROM billing_round r "
        "LEFT JOIN payment_attempt a ON a.round_id = r.round_id WHERE r.subscription_id = ?",
        subscription_id,
    )
    assert rounds == [("void", None)]


def test_after_the_change_of_pg_no_card_and_no_subscription_is_left(played: Played) -> None:
    assert "나이스페이로 바꿨습니다" in " ".join(played.output.split())
    assert played.rows("SELECT state FROM pg_reset") == [("done",)]
    assert played.rows("SELECT COUNT(*) FROM card") == [(0,)]
    assert played.rows("SELECT COUNT(*) FROM subscription WHERE subscription_state <> 'C'") == [(0,)]


def test_every_mail_can_be_read_in_three_forms_and_every_sms_in_one_file(played: Played) -> None:
    ((mails,),) = played.rows("SELECT COUNT(*) FROM message WHERE channel = 'mail' AND state = 'accepted'")
    ((sms,),) = played.rows("SELECT COUNT(*) FROM message WHERE channel = 'sms' AND state = 'accepted'")
    folder = played.places.mails
    forms = {kind: len(list(folder.rglob(f"*.{kind}"))) for kind in ("eml", "html", "txt")}
    assert forms == {"eml": mails, "html": mails, "txt": mails}
    assert played.places.sms.read_text(encoding="utf-8").count("] SMS ") == sms > 0


def test_the_files_that_it_points_to_are_there(played: Played) -> None:
    named = re.findall(r"^  파일 +(.+)$", played.output, re.MULTILINE)
    assert len(named) == 3
    assert all((ROOT / name).is_file() for name in named)


def test_its_configuration_is_valid_and_closed_to_others(played: Played) -> None:
    assert stat.S_IMODE(played.places.config.stat().st_mode) == 0o600
    assert settings.load(played.places.config).policy.time_travel


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(NotADemoError):
        Places(tmp_path).clear()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_former_demo_makes_room_for_the_next(tmp_path: Path) -> None:
    places = Places(tmp_path / "demo")
    places.clear()
    places.mails.mkdir()
    (places.mails / "001.eml").touch()
    places.config.touch()
    places.clear()
    assert [path.name for path in places.folder.iterdir()] == [MARKER]


def test_the_demo_does_not_begin_in_a_folder_of_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    assert play(tmp_path).exit_code == 2


def test_a_shop_on_its_first_morning_has_nothing_wrong_with_it(stage: Stage) -> None:
    assert faults(stage) == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        pytest.param(
            "INSERT INTO payment (pg_code, tid, kind, seq, order_no, amount_krw, source, recorded_at) "
            "VALUES ('tosspayments', 'T1', 'approve', 0, 'J1', 100, 'response', '2026-12-01 00:00:00')",
            "장부의 승인 J1",
            id="an-approval-that-the-pg-never-gave",
        ),
        pytest.param(
            "UPDATE message_credit SET balance = balance - 1 WHERE channel = 'sms'",
            "SMS 건수",
            id="a-credit-that-is-gone",
        ),
        pytest.param(
            "INSERT INTO message (kind, ref, recipient, channel, address, state, queued_at, next_try_at) "
            "VALUES ('digest', '1', 'operator', 'mail', 'a@b.kr', 'accepted', '2026-12-01', '2026-12-01')",
            "받은 메일은 0통",
            id="a-mail-that-never-arrived",
        ),
    ],
)
def test_what_does_not_hold_is_told(stage: Stage, sql: str, told: str) -> None:
    with closing(sqlite3.connect(stage.places.database)) as connection, connection:
        connection.execute(sql)
    assert any(told in one for one in faults(stage))
