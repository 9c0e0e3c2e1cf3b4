"""Messages with sample facts, for whoever edits a template."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from lib.facts import (
    MESSAGES,
    AutoCancel,
    Digest,
    DigestEntry,
    DigestPart,
    Dropped,
    Facts,
    Kind,
    Line,
    PaymentDeclined,
    PaymentFailed,
    PaymentNotice,
    PriceRise,
)
from lib.rendering import Rendered, Renderer

LONG_BUYER = "남궁아름다운별빛나래 Alexandra Konstantinopoulou"
LONG_PRODUCT = "[정기배송 전용] 유기농 통밀로 구운 무가당 아침 식빵과 수제 딸기잼 선물 꾸러미(대용량)"
LONG_OPTION = "용량: 특대 1.5kg / 포장: 친환경 종이상자 / 굽기: 약하게"


def preview(kind: Kind, out: Path, templates: Path | None) -> list[Path]:
    """Write every message of a kind, for every sample, into files under `out`; raise TemplateError."""
    renderer = Renderer(templates)
    out.mkdir(parents=True, exist_ok=True)
    return [
        path
        for what, recipient, channel in MESSAGES
        if what == kind
        for sample, facts in SAMPLES[kind].items()
        for path in _write(
            out / f"{kind}.{recipient}.{sample}", renderer.render(kind, recipient, channel, vars(facts))
        )
    ]


def _write(stem: Path, message: Rendered) -> list[Path]:
    contents = {f"{stem}.txt": f"{message.subject}\n\n{message.body}", f"{stem}.html": message.html}
    if not message.html:
        contents = {f"{stem}.sms.txt": f"{message.body}\n"}
    for name, content in contents.items():
        Path(name).write_text(content, encoding="utf-8")
    return [Path(name) for name in contents]


def _line(product_name: str, option_value: str, quantity: int, unit_price: int, discount: int) -> Line:
    amount = unit_price * quantity - discount
    return Line(product_name, option_value, quantity, unit_price, discount, amount, round_no=3)


USUAL_LINES = (
    _line("우유 식빵", "두께: 두껍게", 2, 5500, 1100),
    _line("플레인 요거트 500ml", "", 1, 4900, 0),
    _line("아침 샐러드", "드레싱: 발사믹", 3, 7800, 2340),
)
LONG_LINES = (
    _line(LONG_PRODUCT, LONG_OPTION, 12, 128000, 153600),
    *(_line(f"제철 과일 상자 {number}호", "구성: 2~3인용", 1, 19800, 1980) for number in range(1, 30)),
)

_SHOP: dict[str, Any] = {
    "shop_name": "달빛베이커리",
    "homepage_url": "https://shop.example.com",
    "sender_phone": "0212345678",
    "operator_email": "help@shop.example.com",
}
_SUBSCRIPTION: dict[str, Any] = _SHOP | {
    "buyer_name": "홍길동",
    "member_id": "gildong",
    "subscription_id": "S-20261101-0000012",
}
_ROUND: dict[str, Any] = _SUBSCRIPTION | {
    "round_no": 3,
    "delivery_on": date(2026, 12, 1),
    "charge_until": date(2026, 12, 2),
    "amount_krw": 38860,
    "card_mask": "신한 4518-****-****-1234",
    "lines": USUAL_LINES,
}
_LONG: dict[str, Any] = {
    "shop_name": "우리 동네 건강한 아침을 만드는 달빛베이커리 앤 카페",
    "buyer_name": LONG_BUYER,
    "lines": LONG_LINES,
}

NOTICE = PaymentNotice(
    **_ROUND, charge_on=date(2026, 11, 30), items_amount=39300, discount_amount=3440, shipping_fee=3000
)
_LONG_NOTICE = replace(
    NOTICE,
    **_LONG,
    items_amount=2110200,
    discount_amount=211020,
    shipping_fee=0,
    amount_krw=1899180,
    dropped=(
        Dropped("계절 잼 3종 묶음", "", "set_product"),
        Dropped("딸기 우유 1L", "", "one_plus_n"),
        Dropped(LONG_PRODUCT, LONG_OPTION, "sold_out"),
        Dropped("달걀 30구", "등급: 1+", "short_of_stock"),
        Dropped("무염 버터 450g", "", "price_risen"),
    ),
    price_risen=(
        PriceRise(LONG_PRODUCT, LONG_OPTION, agreed_price=128000, price_now=135000, charged_price=128000),
        PriceRise("제철 과일 상자 1호", "", agreed_price=18000, price_now=19800, charged_price=19800),
    ),
)
_DECLINED = PaymentDeclined(
    **_ROUND,
    decline="soft",
    next_attempt_at=datetime(2026, 11, 30, 17, 0),  # noqa: DTZ001 the shop's local time
    last_attempt_at=datetime(2026, 12, 2, 17, 0),  # noqa: DTZ001 the shop's local time
)
_FAILED = PaymentFailed(**_ROUND, next_delivery_on=date(2026, 12, 29), decline_message="한도초과")
_CANCELLED = AutoCancel(**_SUBSCRIPTION, cancelled_on=date(2026, 12, 1), reason="pg_reset", lines=USUAL_LINES)
_ANNOUNCED = (
    DigestEntry("S-20261101-0000012", "홍길동", date(2026, 12, 1), 38860),
    DigestEntry("S-20261101-0000013", LONG_BUYER, date(2026, 12, 1), 1899180, dropped_items=5, risen_items=2),
)
_CANCELLATIONS = (
    DigestEntry("S-20260901-0000002", "이두리", reason="pg_reset"),
    DigestEntry("S-20260801-0000001", "박세찬", reason="count_finished"),
)
_DIGEST = Digest(
    **_SHOP,
    run_on=date(2026, 11, 29),
    parts=(
        DigestPart("payment_notice", 2, _ANNOUNCED),
        DigestPart("payment_failed", 1, (DigestEntry("S-20261001-0000004", "김하나", amount_krw=12900),)),
        DigestPart("auto_cancel", 2, _CANCELLATIONS),
    ),
)

SAMPLES: dict[Kind, dict[str, Facts]] = {
    "payment_notice": {"usual": NOTICE, "long": _LONG_NOTICE},
    "payment_declined": {
        "usual": _DECLINED,
        "long": replace(_DECLINED, **_LONG, amount_krw=1899180),
        "hard": replace(_DECLINED, decline="hard", next_attempt_at=None),
    },
    "payment_failed": {"usual": _FAILED, "long": replace(_FAILED, **_LONG, amount_krw=1899180)},
    "auto_cancel": {
        "usual": _CANCELLED,
        "long": replace(_CANCELLED, **_LONG),
        "finished": replace(_CANCELLED, reason="count_finished"),
    },
    "digest": {
        "usual": _DIGEST,
        "long": replace(_DIGEST, parts=(DigestPart("payment_notice", 12000, _ANNOUNCED * 50),)),
    },
}
"""Sample facts by kind and name: usual ones, long ones, and each other wording."""
