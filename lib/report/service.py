"""What `ops service` prints (이용현황): contracts, service, cards, credits, and how the jobs last ran."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from lib import shop as contract
from lib.billing import words
from lib.clock import Clock
from lib.dialect import as_date
from lib.outbox.claim import units_of
from lib.outbox.credits import CREDIT_OF
from lib.queueing import WAYS
from lib.report.matters import local
from lib.report.table import Cells, Column, Section, count, one_of, plain
from lib.run import Run
from lib.store import Transaction

DAYS_AHEAD = 7
JOBS = ("notify_d2", "charge_d1", "reset_pg")

CONTRACT_COLUMNS = (
    Column("pg_contract_no", "계약번호"),
    Column("pg_code", "PG"),
    Column("merchant_id", "상점 ID"),
    Column("state", "상태", one_of(words.CONTRACT)),
    Column("in_use_at", "이용 시작"),
    Column("terminated_at", "종료"),
    Column("termination", "종료 사유", one_of(words.TERMINATION)),
)
SERVICE_COLUMNS = (
    Column("pg_code", "PG"),
    Column("state", "정기결제 서비스", one_of(words.SERVICE)),
    Column("in_use_at", "이용 시작"),
    Column("reset_at", "초기화"),
    Column("cards", "카드", count),
    Column("in_use", "이용중", count),
    Column("paused", "일시정지", count),
    Column("ended", "해지", count),
)
CREDIT_COLUMNS = (
    Column("channel", "건수", one_of(words.CREDIT)),
    Column("left", "잔여", count),
    Column("waiting", "대기 중인 발송", count),
    Column("coming", f"{DAYS_AHEAD}일 예상", count),
    Column("short", "부족", count),
)
DAY_COLUMNS = (Column("delivery_on", "배송예정일"), Column("rounds", "확정 전 회차", count))


def _said(counts: str | None) -> str:
    """Write counts such as due=3 paid=2 in words."""
    pairs = (pair.partition("=") for pair in (counts or "").split())
    return plain(" ".join(f"{words.COUNT.get(name, name)} {number}" for name, _, number in pairs))


RUN_COLUMNS = (
    Column("job", "작업", one_of(words.JOB)),
    Column("started_at", "마지막 실행"),
    Column("ended_at", "끝난 때"),
    Column("exit_code", "종료 코드"),
    Column("good_at", "마지막 정상 종료"),
    Column("host", "서버"),
    Column("counts", "처리", _said),
)


def service(run: Run) -> list[Section]:
    """Return how the service stands now."""
    return run.store.transaction(partial(_read, run))


def _read(run: Run, tx: Transaction) -> list[Section]:
    first = run.clock.today
    last = first + timedelta(days=run.settings.policy.notice_days_before + DAYS_AHEAD - 1)
    days = {
        as_date(row["delivery_on"]): row["rounds"]
        for row in tx.rows("coming_by_day", from_on=first, until_on=last)
    }
    coming = [{"delivery_on": on, "rounds": rounds} for on, rounds in days.items()]
    needs = _needs(run, tx, sum(days.values()))
    return [
        Section("contracts", "PG 계약", CONTRACT_COLUMNS, [*map(dict, tx.rows("contracts_told"))]),
        Section("services", "정기결제 서비스 이용현황", SERVICE_COLUMNS, [*_services(tx)]),
        Section("credits", "발송 건수", CREDIT_COLUMNS, needs),
        Section("coming", f"{DAYS_AHEAD}일 안에 안내할 회차", DAY_COLUMNS, coming),
        Section("runs", "작업 실행", RUN_COLUMNS, [*_runs(tx, run.clock)]),
    ]


def _services(tx: Transaction) -> Iterator[Cells]:
    cards = {row["pg_code"]: row["cards"] for row in tx.rows("cards_by_pg")}
    numbers = {(row["pg_code"], row["state"]): row["subscriptions"] for row in tx.rows("subscriptions_by_pg")}
    services = {row["pg_code"]: row for row in tx.rows("services_told")}
    for code in sorted({*services, *cards, *(code for code, _ in numbers)}):
        row: Mapping[str, Any] = dict(services.get(code) or {})
        yield {
            "pg_code": code,
            "state": row.get("state"),
            "in_use_at": row.get("in_use_at"),
            "reset_at": row.get("reset_at"),
            "cards": cards.get(code, 0),
            "in_use": numbers.get((code, "U"), 0),
            "paused": numbers.get((code, "P"), 0),
            "ended": numbers.get((code, "C"), 0),
        }


def _needs(run: Run, tx: Transaction, rounds: int) -> list[Cells]:
    """Hold the credits against what waits and what is coming; what is not worded yet counts as an LMS."""
    left = contract.read_credits(tx)
    shop = contract.read_shop(tx, run.settings, run.clock)
    waiting: Counter[str] = Counter()
    for row in tx.rows("messages_waiting"):
        asked = int(row["units"] or 0) or row["messages"] * _units(run, row["kind"], row["channel"])
        waiting[CREDIT_OF[row["channel"]]] += asked
    coming: Counter[str] = Counter()
    for recipient, channel in WAYS:
        is_single = recipient == "customer" or run.settings.policy.operator_mail == "each"
        if is_single and shop.is_on("payment_notice", recipient, channel):
            coming[CREDIT_OF[channel]] += rounds * _units(run, "payment_notice", channel)
    return [
        {
            "channel": credit,
            "left": left.get(credit, 0),
            "waiting": waiting[credit],
            "coming": coming[credit],
            "short": max(0, waiting[credit] + coming[credit] - left.get(credit, 0)),
        }
        for credit in CREDIT_OF.values()
    ]


def _units(run: Run, kind: str, channel: str) -> int:
    return units_of(run, kind, "LMS" if channel == "sms" else None)


def _runs(tx: Transaction, clock: Clock) -> Iterator[Cells]:
    for job in JOBS:
        row: Mapping[str, Any] = dict(tx.row("last_run", job=job) or {})
        good = tx.row("last_good_run", job=job)
        yield {
            "job": job,
            "started_at": _local(clock, row.get("started_at")),
            "ended_at": _local(clock, row.get("ended_at")),
            "exit_code": row.get("exit_code"),
            "good_at": _local(clock, good["ended_at"]) if good else None,
            "host": row.get("host"),
            "counts": _counts(row.get("summary")),
        }


def _local(clock: Clock, moment: datetime | None) -> datetime | None:
    return local(clock, moment) if moment else None


def _counts(summary: str | None) -> str:
    found = json.loads(summary).get("counts", {}) if summary else {}
    return " ".join(f"{name}={value:,}" for name, value in found.items() if isinstance(value, int) and value)
