"""What the simulated shop sells and how: products, subscription settings, shipping, PG contracts, credits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from lib.billing.invoice import Setting, ShippingPolicy
from lib.sandbox.recipe import Recipe, Row

# number | name | price | setting, if any | option=extra won …
_ON_SALE = """
101|에티오피아 예가체프 G1 원두 200g|13900|1|홀빈=0 핸드드립=0 에스프레소=0
102|콜롬비아 수프리모 원두 500g|21500|1|홀빈=0 핸드드립=0 1kg=18000
103|시그니처 블렌드 '달빛' 원두 1kg|32000|1|홀빈=0 모카포트=500
104|디카페인 브라질 원두 200g|15400|1|홀빈=0 핸드드립=0
105|콜드브루 원액 500ml × 2병|18900|1|
106|드립백 커피 20개입|14800|1|산미=0 고소함=0
107|캡슐 커피 60개입 (N사 호환)|27600|1|
108|유기농 보이차 티백 50개입|12300|1|
201|강아지 사료 <연어 & 고구마> 5kg|48700|2|퍼피=0 어덜트=0 시니어=2000
202|고양이 사료 실내묘 2kg|26900|2|
203|두부모래 7L × 6개|31800|2|오리지널=0 녹차=0
204|배변패드 100매|19800|2|소형=0 대형=6000
205|집사의 '간식' 캔 80g × 24|28800|2|
206|강아지 덴탈껌 30개입|15900|2|
207|"오늘도 산책" 유산균 60포|24500|2|
301|3겹 천연펄프 화장지 30롤|21900|3|
302|물티슈 100매 × 10팩 {{캡형}}|13500|3|
303|액체세탁세제 3L × 2|18600|3|일반=0 드럼=0
304|주방세제 리필 1.2L × 3|11700|3|
305|생리대 중형 16P × 6|29900|3|중형=0 대형=1500
306|KF94 마스크 50매|15000|3|화이트=0 블랙=0
307|대나무 칫솔 10개입|9900|3|
308|미세먼지 필터 (공기청정기용) 2매|33000|3|
309|건전지 AA 20개 🔋|12800|3|
401|친환경 제철 채소 꾸러미|29000|4|1인=-6000 2인=0 4인=15000
402|무항생제 유정란 30구|13200|4|
403|산지직송 제주 감귤 5kg|24900|4|
404|냉동 닭가슴살 1kg × 3|26400|4|오리지널=0 매콤=0
405|햇반 즉석밥 210g × 24|25900|4|
406|포기김치 5kg|34900|4|
407|생수 2L × 12병|11900|4|
408|그릭요거트 450g × 4|19600|4|
409|국산콩 두유 190ml × 48|31200|4|
410|쌀 10kg (경기 이천, 당일 도정)|42000|4|
501|종합비타민 90정|23000|5|
502|오메가3 1,200mg 60캡슐|27000|5|
503|프로바이오틱스 100억 30포|32000|5|
504|루테인 지아잔틴 30캡슐|19000|5|
505|콜라겐 펩타이드 60포|45000|5|
506|홍삼정 에브리타임 30포|88000|5|
601|손글씨 월간 문구 세트|16500||
602|이달의 꽃다발|39000||S=0 M=10000
"""
# The same, with what keeps it from being delivered or sold.
_WITHHELD = """
901|한정판 게이샤 원두 100g|45000|1||sold_out
902|수제 육포 500g|22000|2||short_of_stock
903|커피 입문자 선물 세트|59000|1||set_product
904|고양이 캔 1+1 기획|25000|2||one_plus_n
905|단종된 섬유유연제 2L|8900|3||deleted
906|시즌오프 전통 한과|27500|4||hidden
907|판매 종료 비타민C 200정|17000|5||not_selling
"""
_FAULTS: dict[str, Row] = {
    "": {},
    "sold_out": {"sold_out": "T", "stock_quantity": 0},
    "short_of_stock": {"stock_quantity": 1},
    "set_product": {"product_type": "B"},
    "one_plus_n": {"one_plus_n": "T"},
    "deleted": {"selling": "F", "display": "F"},
    "hidden": {"display": "F"},
    "not_selling": {"selling": "F"},
}

SETTINGS = {
    1: Setting(1, "percent", True, None, False, ((1, 5), (4, 10), (8, 15))),
    2: Setting(2, "won", True, None, False, ((1, 500), (6, 1000))),
    3: Setting(3, "won", False, 30_000, True, ((1, 1000), (3, 2000), (12, 3000))),
    4: Setting(4, "percent", True, 20_000, False, ((2, 7),)),
    5: Setting(5, "percent", True, None, False, ()),
}
_SETTING_NAMES = {
    1: "커피·차 정기구독",
    2: "반려동물",
    3: "생활용품",
    4: "신선식품",
    5: "건강식품 (할인 없음)",
}
CYCLES = {
    None: "1M",
    1: "1W,2W,3W,4W,1M",
    2: "2W,4W,1M,2M",
    3: "4W,1M,2M,3M,6M",
    4: "1W,2W,4W",
    5: "1M,2M,3M,4M,5M,6M,1Y",
}
"""By setting; the product without one was taken out of its group after it had been applied for."""

SHIPPING = ShippingPolicy(base_fee=3000, free_over=40_000)
REGION_FEES = (
    ("23004", "23010", 4000),
    ("23100", "23136", 5000),
    ("40200", "40240", 6000),
    ("53031", "53033", 4000),
    ("58800", "58866", 5000),
    ("59781", "59790", 4000),
    ("63000", "63644", 3000),
)
"""Islands: first and last zip code, won."""

_YEARS_OPEN = 4  # longer than any subscription: a card is never older than its contract


@dataclass(frozen=True)
class Product:
    """A product as it is sold today; `price` in won, options with their extra price."""

    product_no: int
    name: str
    price: int
    setting_no: int | None
    options: tuple[tuple[str, int], ...]
    fault: str = ""

    @property
    def code(self) -> str:
        """The shop's code of eight characters, P00000AB."""
        high, low = divmod(self.product_no, 26)
        return f"P{_letters(high)}{chr(ord('A') + low)}"

    def variants_code(self, option: int) -> str:
        """Return the code of the option at this index, P00000AB000C."""
        return f"{self.code}000{chr(ord('A') + option)}"

    @property
    def cycles(self) -> list[str]:
        """The cycles it may be applied for."""
        return CYCLES[self.setting_no].split(",")

    @property
    def setting(self) -> Setting | None:
        """The setting of its group."""
        return SETTINGS[self.setting_no] if self.setting_no else None


def _letters(number: int) -> str:
    high, low = divmod(number, 26)
    return f"{chr(ord('A') + high) if high else ''}{chr(ord('A') + low)}".rjust(6, "0")


def _products(table: str) -> tuple[Product, ...]:
    return tuple(_product(*line.split("|")) for line in table.strip().splitlines())


def _product(number: str, name: str, price: str, setting: str, options: str, fault: str = "") -> Product:
    choices = [choice.split("=") for choice in options.split()]
    extras = tuple((choice, int(extra)) for choice, extra in choices) or (("", 0),)
    return Product(int(number), name, int(price), int(setting) if setting else None, extras, fault)


ON_SALE = _products(_ON_SALE)
WITHHELD = _products(_WITHHELD)


def rows(recipe: Recipe) -> Iterator[tuple[str, list[Row]]]:
    """Yield the shop's own tables, each whole."""
    yield "shop", [_shop(recipe)]
    yield from _contracts(recipe)
    notice: Row = {"type_code": "subscription_payment_notice", "use_customer": "T"}
    yield "automail_setting", [{**notice, "use_admin": "T"}]
    yield "automessage_setting", [{**notice, "send_method": "S"}]
    yield (
        "message_credit",
        [
            {"channel": "bulk_mail", "balance": recipe.balance(recipe.bulk_mail_credits)},
            {"channel": "sms", "balance": recipe.balance(recipe.sms_credits)},
        ],
    )
    yield "product", [_product_row(product, recipe) for product in ON_SALE + WITHHELD]
    yield from _settings()
    yield (
        "shipping_policy",
        [{"shop_no": recipe.shop_no, "base_fee": SHIPPING.base_fee, "free_over": SHIPPING.free_over}],
    )
    yield (
        "shipping_region_fee",
        [{"zipcode_from": first, "zipcode_to": last, "extra_fee": fee} for first, last, fee in REGION_FEES],
    )


def _shop(recipe: Recipe) -> Row:
    return {
        "shop_no": recipe.shop_no,
        "shop_name": recipe.shop_name,
        "operator_email": recipe.operator_email,
        "sender_email": recipe.sender_email,
        "sender_phone": recipe.sender_phone,
        "new_product_manager": "T",
        "homepage_url": "https://shop.example.com",
    }


def _contracts(recipe: Recipe) -> Iterator[tuple[str, list[Row]]]:
    applied = datetime.combine(recipe.eve - timedelta(days=366 * _YEARS_OPEN), time(11))
    dates: Row = {"applied_at": applied, "in_use_at": applied + timedelta(days=9)}
    yield (
        "pg_contract",
        [
            {
                "pg_contract_no": number,
                "pg_code": code,
                "merchant_id": f"{code[:12]}_demo{number}",
                "state": "in_use",
                **dates,
                "terminated_at": None,
                "termination": None,
            }
            for number, code in enumerate(recipe.pg_codes, start=1)
        ],
    )
    yield (
        "subscription_service",
        [{"pg_code": code, "state": "in_use", **dates, "reset_at": None} for code in recipe.pg_codes],
    )


def _product_row(product: Product, recipe: Recipe) -> Row:
    tracked = product.product_no % 3 == 0
    row: Row = {
        "product_no": product.product_no,
        "product_code": product.code,
        "product_name": product.name,
        "price": product.price,
        "product_type": "S",
        "one_plus_n": "F",
        "selling": "T",
        "display": "T",
        "sold_out": "F",
        "stock_quantity": 1000 + 10 * recipe.subscriptions if tracked else None,
        "deleted_at": datetime.combine(recipe.eve, time(9)) if product.fault == "deleted" else None,
    }
    return row | _FAULTS[product.fault]


def _settings() -> Iterator[tuple[str, list[Row]]]:
    yield "subscription_setting", [_setting_row(setting) for setting in SETTINGS.values()]
    yield (
        "subscription_setting_discount",
        [
            {"subscription_no": setting.setting_no, "delivery_cycle": from_round, "discount_amount": discount}
            for setting in SETTINGS.values()
            for from_round, discount in setting.steps
        ],
    )
    yield (
        "subscription_setting_product",
        [
            {"product_no": product.product_no, "subscription_no": product.setting_no}
            for product in ON_SALE + WITHHELD
            if product.setting_no
        ],
    )


def _setting_row(setting: Setting) -> Row:
    return {
        "subscription_no": setting.setting_no,
        "subscription_shipments_name": _SETTING_NAMES[setting.setting_no],
        "use_discount": "T" if setting.steps else "F",
        "discount_value_unit": "P" if setting.unit == "percent" else "W",
        "related_purchase_quantity": "T" if setting.per_piece else "F",
        "use_order_price_condition": "F" if setting.threshold is None else "T",
        "order_price_greater_than": setting.threshold or 0,
        "include_regional_shipping_rate": "T" if setting.waives_region_fee else "F",
        "subscription_shipments_cycle": CYCLES[setting.setting_no],
        "shipments_start_date": 3,
    }
