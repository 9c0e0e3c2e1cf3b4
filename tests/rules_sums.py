"""The examples of rule 4: what discount, shipping fee and region fee come to."""

from __future__ import annotations

import re
from typing import Literal

from lib.billing import texts
from lib.billing.invoice import Line, Setting, ShippingPolicy, make_invoice, region_fee
from tests.rules_page import NONE, Cells, Figures, sum_of

SUMS = Figures()
_PIECES = re.compile(r"([\d,]+원) × (\d+)개 \((\d+)회차\)")
_STEP = re.compile(r"(\d+)회차부터 (?:(\d+)%|(개당|줄당) ([\d,]+원))")
SHIPPING: dict[str, Literal["prepaid", "free", "collect"]] = {
    "선결제": "prepaid",
    "무료": "free",
    "착불": "collect",
}


@SUMS.of("상품 | 할인 설정 | 할인 기준 | 할인")
def discount(cells: Cells) -> dict[str, str]:
    setting = _setting(cells["할인 설정"], _sum_or_none(cells["할인 기준"]))
    lines = [_line(each, setting) for each in cells["상품"].split(" + ")]
    return {"할인": texts.won(make_invoice(lines, ShippingPolicy(0, None), 0).discount_amount)}


def _line(text: str, setting: Setting) -> Line:
    """Read 12,900원 × 2개 (3회차)."""
    found = _PIECES.fullmatch(text)
    assert found, text
    return Line(0, int(found[3]), sum_of(found[1]), int(found[2]), setting, "prepaid")


def _setting(text: str, threshold: int | None) -> Setting:
    """Read 1회차부터 5%, 3회차부터 10%; or 1회차부터 개당 1,000원."""
    found = [] if text == NONE else [_STEP.fullmatch(each) for each in text.split(", ")]
    steps = [each for each in found if each]
    assert len(steps) == len(found), text
    return Setting(
        setting_no=1,
        unit="won" if any(each[4] for each in steps) else "percent",
        per_piece=any(each[3] == "개당" for each in steps),
        threshold=threshold,
        waives_region_fee=False,
        steps=tuple((int(each[1]), sum_of(each[4]) if each[4] else int(each[2])) for each in steps),
    )


def _sum_or_none(text: str) -> int | None:
    return None if text == NONE else sum_of(text)


@SUMS.of("할인 뒤 합계 | 상품의 배송비 | 기본 배송비 | 무료 기준 | 지역 배송비 | 지역까지 무료 | 배송비")
def shipping(cells: Cells) -> dict[str, str]:
    waives = {"예": True, "아니오": False}[cells["지역까지 무료"]]
    setting = Setting(1, "percent", per_piece=False, threshold=None, waives_region_fee=waives, steps=())
    sums = [sum_of(cells["할인 뒤 합계"]), 0]
    kinds = [SHIPPING[each] for each in cells["상품의 배송비"].split(" + ")]
    lines = [Line(0, 1, price, 1, setting, kind) for price, kind in zip(sums, kinds, strict=False)]
    fees = ShippingPolicy(sum_of(cells["기본 배송비"]), _sum_or_none(cells["무료 기준"]))
    return {"배송비": texts.won(make_invoice(lines, fees, sum_of(cells["지역 배송비"])).shipping_fee)}


@SUMS.of("우편번호 | 지역 배송비 구간 | 지역 배송비")
def region(cells: Cells) -> dict[str, str]:
    codes, _, fee = cells["지역 배송비 구간"].partition(" ")
    first, _, last = codes.partition("~")
    return {"지역 배송비": texts.won(region_fee(cells["우편번호"], [(first, last, sum_of(fee))]))}
