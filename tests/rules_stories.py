"""Plays the stories of the page with the real jobs: what happens, and what is seen of it afterwards."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lib.billing import texts, words
from lib.sandbox import Card, Fault
from tests import shopkeeper
from tests.jobs.charging import HARD, SOFT, charges, due_at
from tests.rig import Rig, Run
from tests.rules_page import NONE, Row, compare, day, moment, sum_of

STORY = "언제 | 무슨 일 | 결과"
PROGRAMS = {"notify-d2": "notify_d2", "charge-d1": "charge_d1", "reset-pg": "reset_pg"}
CARDS = {"bk-main": "주 카드", "bk-backup": "보조 카드", "bk-new": "새 카드"}


@dataclass
class Stage:
    """A shop in which a story is played."""

    rig: Rig
    at: datetime = datetime(2026, 1, 1)
    last: Run | None = None
    applied: list[shopkeeper.Subscribed] = field(default_factory=list)

    def store_card(self, key: str) -> int:
        stored = self.rig.shop("SELECT card_id FROM card WHERE billing_key = :key", key=key)
        return stored[0]["card_id"] if stored else shopkeeper.card(self.rig, billing_key=key)

    def card_answers(self, key: str, word: str) -> None:
        self.rig.sandbox.toss.register(Card(key, script=(word,)))

    @property
    def counts(self) -> dict[str, Any]:
        assert self.last, "아직 실행한 작업이 없음"
        return self.last.counts


def play(rig: Rig, rows: tuple[Row, ...]) -> None:
    """Let everything of a story happen, and hold each row to what is seen after it."""
    shopkeeper.open_shop(rig)
    stage = Stage(rig)
    for row in rows:
        stage.at = moment(row.cells["언제"])
        happen(stage, row)
        compare(row, {"결과": ", ".join(seen(stage, row))})


def happen(stage: Stage, row: Row) -> None:
    told = row.cells["무슨 일"]
    for pattern, act in ACTS.items():
        if found := re.fullmatch(pattern, told):
            act(stage, **found.groupdict())
            return
    raise AssertionError(f"{row.place}: 시험이 모르는 일 '{told}'")


def seen(stage: Stage, row: Row) -> Iterator[str]:
    """Yield each fact that a row names, with the value it has."""
    for said in row.cells["결과"].split(", "):
        label = max(
            (each for each in [*SIGHTS, *COUNTED] if said.startswith(f"{each} ")), key=len, default=None
        )
        assert label, f"{row.place}: 시험이 모르는 결과 '{said}'"
        value = SIGHTS[label](stage) if label in SIGHTS else str(counted(stage, label))
        yield f"{label} {value}"


def counted(stage: Stage, label: str) -> int:
    """Return what the last run counted under a label of its summary."""
    (name,) = (name for name in COUNTED[label] if name in stage.counts)
    found: int = stage.counts[name]
    return found


COUNTED: dict[str, list[str]] = {}
for _name, _label in words.COUNT.items():
    COUNTED.setdefault(_label, []).append(_name)


# What happens


def run_job(stage: Stage, command: str) -> None:
    program, *options = shlex.split(command)
    stage.last = stage.rig.run(
        PROGRAMS[program], "--as-of", f"{stage.at:%Y-%m-%dT%H:%M}", *options, check=None
    )


def apply(
    stage: Stage, price: str, cycle: str, on: str, round_no: str | None, limit: str | None, backup: str | None
) -> None:
    stage.card_answers("bk-main", "approve")
    item = shopkeeper.Item(
        price=sum_of(price), cycle=cycle, round_no=int(round_no or 1), max_rounds=int(limit or 0)
    )
    given = shopkeeper.subscription(
        stage.rig,
        f"S-{len(stage.applied) + 1}",
        delivery_on=day(on),
        items=(item,),
        card_id=stage.store_card("bk-main"),
        backup_card_id=stage.store_card("bk-backup") if backup else None,
        created_date=stage.at,
    )
    stage.applied.append(given)


def have_credits(stage: Stage, mails: str, sms: str) -> None:
    shopkeeper.credits(stage.rig, int(mails), int(sms))


def switch_customers_off(stage: Stage) -> None:
    shopkeeper.mail_switch(stage.rig, "payment_notice", customer="F")
    shopkeeper.sms_switch(stage.rig, customer="F")


def sell_out(stage: Stage) -> None:
    stage.rig.shop("UPDATE product SET sold_out = 'T'")


def pause(stage: Stage) -> None:
    stage.rig.shop("UPDATE subscription_item SET subscription_state = 'B'")


def resume(stage: Stage) -> None:
    stage.rig.shop("UPDATE subscription_item SET subscription_state = 'U'")


def set_price(stage: Stage, price: str) -> None:
    stage.rig.shop("UPDATE product SET price = :price", price=sum_of(price))


def consent(stage: Stage, price: str) -> None:
    shopkeeper.consent(stage.rig, stage.applied[-1].item_id, sum_of(price), stage.at)


def change_card(stage: Stage) -> None:
    stage.card_answers("bk-new", "approve")
    stage.rig.shop("UPDATE subscription SET card_id = :card_id", card_id=stage.store_card("bk-new"))


def lose_answer(stage: Stage) -> None:
    stage.rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=True, times=1))


def end_contract(stage: Stage, why: str) -> None:
    (termination,) = (code for code, word in words.TERMINATION.items() if word == why)
    shopkeeper.terminate_contract(stage.rig, stage.at, termination)


def spoil(stage: Stage, quantity: str) -> None:
    item_id = stage.applied[-1].item_id
    stage.rig.shop(
        "UPDATE subscription_item SET quantity = :quantity WHERE subscription_item_id = :item_id",
        quantity=int(quantity),
        item_id=item_id,
    )


ACTS: dict[str, Callable[..., None]] = {
    r"`(?P<command>(?:notify-d2|charge-d1|reset-pg)[^`]*)`": run_job,
    r"신청: (?P<price>[\d,]+원), 주기 (?P<cycle>\w+), 배송일 (?P<on>[\d-]+)(?:, (?P<round_no>\d+)회차)?"
    r"(?:, 배송 횟수 (?P<limit>\d+)번)?(?P<backup>, 보조 카드 있음)?": apply,
    r"건수: 대량메일 (?P<mails>\d+)건, SMS (?P<sms>\d+)건": have_credits,
    "고객의 결제 안내 메일과 SMS를 끔": switch_customers_off,
    "상품 품절": sell_out,
    "고객이 상품을 일시정지": pause,
    "고객이 상품을 다시 이용": resume,
    r"판매가가 (?P<price>[\d,]+원)이 됨": set_price,
    r"고객이 (?P<price>[\d,]+원)에 동의": consent,
    "주 카드 잔액 부족": lambda stage: stage.card_answers("bk-main", SOFT),
    "주 카드 정지": lambda stage: stage.card_answers("bk-main", HARD),
    "고객이 새 카드로 바꿈": change_card,
    "다음 결제의 대답이 사라짐": lose_answer,
    r"PG 계약 종료: (?P<why>\w+)": end_contract,
    r"나중 신청의 수량이 (?P<quantity>\d+)개가 됨": spoil,
}


# What is seen of it


def _rounds(stage: Stage, column: str) -> list[Any]:
    rows = stage.rig.ours("SELECT * FROM billing_round ORDER BY subscription_id, delivery_on")
    return [row[column] for row in rows]


def _items(stage: Stage, column: str) -> list[Any]:
    rows = stage.rig.shop("SELECT * FROM subscription_item ORDER BY subscription_item_id")
    return [row[column] for row in rows]


def _joined(values: list[Any]) -> str:
    return " · ".join(map(str, values)) or NONE


def _paying_card(stage: Stage) -> str:
    return _joined([CARDS[each.billing_key] for each in stage.rig.sandbox.toss.approvals()])


def _credit(channel: str) -> Callable[[Stage], str]:
    return lambda stage: f"{shopkeeper.credits_left(stage.rig)[channel]}건"


def _mails(kind: str) -> Callable[[Stage], str]:
    def sent(stage: Stage) -> str:
        rows = stage.rig.ours("SELECT 1 FROM message WHERE kind = :kind AND state = 'accepted'", kind=kind)
        return f"{len(rows)}건"

    return sent


def _told_of_rise(stage: Stage) -> str:
    rows = stage.rig.ours("SELECT body FROM message WHERE recipient = 'customer' AND channel = 'mail'")
    return f"{sum('[가격이 오른 상품]' in (row['body'] or '') for row in rows)}통"


def _matters(stage: Stage) -> str:
    rows = stage.rig.ours("SELECT kind FROM matter WHERE closed_at IS NULL ORDER BY matter_id")
    return _joined([words.MATTER[row["kind"]] for row in rows])


def _number_of(table: str, unit: str) -> Callable[[Stage], str]:
    return lambda stage: f"{len(stage.rig.shop(f'SELECT 1 FROM {table}'))}{unit}"


SIGHTS: dict[str, Callable[[Stage], str]] = {
    "회차": lambda stage: _joined([words.ROUND[each] for each in _rounds(stage, "state")]),
    "배송일": lambda stage: _joined(_rounds(stage, "delivery_on")),
    "안내일": lambda stage: _joined(_rounds(stage, "announced_on")),
    "결제예정일": lambda stage: _joined(_rounds(stage, "charge_on")),
    "회차 금액": lambda stage: _joined([texts.won(each) for each in _rounds(stage, "amount_krw")]),
    "결제기한": lambda stage: _joined(_rounds(stage, "charge_until")),
    "다음 시도": lambda stage: due_at(stage.rig).replace("T", " "),
    "배송예정일": lambda stage: _joined(_items(stage, "expected_delivery_date")),
    "다음 회차": lambda stage: _joined(_items(stage, "subscription_shipments_sequence")),
    "신청": lambda stage: _joined(
        [
            words.SUBSCRIPTION[row["subscription_state"]]
            for row in stage.rig.shop("SELECT * FROM subscription ORDER BY subscription_id")
        ]
    ),
    "종료": lambda stage: str(stage.last.exit_code if stage.last else NONE),
    "확인할 일": _matters,
    "가격 인상을 알린 안내": _told_of_rise,
    "결제 요청": lambda stage: f"{charges(stage.rig)}번",
    "승인": lambda stage: f"{len(stage.rig.sandbox.toss.approvals())}건",
    "결제된 카드": _paying_card,
    "주문": _number_of("orders", "건"),
    "카드": _number_of("card", "장"),
    "남은 대량메일": _credit("bulk_mail"),
    "남은 SMS": _credit("sms"),
    **{label: _mails(kind) for kind, label in words.MESSAGE_KIND.items()},
}
