"""The shop's own name and addresses are texts too: they begin no header, no tag and no second recipient."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header

import pytest

from lib.billing.texts import clean, sms_text
from tests.homes import Home
from tests.jobs.charging import DELIVERY, NOTICE_AT
from tests.jobs.notices import texts_sent
from tests.rig import Rig, bench
from tests.secrets.nasty import STRINGS, Told, is_visible, mails
from tests.shopkeeper import open_shop, subscription

pytestmark = pytest.mark.rule(6, 14)

CUSTOMER = "haneul@example.com"


@dataclass(frozen=True)
class Street:
    """The mail and the text message that told of each string."""

    mails: list[Told]
    texts: list[str]


@pytest.fixture(scope="module")
def street(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> Street:
    """Announce one round after another, each while the shop's row holds another string."""
    shared_pair.empty()
    with bench(shared_pair, tmp_path_factory.mktemp("shop")) as rig:
        open_shop(rig)
        rig.config()
        row = "UPDATE shop SET shop_name = :name, homepage_url = :url"
        for number, value in enumerate(STRINGS.values()):
            rig.shop(row, name=value[:100], url=f"https://x.kr/{value}"[:200])
            subscription(rig, f"S-{number}", delivery_on=DELIVERY)
            rig.run("notify_d2", "--as-of", NOTICE_AT, "--subscription", f"S-{number}")
        return Street([mail for mail in mails(rig) if mail.recipient == "customer"], texts_sent(rig))


@pytest.mark.parametrize("name", STRINGS)
def test_a_name_of_the_shop_is_a_name_in_mail_and_sms(street: Street, name: str) -> None:
    number, value = [*STRINGS].index(name), STRINGS[name][:100]
    mail, plain = street.mails[number], street.mails[0]
    assert mail.message.keys() == plain.message.keys()
    assert (str(mail.message["To"]), mail.message.defects) == (CUSTOMER, [])
    assert whole(mail, "From") == f"{clean(value)} <no-reply@example.com>".strip()
    assert whole(mail, "Subject").startswith(f"[{clean(value)}]")
    assert is_visible(mail.text)
    assert mail.html.tags[:20] == plain.html.tags[:20]
    assert {tag for tag, _ in mail.html.tags} == {tag for tag, _ in plain.html.tags}
    assert street.texts[number].startswith(f"[{sms_text(clean(value)).strip()}")
    assert is_visible(street.texts[number], "")


def whole(mail: Told, header: str) -> str:
    """Read a header by RFC 2047: what folds one encoded word from the next is no blank."""
    return str(make_header(decode_header(message_from_bytes(mail.raw)[header]))).strip()


@pytest.mark.parametrize("name", ["header", "line ends", "end of mail", "NUL", "encoded word", "shell"])
def test_an_address_of_the_shop_with_more_in_it_gets_no_mail_out(sqlite_rig: Rig, name: str) -> None:
    open_shop(sqlite_rig)
    bad = f"x@example.com{STRINGS[name]}"
    sqlite_rig.shop("UPDATE shop SET sender_email = :bad, operator_email = :bad", bad=bad)
    subscription(sqlite_rig, "S-1", delivery_on=DELIVERY, buyer_email=bad)
    sqlite_rig.config()
    ended = sqlite_rig.run("notify_d2", "--as-of", NOTICE_AT, check=None)
    assert (ended.exit_code, [*sqlite_rig.sandbox.smtp.book]) == (78, [])
    assert is_visible(ended.stderr)
    assert [row["state"] for row in sqlite_rig.ours("SELECT state FROM message WHERE channel = 'sms'")] == [
        "accepted"
    ]
