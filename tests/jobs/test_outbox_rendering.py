"""Rule 6: a notice is worded when it leaves: sums as sealed; card, shop and day as of then."""

from __future__ import annotations

import pytest

from tests.jobs.notices import D, body, mails_to, notice, notify, texts_sent
from tests.jobs.outbox import KIM, OPERATOR
from tests.reading import Reader
from tests.rig import Rig
from tests.shopkeeper import Item, card, open_shop, product, subscription

pytestmark = pytest.mark.rule(6)

NIGHT, MORNING, NEXT_MORNING = "2026-12-01T05:00", "2026-12-01T08:00", "2026-12-02T08:00"


def sealed_at_night(rig: Rig, *items: Item) -> None:
    """Seal a round at an hour at which nobody is told yet."""
    open_shop(rig)
    subscription(rig, delivery_on=D, items=items or (Item(quantity=2, option_value="분쇄"),))
    notify(rig, NIGHT)
    assert not mails_to(rig, KIM)
    assert not texts_sent(rig)


def read(rig: Rig, to: str) -> list[str]:
    """Return both parts of the one mail to somebody, as they are read."""
    (mail,) = mails_to(rig, to)
    return [body(mail), Reader(body(mail, "html")).text]


def everything_sent(rig: Rig) -> list[str]:
    """Return all that customer and operator read: both parts of both mails, and the text message."""
    return [*read(rig, KIM), *read(rig, OPERATOR), *texts_sent(rig)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            "UPDATE card SET masked_number = '5555-66**-****-7777'", "5555-66**-****-7777", id="mask"
        ),
        pytest.param("UPDATE shop SET shop_name = '햇살커피'", "햇살커피", id="name_of_the_shop"),
        pytest.param("UPDATE shop SET sender_phone = '0312223333'", "031-222-3333", id="number_of_the_shop"),
        pytest.param(
            "UPDATE shop SET homepage_url = 'https://new.example.com'",
            "https://new.example.com",
            id="homepage",
        ),
        pytest.param(
            "UPDATE shop SET operator_email = 'help@example.com'",
            "help@example.com",
            id="address_of_the_shop",
        ),
        pytest.param(
            "UPDATE subscription SET card_id = NULL", "결제 카드: 등록하신 카드", id="card_taken_out"
        ),
    ],
)
def test_a_notice_names_card_and_shop_as_they_are_when_it_leaves(
    sqlite_rig: Rig, change: str, said: str
) -> None:
    sealed_at_night(sqlite_rig)
    sqlite_rig.shop(change)
    notify(sqlite_rig, MORNING)
    assert said in notice(sqlite_rig)


def test_a_notice_names_the_main_card_that_took_the_place_of_another(sqlite_rig: Rig) -> None:
    sealed_at_night(sqlite_rig)
    new = card(sqlite_rig, masked_number="9999-88**-****-1111")
    sqlite_rig.shop("UPDATE subscription SET card_id = :new, backup_card_id = card_id", new=new)
    notify(sqlite_rig, MORNING)
    said = notice(sqlite_rig)
    assert "9999-88**-****-1111" in said
    assert "4330" not in said


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE product SET price = 99000, product_name = '다른 이름'", id="product"),
        pytest.param(
            "UPDATE subscription_item SET product_price = 99000, option_price = 1000", id="price_applied_for"
        ),
        pytest.param("UPDATE subscription_item SET quantity = 7", id="quantity"),
        pytest.param(
            "UPDATE subscription_item SET option_value = '원두', product_name = '다른 이름'",
            id="option_and_name",
        ),
        pytest.param("UPDATE subscription_item SET subscription_shipments_sequence = 9", id="round_number"),
        pytest.param("UPDATE shipping_policy SET base_fee = 5000", id="shipping_fee"),
        pytest.param("UPDATE product SET sold_out = 'T'", id="sold_out"),
    ],
)
def test_sum_and_items_of_a_notice_are_the_sealed_ones(sqlite_rig: Rig, change: str) -> None:
    sealed_at_night(sqlite_rig)
    sqlite_rig.shop(change)
    notify(sqlite_rig, MORNING)
    for said in everything_sent(sqlite_rig)[:-1]:
        for part in ("25,800원", "에티오피아 예가체프 200g", "분쇄", "12,900원 × 2개"):
            assert part in said
    assert texts_sent(sqlite_rig) == [
        "[달빛커피] 12/3 배송분 25,800원이 12/2 결제됩니다. 변경·해지: 마이쇼핑"
    ]


def test_a_notice_that_leaves_a_day_later_names_the_later_day_everywhere(sqlite_rig: Rig) -> None:
    sealed_at_night(sqlite_rig)
    notify(sqlite_rig, NEXT_MORNING)
    *mails, text = everything_sent(sqlite_rig)
    assert all("2026년 12월 3일(목)" in said and "2026년 12월 2일(수)" not in said for said in mails)
    assert "12/3 배송분 25,800원이 12/3 결제됩니다" in text


REASONS = {
    "set_product": ("product_type = 'B'", "세트상품은 정기배송이 되지 않습니다", "세트상품"),
    "one_plus_n": ("one_plus_n = 'T'", "1+N 이벤트 상품은 정기배송이 되지 않습니다", "1+N 이벤트 상품"),
    "sold_out": ("sold_out = 'T'", "품절", "품절"),
    "short_of_stock": ("stock_quantity = 0", "재고 부족", "재고 부족"),
    "price_risen": ("price = 20000", "가격 인상에 동의하시기 전이라 제외", "가격 인상에 고객 동의 없음"),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_notice_says_what_was_dropped_and_why(sqlite_rig: Rig, reason: str) -> None:
    change, to_customer, to_operator = REASONS[reason]
    sqlite_rig.config(policy={"on_price_rise": "hold"})
    open_shop(sqlite_rig)
    product(sqlite_rig, 2, 9_000, product_name="보성 녹차")
    sqlite_rig.shop(f"UPDATE product SET {change} WHERE product_no = 2")
    items = (Item(), Item(product_no=2, price=9_000, name="보성 녹차", option_value="티백"))
    subscription(sqlite_rig, delivery_on=D, items=items)
    notify(sqlite_rig)
    for to, why in ((KIM, to_customer), (OPERATOR, to_operator)):
        for text in read(sqlite_rig, to):
            _, heading, dropped = text.partition("이번 회차에서 빠진 상품")
            assert heading
            assert "9,000원" not in text
            for said in ("보성 녹차", "티백", why):
                assert said in dropped


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("25,800원", id="sum"),
        pytest.param("2026년 12월 2일(수)", id="day_of_the_charge"),
        pytest.param("4330-12**-****-1001", id="mask"),
        pytest.param("에티오피아 예가체프 200g", id="item"),
        pytest.param("분쇄", id="option"),
        pytest.param("12,900원 × 2개", id="price_and_quantity"),
        pytest.param("2026년 12월 3일(목)", id="day_of_the_delivery"),
        pytest.param("쇼핑몰에 로그인 → 마이쇼핑 → 정기배송 관리", id="how_to_cancel"),
        pytest.param(
            "모두 해지하거나 일시정지하시면 이번 회차는 결제되지 않습니다", id="what_cancelling_does"
        ),
    ],
)
def test_both_parts_of_a_notice_say(sqlite_rig: Rig, said: str) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D, items=(Item(quantity=2, option_value="분쇄"),))
    notify(sqlite_rig)
    assert all(said in text for text in read(sqlite_rig, KIM))


@pytest.mark.parametrize("to", [KIM, OPERATOR])
def test_the_mail_that_is_kept_is_the_mail_that_was_sent(any_rig: Rig, to: str) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    (mail,) = mails_to(any_rig, to)
    (kept,) = any_rig.ours("SELECT subject, body, html FROM message WHERE address = :to", to=to)
    sent = [str(mail["Subject"]), *(body(mail, kind).replace("\r\n", "\n") for kind in ("plain", "html"))]
    assert [kept["subject"], kept["body"], kept["html"]] == sent


def test_the_text_message_that_is_kept_is_the_one_that_was_sent(any_rig: Rig) -> None:
    open_shop(any_rig)
    any_rig.shop("UPDATE shop SET shop_name = '똠카페 ☕ Café'")
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    (kept,) = any_rig.ours("SELECT body, sms_kind, address FROM message WHERE channel = 'sms'")
    (sent,) = any_rig.sandbox.solapi.released()
    assert (kept["body"], kept["sms_kind"], kept["address"]) == (sent.text, sent.kind, sent.to)


def test_a_subject_longer_than_what_is_kept_is_sent_as_it_is_kept(sqlite_rig: Rig) -> None:
    folder = sqlite_rig.folder / "templates" / "payment_notice"
    folder.mkdir(parents=True)
    (folder / "customer.txt").write_text("{{ '긴 제목 ' * 60 }}\n본문", encoding="utf-8")
    sqlite_rig.config(paths={"templates": str(folder.parent)})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig)
    (mail,) = mails_to(sqlite_rig, KIM)
    (kept,) = sqlite_rig.ours("SELECT subject FROM message WHERE address = :to", to=KIM)
    assert (mail["Subject"], len(kept["subject"])) == (kept["subject"], 249)


def test_before_a_message_leaves_it_has_no_words(sqlite_rig: Rig) -> None:
    sealed_at_night(sqlite_rig)
    assert (
        sqlite_rig.ours("SELECT 1 FROM message WHERE COALESCE(subject, body, html, sms_kind) IS NOT NULL")
        == []
    )
