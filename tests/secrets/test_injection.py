"""A text of the shop is a text, to mail, SMS, HTML, templates, SQL and the PG, and stays what it is."""

from __future__ import annotations

import pytest

from lib.billing.texts import clean
from tests.secrets import nasty
from tests.secrets.nasty import STRINGS, Life, Told, ids, is_visible

pytestmark = pytest.mark.rule(6, 11, 14)

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
]


def test_every_string_lives_the_whole_life(life: Life) -> None:
    states = {row["subscription_id"]: row["state"] for row in life.rounds}
    told = {(mail.kind, mail.recipient) for mail in life.mails}
    assert {states[ids(name).paid] for name in STRINGS} == {"paid"}
    assert {states[ids(name).declined] for name in STRINGS} == {"failed"}
    assert told == {(kind, who) for kind in nasty.KINDS for who in ("customer", "operator")} - {
        ("digest", "customer"),
        ("payment_declined", "operator"),
    }
    assert {len(life.of(name)) for name in STRINGS} == {10}


@pytest.mark.parametrize("name", STRINGS)
def test_a_mail_has_its_headers_and_its_one_recipient(life: Life, name: str) -> None:
    mine = {nasty.TO_CUSTOMER.format([*STRINGS].index(name)), "operator@example.com"}
    for mail in life.of(name):
        message = mail.message
        assert message.keys() == HEADERS
        assert (mail.recipients, {message["To"]} <= mine) == ((message["To"],), True)
        assert [*message.defects, *(fault for header in message.values() for fault in header.defects)] == []
        assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]


@pytest.mark.parametrize("name", STRINGS)
def test_a_mail_shows_the_text_and_nothing_that_steers(life: Life, name: str) -> None:
    for mail in life.of(name):
        assert is_visible(str(mail.message["Subject"]), "")
        assert is_visible(mail.text)
        assert not any(line.startswith(("Bcc", "To:", "MAIL", "DATA")) for line in mail.text.splitlines())
        for shown in (mail.text, mail.html.text):
            assert clean(STRINGS[name]) in shown


@pytest.mark.parametrize("name", STRINGS)
def test_a_text_adds_no_tag_and_no_attribute(life: Life, name: str) -> None:
    plain = {_place(mail): mail.html.tags for mail in life.of("plain")}
    for mail in life.of(name):
        tags = mail.html.tags
        if clean(STRINGS[name]):
            assert tags == plain[_place(mail)]
        assert not {tag for tag, _ in tags} & {"script", "img"}


def _place(mail: Told) -> tuple[str, str, str]:
    """Return which of the mails about one string this is: the paid and the declined tell different things."""
    return mail.kind, mail.recipient, str(mail.subscription_id)[0]


def test_the_digest_names_everybody_in_one_mail_and_adds_no_tag(life: Life) -> None:
    (digest,) = [mail for mail in life.mails if mail.kind == "digest"]
    assert digest.message.keys() == HEADERS
    for value in STRINGS.values():
        assert clean(value[:100]) in digest.text
        assert clean(value[:100]) in digest.html.text
    assert is_visible(digest.text)
    plain = {str(tag) for mail in life.of("plain") for tag in mail.html.tags}
    assert {str(tag) for tag in digest.html.tags} <= plain


SAME = (
    "receiver_name",
    "receiver_zipcode",
    "receiver_address1",
    "receiver_address2",
    "receiver_cellphone",
    "shipping_message",
    "member_id",
)


@pytest.mark.parametrize("name", STRINGS)
def test_the_order_has_the_texts_of_the_shop_byte_for_byte(life: Life, name: str) -> None:
    key = ids(name).paid
    order, subscription = life.orders[key], life.subscriptions[key]
    assert {column: order[column] for column in SAME} == {column: subscription[column] for column in SAME}
    assert order["receiver_address1"] == STRINGS[name][:250]
    (line,) = [row for row in life.lines if row["order_id"] == order["order_id"]]
    item = life.items[line["subscription_item_id"]]
    for column in ("product_name", "option_value", "variants_code"):
        assert line[column] == item[column]


def test_the_log_and_the_card_statement_are_lines_without_anything_hidden(life: Life) -> None:
    assert [said for said in life.log if not is_visible(said, "")] == []
    names = [row["order_name"] for row in life.attempts]
    assert [each for each in names if not is_visible(each, "") or not 0 < len(each) <= 40] == []
