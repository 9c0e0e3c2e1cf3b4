"""What the rules make of an example: for each kind of table, its result columns from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from freezegun import freeze_time

from lib.billing import texts, words
from lib.billing.calendar import (
    Cycle,
    LateRules,
    charge_window,
    cycle_date,
    delivery_date,
    last_charge_day,
    next_stored_date,
)
from lib.billing.dunning import after_quiet_hours, choose_card, next_slot, retry_unsent
from lib.billing.invoice import Consent, OrderedPrice, agreed_price, charged_price, price_now
from lib.billing.numbers import order_no
from lib.billing.rounds import (
    CardStanding,
    Goods,
    PgStanding,
    Standing,
    blocked_reason,
    card_fault,
    dropped_reason,
)
from lib.command import read_as_of
from lib.settings import Policy
from tests.rules_page import NONE, Cells, Figures, day, days, moment, number, option, policy, sum_of

DEFAULT = Policy()
SEOUL = ZoneInfo("Asia/Seoul")
FIGURES = Figures()


@FIGURES.of("배송일 | 안내일 | 결제예정일 | 결제기한")
def charge_days(cells: Cells) -> dict[str, str]:
    try:
        window = charge_window(
            day(cells["배송일"]),
            day(cells["안내일"]),
            charge_days_before=DEFAULT.charge_days_before,
            retry_days=DEFAULT.retry_days,
        )
    except ValueError:
        return dict.fromkeys(("결제예정일", "결제기한"), "안내할 수 없음")
    return {"결제예정일": str(window.charge_on), "결제기한": str(window.charge_until)}


@FIGURES.of("배송시작일 | 주기 | 이어지는 배송일")
def cycle_dates(cells: Cells) -> dict[str, str]:
    start, cycle = day(cells["배송시작일"]), Cycle.parse(cells["주기"])
    return {"이어지는 배송일": ", ".join(str(cycle_date(start, cycle, k)) for k in (1, 2, 3))}


@FIGURES.of("배송시작일 | 주기 | 배송예정일 | 오늘 | 연속 미진행 | `on_missed` | 배송일")
def late_delivery(cells: Cells) -> dict[str, str]:
    on = delivery_date(
        day(cells["배송예정일"]),
        start=day(cells["배송시작일"]),
        cycle=Cycle.parse(cells["주기"]),
        today=day(cells["오늘"]),
        late=late_rules(policy(on_missed=option(cells["`on_missed`"]))),
        missed_in_a_row=number(cells["연속 미진행"]),
        taken=(),
    )
    return {"배송일": str(on)}


def late_rules(chosen: Policy) -> LateRules:
    return LateRules(chosen.on_missed, chosen.max_late_days, chosen.notice_days_before)


@FIGURES.of("배송예정일 | 이미 있는 회차 | 배송일")
def free_day(cells: Cells) -> dict[str, str]:
    stored = day(cells["배송예정일"])
    on = delivery_date(
        stored,
        start=stored,
        cycle=Cycle.parse("1M"),
        today=stored.replace(day=1),
        late=late_rules(DEFAULT),
        missed_in_a_row=0,
        taken=days(cells["이미 있는 회차"]),
    )
    return {"배송일": str(on)}


@FIGURES.of("배송시작일 | 주기 | 이번 배송일 | 고객이 정한 날 | 다음 배송일")
def following_date(cells: Cells) -> dict[str, str]:
    this, chosen = day(cells["이번 배송일"]), cells["고객이 정한 날"]
    stored = this if chosen == NONE else day(chosen)
    on = next_stored_date(day(cells["배송시작일"]), Cycle.parse(cells["주기"]), this, stored)
    return {"다음 배송일": str(on)}


GOODS: dict[str, Callable[[int | None], Goods | None]] = {
    "보통 상품": lambda stock: Goods(1, None, is_on_sale=True, is_sold_out=False, stock=stock),
    "품절 상품": lambda stock: Goods(1, None, is_on_sale=True, is_sold_out=True, stock=stock),
    "세트상품": lambda stock: Goods(1, "set_product", is_on_sale=True, is_sold_out=False, stock=stock),
    "1+N 이벤트 상품": lambda stock: Goods(1, "one_plus_n", is_on_sale=True, is_sold_out=False, stock=stock),
    "진열안함·판매중지 상품": lambda stock: Goods(1, None, is_on_sale=False, is_sold_out=False, stock=stock),
    "삭제된 상품": lambda _stock: None,
}


@FIGURES.of("상품 | 재고 | 이번 회차 수량 | `on_sold_out` | 이번 회차")
def dropped(cells: Cells) -> dict[str, str]:
    stock = None if cells["재고"] == "세지 않음" else number(cells["재고"])
    chosen = policy(on_sold_out=option(cells["`on_sold_out`"]))
    goods = GOODS[cells["상품"]](stock)
    reason = dropped_reason(goods, number(cells["이번 회차 수량"]), chosen.on_sold_out)
    return {"이번 회차": words.excluded(reason) if reason else "포함"}


PG = PgStanding(is_in_use=True, is_service_in_use=True)
CARD = CardStanding("haneul", "tosspayments", datetime(2026, 6, 1))
FREE = Standing(
    is_shop_ready=True,
    member_id="haneul",
    is_withdrawn=False,
    pg=PG,
    card=CARD,
    is_reachable=True,
    earliest_on=day("2026-12-03"),
    first_delivery=day("2026-12-01"),
    is_ordered=False,
)
STANDINGS = {
    "쇼핑몰이 새 상품관리를 쓰지 않음": replace(FREE, is_shop_ready=False),
    "회원이 탈퇴함": replace(FREE, is_withdrawn=True),
    "켜 둔 메일·SMS 어느 쪽으로도 고객에게 보낼 주소가 없음": replace(FREE, is_reachable=False),
    "배송예정일이 `first_delivery`보다 앞섬": replace(FREE, earliest_on=day("2026-11-30")),
    "쇼핑몰에 그 회차나 그 상품의 주문이 이미 있음": replace(FREE, is_ordered=True),
    "주 카드가 없음": replace(FREE, card=None),
    "주 카드가 다른 회원의 것임": replace(FREE, card=replace(CARD, member_id="bada")),
    "주 카드를 등록한 뒤에 그 PG의 계약이 끝남": replace(
        FREE, pg=replace(PG, ended_at=datetime(2026, 11, 1))
    ),
    "그 PG를 초기화하고 있음": replace(FREE, pg=replace(PG, is_resetting=True)),
    "PG 계약이 이용중이 아님": replace(FREE, pg=replace(PG, is_in_use=False)),
    "정기결제 서비스가 이용중이 아님": replace(FREE, pg=replace(PG, is_service_in_use=False)),
}


@FIGURES.of("막힌 까닭 | 표시되는 사유")
def blocked(cells: Cells) -> dict[str, str]:
    reason = blocked_reason(STANDINGS[cells["막힌 까닭"]])
    return {"표시되는 사유": words.BLOCKED[reason] if reason else NONE}


@FIGURES.of("배송일 | 신청한 가격 | 동의 | 지난 주문 | 지금 가격 | `on_price_rise` | 이번 가격")
def risen_price(cells: Cells) -> dict[str, str]:
    applied = _dated(cells["신청한 가격"])
    consent, order = _dated(cells["동의"]), _dated(cells["지난 주문"])
    assert applied
    sold_at = None if cells["지금 가격"] == "판매 안 함" else sum_of(cells["지금 가격"])
    on = day(cells["배송일"])
    agreed = agreed_price(
        applied_for=applied[0],
        applied_at=applied[1],
        consents=[Consent(*consent)] if consent else [],
        newest_order=OrderedPrice(*order) if order else None,
        now=datetime.combine(on - timedelta(days=DEFAULT.notice_days_before), time(9)),
        last_charge_on=last_charge_day(on, DEFAULT.retry_days),
    )
    chosen = policy(on_price_rise=option(cells["`on_price_rise`"])).on_price_rise
    price = charged_price(price_now(sold_at, 0, applied[0]), agreed, chosen)
    return {"이번 가격": "제외" if price.dropped else texts.won(price.unit_price)}


def _dated(text: str) -> tuple[int, datetime] | None:
    """Read 12,900원 (2026-06-01)."""
    if text == NONE:
        return None
    amount, _, on = text.rstrip(")").partition(" (")
    return sum_of(amount), datetime.fromisoformat(on)


@FIGURES.of("적힌 휴대전화 | 문자를 보낼 번호")
def mobile(cells: Cells) -> dict[str, str]:
    return {"문자를 보낼 번호": texts.mobile_number(cells["적힌 휴대전화"]) or NONE}


@FIGURES.of("적힌 메일 | 메일을 보낼 주소")
def mail(cells: Cells) -> dict[str, str]:
    return {"메일을 보낼 주소": texts.mail_address(cells["적힌 메일"]) or NONE}


@FIGURES.of("문자 | 바이트 | 종류 | 차감")
def sms_size(cells: Cells) -> dict[str, str]:
    text = texts.sms_text(cells["문자"])
    kind = texts.sms_kind(text)
    units = DEFAULT.sms_units if kind == "SMS" else DEFAULT.lms_units
    return {"바이트": str(texts.sms_bytes(text)), "종류": kind, "차감": f"{words.CREDIT['sms']} {units}건"}


@FIGURES.of("작업이 보내려는 때 | `quiet_hours` | 보낼 수 있는 때")
def quiet(cells: Cells) -> dict[str, str]:
    hours = policy(quiet_hours=option(cells["`quiet_hours`"])).quiet_hours
    return {"보낼 수 있는 때": _minute(after_quiet_hours(moment(cells["작업이 보내려는 때"]), hours))}


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


DECLINED, HARD_DECLINED = "이번 실행에서 거절됨", "이번 회차에서 다시 시도하지 않는 거절"


@FIGURES.of("주 카드 | 보조 카드 | 결제할 카드")
def chosen_card(cells: Cells) -> dict[str, str]:
    names = {1: "주 카드", 2: "보조 카드"}
    said = {card: cells[name] for card, name in names.items()}
    assert set(said.values()) <= {"쓸 수 있음", DECLINED, HARD_DECLINED, NONE}
    chosen = choose_card(
        [card for card in names if said[card] != NONE],
        [card for card in names if said[card] == HARD_DECLINED],
        [card for card in names if said[card] == DECLINED],
    )
    return {"결제할 카드": names[chosen] if chosen else NONE}


@FIGURES.of("카드 등록 | PG 계약 종료 | 그 카드")
def ended_card(cells: Cells) -> dict[str, str]:
    card = replace(CARD, registered_at=moment(cells["카드 등록"]))
    ended = None if cells["PG 계약 종료"] == NONE else moment(cells["PG 계약 종료"])
    fault = card_fault(card, "haneul", replace(PG, ended_at=ended))
    return {"그 카드": words.BLOCKED[fault] if fault else "쓸 수 있음"}


@FIGURES.of("거절된 때 | 결제기한 | 다음 시도")
def slot(cells: Cells) -> dict[str, str]:
    coming = next_slot(moment(cells["거절된 때"]), DEFAULT.retry_times, day(cells["결제기한"]))
    return {"다음 시도": _minute(coming) if coming else NONE}


@FIGURES.of("보내지 못한 때 | 다음 시도")
def unsent(cells: Cells) -> dict[str, str]:
    return {"다음 시도": _minute(retry_unsent(moment(cells["보내지 못한 때"]), DEFAULT.quiet_hours))}


@FIGURES.of("쇼핑몰 번호 | 신청번호 | 배송일 | 시도 | 주문번호")
def order_number(cells: Cells) -> dict[str, str]:
    shop_no, attempt_no = int(cells["쇼핑몰 번호"]), int(cells["시도"])
    return {"주문번호": order_no(shop_no, cells["신청번호"], day(cells["배송일"]), attempt_no)}


@FIGURES.of("지금 | `--as-of` | 기준 시각")
def stands_on(cells: Cells) -> dict[str, str]:
    given = None if cells["`--as-of`"] == NONE else cells["`--as-of`"]
    with freeze_time(moment(cells["지금"]).replace(tzinfo=SEOUL)):
        return {"기준 시각": _minute(read_as_of(given, SEOUL))}
