"""The five lives. Every figure is worked out by hand from the rules."""

from __future__ import annotations

from datetime import date, datetime

from lib.sandbox import Card
from tests.jobs.charging import MAIN, SOFT
from tests.lives.telling import ID, Life, Step, job, nothing, sql
from tests.rig import Rig
from tests.shopkeeper import Item, Subscribed, card, open_shop, subscription

NOTICE, CHARGE, RESET = "notify_d2", "charge_d1", "reset_pg"


def _subscribed(rig: Rig, *items: Item, answers: tuple[str, ...] = ("approve",)) -> Subscribed:
    open_shop(rig)
    main = card(rig, billing_key=MAIN)
    rig.sandbox.toss.register(Card(MAIN, script=answers))
    first = items[0].delivery_on or date.max
    created = datetime(2026, 1, 5, 9)
    return subscription(rig, ID, delivery_on=first, items=items, card_id=main, created_date=created)


MONTH_END = Life(
    "말일 배송: 마지막 날에야 결제됨",
    lambda rig: _subscribed(
        rig,
        Item(cycle="1M", delivery_on=date(2026, 1, 31)),
        answers=(SOFT, SOFT, SOFT, SOFT, "approve"),
    ),
    (
        Step(
            "2026-01-29T09:00",
            "D-2 안내",
            job(NOTICE),
            ("이용중", "1M 이용중 2026-01-31 1회차", "2026-01-31 결제대기 12,900원"),
        ),
        Step(
            "2026-01-30T10:00",
            "D-1 결제: 한도 초과",
            job(CHARGE),
            ("이용중", "1M 이용중 2026-01-31 1회차", "2026-01-31 결제대기 12,900원"),
        ),
        Step(
            "2026-01-30T17:00",
            "두 번째 시도: 한도 초과",
            job(CHARGE),
            ("이용중", "1M 이용중 2026-01-31 1회차", "2026-01-31 결제대기 12,900원"),
        ),
        Step(
            "2026-01-31T10:00",
            "배송일, 세 번째 시도: 한도 초과",
            job(CHARGE),
            ("이용중", "1M 이용중 2026-01-31 1회차", "2026-01-31 결제대기 12,900원"),
        ),
        Step(
            "2026-01-31T17:00",
            "네 번째 시도: 한도 초과",
            job(CHARGE),
            ("이용중", "1M 이용중 2026-01-31 1회차", "2026-01-31 결제대기 12,900원"),
        ),
        Step(
            "2026-02-01T10:00",
            "다섯 번째 시도: 승인",
            job(CHARGE),
            ("이용중", "1M 이용중 2026-02-28 2회차", "2026-01-31 결제완료 12,900원"),
        ),
        Step(
            "2026-02-26T09:00",
            "2회차 안내: 2월에는 31일이 없음",
            job(NOTICE),
            (
                "이용중",
                "1M 이용중 2026-02-28 2회차",
                "2026-01-31 결제완료 12,900원",
                "2026-02-28 결제대기 12,900원",
            ),
        ),
        Step(
            "2026-02-27T10:00",
            "2회차 결제: 다음은 다시 31일",
            job(CHARGE),
            (
                "이용중",
                "1M 이용중 2026-03-31 3회차",
                "2026-01-31 결제완료 12,900원",
                "2026-02-28 결제완료 12,900원",
            ),
        ),
    ),
)

FOR_TOMORROW = Life(
    "내일 받겠다는 신청: 늦은 안내, 배송일에 결제",
    lambda rig: _subscribed(rig, Item(cycle="1M", delivery_on=date(2026, 12, 2))),
    (
        Step(
            "2026-12-01T16:00",
            "그날 오후에 손으로 돌린 안내",
            job(NOTICE),
            ("이용중", "1M 이용중 2026-12-02 1회차", "2026-12-02 결제대기 12,900원"),
        ),
        Step(
            "2026-12-01T17:00",
            "안내한 날에는 결제하지 않음",
            job(CHARGE),
            ("이용중", "1M 이용중 2026-12-02 1회차", "2026-12-02 결제대기 12,900원"),
        ),
        Step(
            "2026-12-02T10:00",
            "배송일에 결제",
            job(CHARGE),
            ("이용중", "1M 이용중 2027-01-02 2회차", "2026-12-02 결제완료 12,900원"),
        ),
    ),
)

MEETING = Life(
    "두 주기가 만나는 날: 안내한 뒤 한 상품을 해지",
    lambda rig: _subscribed(
        rig,
        Item(cycle="2W", start_date=date(2026, 11, 19), delivery_on=date(2026, 12, 3), round_no=2),
        Item(2, 8_000, cycle="1M", delivery_on=date(2026, 12, 3), name="드립백 10개"),
    ),
    (
        Step(
            "2026-12-01T09:00",
            "한 회차로 안내",
            job(NOTICE),
            (
                "이용중",
                "2W 이용중 2026-12-03 2회차",
                "1M 이용중 2026-12-03 1회차",
                "2026-12-03 결제대기 20,900원",
            ),
        ),
        Step(
            "2026-12-01T20:00",
            "고객이 1M 상품을 해지",
            sql(
                "UPDATE subscription_item SET subscription_state = 'M', terminated_date = :at "
                "WHERE subscription_shipments_cycle = '1M'"
            ),
            (
                "이용중",
                "2W 이용중 2026-12-03 2회차",
                "1M 고객해지 2026-12-03 1회차",
                "2026-12-03 결제대기 20,900원",
            ),
        ),
        Step(
            "2026-12-02T10:00",
            "안내한 대로 결제하고 둘 다 보냄",
            job(CHARGE),
            (
                "이용중",
                "2W 이용중 2026-12-17 3회차",
                "1M 고객해지 2026-12-03 1회차",
                "2026-12-03 결제완료 20,900원",
            ),
        ),
        Step(
            "2026-12-15T09:00",
            "다음 회차는 남은 상품만",
            job(NOTICE),
            (
                "이용중",
                "2W 이용중 2026-12-17 3회차",
                "1M 고객해지 2026-12-03 1회차",
                "2026-12-03 결제완료 20,900원",
                "2026-12-17 결제대기 12,900원",
            ),
        ),
    ),
)

RESET_BETWEEN = Life(
    "안내와 결제 사이에 PG가 바뀜",
    lambda rig: _subscribed(rig, Item(cycle="1M", delivery_on=date(2026, 12, 3))),
    (
        Step(
            "2026-12-01T09:00",
            "D-2 안내",
            job(NOTICE),
            ("이용중", "1M 이용중 2026-12-03 1회차", "2026-12-03 결제대기 12,900원"),
        ),
        Step(
            "2026-12-02T09:55",
            "관리자가 PG를 바꿈",
            sql(
                "UPDATE pg_contract SET state = 'terminated', terminated_at = :at, termination = 'changed'",
            ),
            ("이용중", "1M 이용중 2026-12-03 1회차", "2026-12-03 결제대기 12,900원"),
        ),
        Step(
            "2026-12-02T10:00",
            "결제하지 않음: 카드의 계약이 끝남",
            job(CHARGE, 1),
            (
                "이용중",
                "1M 이용중 2026-12-03 1회차",
                "2026-12-03 결제대기 12,900원",
                "확인할 일: 진행 불가",
            ),
        ),
        Step(
            "2026-12-02T10:10",
            "PG 초기화",
            job(RESET),
            ("해지", "1M 자동해지 2026-12-03 1회차", "2026-12-03 취소 12,900원"),
        ),
        Step(
            "2026-12-02T17:00",
            "결제할 것이 없음",
            job(CHARGE),
            ("해지", "1M 자동해지 2026-12-03 1회차", "2026-12-03 취소 12,900원"),
        ),
    ),
)

TWENTY_DAYS = Life(
    "안내한 뒤 서버가 스무 날 꺼져 있음",
    lambda rig: _subscribed(rig, Item(cycle="1W", delivery_on=date(2026, 12, 3))),
    (
        Step(
            "2026-12-01T09:00",
            "D-2 안내",
            job(NOTICE),
            ("이용중", "1W 이용중 2026-12-03 1회차", "2026-12-03 결제대기 12,900원"),
        ),
        Step(
            "2026-12-21T20:00",
            "12월 1일 밤부터 꺼져 있음",
            nothing,
            ("이용중", "1W 이용중 2026-12-03 1회차", "2026-12-03 결제대기 12,900원"),
        ),
        Step(
            "2026-12-22T08:30",
            "켜자마자 결제: 기간이 지났으니 결제하지 않음",
            job(CHARGE, 1),
            ("이용중", "1W 이용중 2026-12-03 1회차", "2026-12-03 미진행 12,900원", "확인할 일: 미진행"),
        ),
        Step(
            "2026-12-22T09:00",
            "열나흘 넘게 지났으니 다음 주기로, 한 회차만",
            job(NOTICE),
            (
                "이용중",
                "1W 이용중 2026-12-24 1회차",
                "2026-12-03 미진행 12,900원",
                "2026-12-24 결제대기 12,900원",
                "확인할 일: 미진행",
            ),
        ),
        Step(
            "2026-12-23T10:00",
            "D-1 결제",
            job(CHARGE),
            (
                "이용중",
                "1W 이용중 2026-12-31 2회차",
                "2026-12-03 미진행 12,900원",
                "2026-12-24 결제완료 12,900원",
                "확인할 일: 미진행",
            ),
        ),
    ),
)

LIVES = (MONTH_END, FOR_TOMORROW, MEETING, RESET_BETWEEN, TWENTY_DAYS)
