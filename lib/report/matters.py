"""What `ops report` prints: what a person must look at, what to do about it, and the command for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from lib.clock import Clock
from lib.report.table import Cells, Column, Section
from lib.store import Row, Store, Transaction, utc

PAGE = 200


@dataclass(frozen=True)
class Advice:
    """What a kind of matter means and what to do; `{subject}` and `{id}` stand for the matter's own.

    A subject of two words, such as `round 7`, is named by its second.
    """

    title: str
    remedy: str
    command: str
    is_closed_by_hand: bool = False
    """No job finds out that it is over: a person says so."""


NAMED = re.compile(r"^(round|template) ")
SEEN = "jeonggi report --close {id}"
ADVICE = {
    "in_doubt": Advice(
        "결제 여부 확인필요",
        "PG 상점관리자에서 주문번호로 승인 여부를 확인하고 결과를 적습니다.",
        "jeonggi report --doubts",
    ),
    "held": Advice(
        "보류된 회차",
        "사유를 확인하고 결제완료·재결제·실패·취소 중 하나로 정리합니다.",
        "jeonggi show {subject}",
    ),
    "blocked": Advice(
        "안내·결제가 막힌 신청",
        "사유를 쇼핑몰에서 해결하면 다음 작업이 이어서 처리합니다.",
        "jeonggi show {subject}",
    ),
    "bad_row": Advice(
        "잘못된 자료",
        "쇼핑몰의 자료를 고치면 다음 작업이 처리합니다.",
        "jeonggi show {subject}",
    ),
    "missed": Advice(
        "미진행 회차",
        "고객에게 알립니다. 다음 배송은 다음 작업이 새로 안내합니다.",
        SEEN,
        is_closed_by_hand=True,
    ),
    "no_credit": Advice(
        "발송 건수 부족",
        "건수를 충전하면 다음 작업이 대기 중인 메시지를 보냅니다.",
        "jeonggi service",
    ),
    "template": Advice(
        "메시지 서식 오류",
        "서식을 고치고 미리보기로 확인하면 다음 작업이 보냅니다.",
        "jeonggi preview {subject}",
    ),
    "unsendable": Advice(
        "보낼 수 없는 메시지",
        "내용에 적힌 자료나 설정을 고치면 다음 작업이 보냅니다.",
        "jeonggi show 신청번호",
    ),
    "foreign_approval": Advice(
        "모르는 주문번호의 승인",
        "PG 상점관리자에서 그 승인이 무엇인지 확인하고, 우리 것이 아니면 취소합니다.",
        SEEN,
        is_closed_by_hand=True,
    ),
    "spool": Advice(
        "읽을 수 없는 승인 기록",
        "해당 결제는 PG 조회로 정리됩니다. 확인필요가 남는지 보고 닫습니다.",
        SEEN,
        is_closed_by_hand=True,
    ),
    "reset_waits": Advice(
        "대기 중인 PG 초기화",
        "오래된 변경·초기화입니다. 진행하려면 쇼핑몰 이름을 적어 확인합니다.",
        "reset-pg --pg {subject} --confirm 쇼핑몰이름",
    ),
    "key_left": Advice(
        "PG에 남은 빌링키",
        "PG 상점관리자에서 그 회원의 카드(빌링키)를 삭제합니다.",
        SEEN,
        is_closed_by_hand=True,
    ),
}
UNKNOWN_KIND = Advice("확인할 일", "내용을 확인하고 닫습니다.", SEEN, is_closed_by_hand=True)

COLUMNS = (
    Column("matter_id", "번호"),
    Column("opened_at", "생긴 때"),
    Column("subject", "대상"),
    Column("detail", "내용"),
    Column("command", "명령"),
)


def advice(kind: str) -> Advice:
    """Return what to do about a kind of matter."""
    return ADVICE.get(kind, UNKNOWN_KIND)


def open_matters(store: Store, clock: Clock) -> Iterator[Section]:
    """Yield the open matters, a section for each kind."""
    kinds = store.rows("open_matter_kinds")
    for row in kinds:
        said = advice(row["kind"])
        title = f"{said.title} {row['matters']:,}건 — {said.remedy}"
        yield Section(row["kind"], title, COLUMNS, _of_kind(store, clock, row["kind"]))
    if not kinds:
        yield Section("rows", "확인할 일", COLUMNS, [])


def _of_kind(store: Store, clock: Clock, kind: str) -> Iterator[Cells]:
    for row in pages(store, "open_matters", "matter_id", kind=kind):
        yield {
            **row,
            "opened_at": local(clock, row["opened_at"]),
            "command": _command(kind, row["subject"], row["matter_id"]),
        }


def _command(kind: str, subject: str, matter_id: int) -> str:
    text = advice(kind).command
    if kind == "blocked" and not any(map(str.isdigit, subject)):
        return "jeonggi service"  # the shop or a PG as a whole, not one subscription
    return text.format(subject=shlex.quote(NAMED.sub("", subject)), id=matter_id)


def pages(store: Store, name: str, key: str, **parameters: object) -> Iterator[Row]:
    """Yield the rows of a query page by page, by its key."""
    after_id = 0
    while True:
        rows = store.rows(name, after_id=after_id, page=PAGE, **parameters)
        yield from rows
        if len(rows) < PAGE:
            return
        after_id = rows[-1][key]


def local(clock: Clock, moment: datetime) -> datetime:
    """Return one of our timestamps as the shop's local time."""
    return clock.to_local(utc(moment))


def close_by_hand(store: Store, ids: Sequence[int], at: datetime) -> list[str]:
    """Close matters that a person has dealt with; returns why others were not closed."""
    return store.transaction(partial(_close, ids, at)) if ids else []


def _close(ids: Sequence[int], at: datetime, tx: Transaction) -> list[str]:
    known = {row["matter_id"]: row for row in tx.rows("matters_by_id", ids=list(ids))}
    refused = []
    for each in ids:
        row = known.get(each)
        if row is None:
            refused.append(f"{each}: 그런 번호가 없습니다")
        elif not advice(row["kind"]).is_closed_by_hand:
            refused.append(f"{each}: 해결되면 저절로 닫힙니다. {advice(row['kind']).remedy}")
        else:
            tx.change("close_matter_seen", matter_id=each, at=at)
    return refused
