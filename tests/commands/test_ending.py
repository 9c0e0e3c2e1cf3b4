"""How a job ends: the exit code, the last line, one line for cron, one object for programs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import date, datetime

import pytest

from tests import shopkeeper
from tests.rig import ROOT, Rig
from tests.shopkeeper import Item, card, open_shop, subscription, terminate_contract

DELIVERY = date(2026, 12, 3)
NOTICE_AT = "2026-12-01T09:00"


def plainly(rig: Rig, job: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a job as cron does, without --json."""
    config = rig.folder / "jeonggi.toml"
    command = [sys.executable, "-m", f"jobs.{job}", "--config", str(config), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def shop(sqlite_rig: Rig) -> Rig:
    """Give a shop with one subscription and its configuration."""
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=DELIVERY, items=(Item(price=1_234_500),))
    sqlite_rig.config()
    return sqlite_rig


def test_cron_gets_one_line_with_thousands_separators(shop: Rig) -> None:
    plainly(shop, "notify_d2", "--as-of", NOTICE_AT)
    told = plainly(shop, "charge_d1", "--as-of", "2026-12-02T10:00")
    (line,) = told.stdout.splitlines()
    assert line.startswith("charge_d1 2026-12-02 10:00 대상 1 결제완료 1 주문 기록 1 금액 1,234,500원 ")
    assert line.endswith("종료 0: 정상")
    assert (told.returncode, told.stderr) == (0, "")


def test_with_nothing_to_do_the_line_says_so(shop: Rig) -> None:
    told = plainly(shop, "charge_d1", "--as-of", "2026-12-02T10:00")
    assert "할 일 없음" in told.stdout


def test_quiet_says_nothing_when_all_is_well(shop: Rig) -> None:
    told = plainly(shop, "notify_d2", "--as-of", NOTICE_AT, "--quiet")
    assert (told.stdout, told.stderr, told.returncode) == ("", "", 0)


def test_quiet_speaks_up_when_something_is_not(shop: Rig) -> None:
    shopkeeper.credits(shop, bulk_mail=0, sms=0)
    told = plainly(shop, "notify_d2", "--as-of", NOTICE_AT, "--quiet")
    assert told.returncode == 1
    assert "확인 필요 [건수부족]" in told.stderr
    assert "종료 1: " in told.stdout


def test_json_is_the_last_line_of_stdout(shop: Rig) -> None:
    told = shop.run("notify_d2", "--as-of", NOTICE_AT)
    last = json.loads(told.stdout.splitlines()[-1])
    keys = ["job", "run_id", "as_of", "dry_run", "exit_code", "counts", "amount_krw", "elapsed_s"]
    assert list(last) == keys
    assert (last["job"], last["as_of"], last["exit_code"]) == ("notify_d2", "2026-12-01T09:00+09:00", 0)


@pytest.mark.parametrize(
    "options", [("--nonsense",), ("--limit", "0"), ("--as-of", "soon"), ("--workers", "x")]
)
def test_wrong_usage_is_2_with_json_all_the_same(shop: Rig, options: tuple[str, ...]) -> None:
    told = shop.run("notify_d2", *options, check=2)
    assert json.loads(told.stdout.splitlines()[-1])["exit_code"] == 2
    assert "Error: " in told.stderr
    assert shop.ours("SELECT run_id FROM job_run") == []


def test_wrong_usage_ends_with_its_line(shop: Rig) -> None:
    told = plainly(shop, "notify_d2", "--nonsense")
    assert told.stderr.splitlines()[-1].startswith("종료 2: ")
    assert told.stdout == ""


def test_a_matter_is_1_at_the_first_run_and_0_at_the_next(shop: Rig) -> None:
    shop.shop("UPDATE subscription SET card_id = NULL")
    assert shop.run("notify_d2", "--as-of", NOTICE_AT, check=1).summary["exit_code"] == 1
    shop.run("notify_d2", "--as-of", NOTICE_AT, check=0)


def test_a_gateway_that_is_away_is_75(shop: Rig) -> None:
    shop.run("notify_d2", "--as-of", NOTICE_AT)
    shop.config(gateway={"tosspayments": {"enabled": False}})
    told = plainly(shop, "charge_d1", "--as-of", "2026-12-02T10:00")
    assert told.returncode == 75
    assert "종료 75: " in told.stdout
    assert "다시 실행하세요" in told.stdout


def test_where_several_apply_the_largest_counts(shop: Rig) -> None:
    without_card = subscription(shop, "S-2", delivery_on=DELIVERY, card_id=None)
    shop.run("notify_d2", "--as-of", NOTICE_AT, check=1)
    assert without_card.card_id is None
    shop.shop("UPDATE card SET pg_code = 'tosspayments'")
    shop.config(gateway={"tosspayments": {"enabled": False}})
    shop.shop("UPDATE subscription SET card_id = NULL WHERE subscription_id = 'S-1'")
    subscription(shop, "S-3", delivery_on=DELIVERY, member_id="other")
    shop.run("notify_d2", "--as-of", NOTICE_AT)
    told = shop.run("charge_d1", "--as-of", "2026-12-02T10:00", check=75)
    assert "진행 불가" in told.stderr


def test_a_refused_account_is_78(shop: Rig) -> None:
    shop.run("notify_d2", "--as-of", NOTICE_AT)
    shop.config(gateway={"tosspayments": {"secret_key": "test_sk_of-somebody-else"}})
    told = shop.run("charge_d1", "--as-of", "2026-12-02T10:00", check=78)
    assert "tosspayments" in told.stderr
    assert "somebody-else" not in told.stdout + told.stderr


def test_a_spool_that_cannot_be_written_is_78_and_nothing_is_charged(shop: Rig) -> None:
    shop.run("notify_d2", "--as-of", NOTICE_AT)
    (shop.folder / "a-file").write_text("")
    shop.config(paths={"spool": str(shop.folder / "a-file")})
    told = shop.run("charge_d1", "--as-of", "2026-12-02T10:00", check=78)
    assert "paths.spool" in told.stderr
    assert shop.sandbox.toss.calls() == []


def test_a_bug_is_70_and_prints_kind_and_place_and_no_value(shop: Rig) -> None:
    shop.shop("UPDATE message_credit SET balance = 'A very private name'")
    told = plainly(shop, "notify_d2", "--as-of", NOTICE_AT)
    assert told.returncode == 70
    assert told.stderr.splitlines()[-1].startswith("종료 70: ")
    assert "TypeError: deliver.py:" in told.stderr
    assert "private" not in told.stdout + told.stderr
    (run,) = shop.ours("SELECT exit_code, ended_at FROM job_run")
    assert (run["exit_code"], run["ended_at"] is None) == (70, False)
    shopkeeper.credits(shop)


def test_a_rehearsal_says_in_words_why_a_round_is_blocked(shop: Rig) -> None:
    subscription(shop, "S-2", delivery_on=DELIVERY, card_id=None)
    told = plainly(shop, "notify_d2", "--dry-run", "--as-of", NOTICE_AT)
    assert f"S-2 {DELIVERY} 진행 불가: 카드 없음" in told.stdout


def test_a_shop_without_its_row_is_78_and_says_which_view_to_look_at(shop: Rig) -> None:
    shop.shop("DELETE FROM shop")
    told = shop.run("notify_d2", "--as-of", NOTICE_AT, check=78)
    assert "v_shop 에 쇼핑몰 행이 없습니다" in told.stderr
    assert told.summary["error"] == "ConfigurationError"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_like_a_kill_but_with_a_line(shop: Rig, number: signal.Signals) -> None:
    card(shop)
    terminate_contract(shop, at=datetime(2026, 12, 2, 12))
    shop.sandbox.toss.faults.latency_s = 0.5
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, by jobs too, in a suite run with `&`
    started = shop.start("reset_pg", "--as-of", "2026-12-02T13:00")
    until = time.monotonic() + 20
    while [row["state"] for row in shop.ours("SELECT state FROM pg_reset")] != ["cancelled"]:
        assert time.monotonic() < until
        time.sleep(0.01)
    started.send_signal(number)
    told = shop.finish(started)
    assert (told.exit_code, told.summary["exit_code"]) == (75, 75)
    assert "중단되었습니다" in told.stderr
    assert shop.run("reset_pg", "--as-of", "2026-12-02T13:00").counts["cards_deleted"] <= 2
    assert shop.ours("SELECT state FROM pg_reset") == [{"state": "done"}]


def test_more_than_ten_matters_are_shortened_and_v_shows_all(shop: Rig) -> None:
    for number in range(12):
        subscription(shop, f"N-{number}", delivery_on=DELIVERY, member_id=f"m{number}", card_id=None)
    told = plainly(shop, "notify_d2", "--as-of", NOTICE_AT)
    assert told.stderr.count("확인 필요") == 10
    assert "… 외 2건" in told.stderr


def test_v_shows_every_matter(shop: Rig) -> None:
    for number in range(12):
        subscription(shop, f"N-{number}", delivery_on=DELIVERY, member_id=f"m{number}", card_id=None)
    assert plainly(shop, "notify_d2", "--as-of", NOTICE_AT, "-v").stderr.count("확인 필요") == 12


@pytest.mark.parametrize("job", ["notify_d2", "charge_d1", "reset_pg"])
def test_help_is_korean_and_names_every_shared_option(job: str) -> None:
    command = [sys.executable, "-m", f"jobs.{job}", "--help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    options = [
        "--config",
        "--as-of",
        "--dry-run",
        "--limit",
        "--subscription",
        "--workers",
        "--json",
        "--quiet",
    ]
    assert [option for option in options if option not in told] == []
    assert f"예: {job.replace('_', '-')}" in told


def test_a_name_the_terminal_cannot_write_does_not_end_the_run(shop: Rig) -> None:
    config = shop.folder / "jeonggi.toml"
    command = [sys.executable, "-m", "jobs.notify_d2", "--config", str(config), "--as-of", NOTICE_AT]
    told = subprocess.run(
        command, cwd=ROOT, capture_output=True, check=False, env={"PYTHONIOENCODING": "latin-1", "PATH": ""}
    )
    assert told.returncode == 0
    assert told.stdout.startswith(b"notify_d2 2026-12-01 09:00 \\u")
