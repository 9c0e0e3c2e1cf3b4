"""Whatever a mail server or an SMS provider repeats of people and credentials, none of it is kept or told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lib import settings
from lib.messengers.mail import Mail
from lib.messengers.solapi import Solapi
from tests.adapters import samples, solapi
from tests.adapters.servers import Act, Script, closed_port, http_server, reply, smtp_server, stall
from tests.jobs.charging import NOTICE_AT
from tests.rig import Rig
from tests.secrets import marked
from tests.secrets.watching import Watch, configure, open_marked_shop, watched

pytestmark = pytest.mark.rule(7, 14)

AGAIN = "2026-12-01T09:30"
PHASES = ["greeting", "ehlo", "auth", "mail", "rcpt", "data", "dot"]
OF_THE_LOGIN = [marked.SMTP_PASSWORD, *marked.base64_of(marked.SMTP_PASSWORD)]
OF_THE_NUMBER = [*marked.of_a_phone(marked.PHONE), *marked.of_a_phone(marked.MEMBER_PHONE)]
OF_THE_ACCOUNT = [marked.SMS_KEY, marked.SMS_SECRET, *marked.base64_of(marked.SMS_SECRET)]
BY_MAIL = marked.packed(marked.OF_THE_MAIL)
AT_THE_DOOR = marked.packed([*marked.OF_THE_MAIL, *OF_THE_LOGIN])
BY_SMS = marked.packed([*OF_THE_NUMBER, *OF_THE_ACCOUNT])


@pytest.fixture
def watch(sqlite_rig: Rig) -> Iterator[Watch]:
    """Watch a shop with a round to announce; at the end nothing marked may have come out anywhere."""
    open_marked_shop(sqlite_rig)
    with watched(sqlite_rig) as made:
        yield made


def announce(watch: Watch) -> None:
    """Announce, look at everything, announce again."""
    watch.run("notify_d2", "--as-of", NOTICE_AT, check=None)
    for arguments in (("show", "S-1"), ("report",), ("report", "--doubts")):
        watch.tell("ops", *arguments)
        watch.run("ops", *arguments)
    watch.tell("notify_d2", "--as-of", AGAIN, "-v")


def refusing(phase: str, said: str) -> Script:
    """Return a server that wants a login and says this at one phase."""
    offers: list[str | Act] = ["250-here\r\n250 AUTH PLAIN LOGIN"] * 9
    return Script(**{"ehlo": offers} | {phase: [said] * 9})


@pytest.mark.parametrize("code", [334, 421, 450, 530, 535, 550])
@pytest.mark.parametrize("phase", PHASES)
def test_no_reply_of_a_mail_server_is_passed_on_with_what_it_repeats(phase: str, code: int) -> None:
    letter = replace(samples.LETTER, address=marked.MAIL)
    for pack in AT_THE_DOOR if phase in {"greeting", "ehlo", "auth"} else BY_MAIL:
        with smtp_server(refusing(phase, f"{code} 5.1.1 {pack}")) as server:
            url = server.url.replace("//", f"//{marked.SMTP_USER}@")
            given = {"smtp_url": url, "password": marked.SMTP_PASSWORD, "timeout": 0.3}
            mail = Mail(settings.Mail.model_validate(given | {"final_dot_timeout": 0.3}))
            outcomes = mail.send([letter], lambda _id: None)
            mail.close()
        assert marked.leaks(repr(outcomes)) == [], outcomes


@pytest.mark.parametrize(
    ("phase", "code"), [("auth", 535), ("mail", 550), ("rcpt", 450), ("rcpt", 550), ("dot", 554)]
)
def test_a_notice_to_such_a_mail_server_leaves_no_secret_anywhere(
    watch: Watch, phase: str, code: int
) -> None:
    with smtp_server(refusing(phase, f"{code} 5.1.1 {BY_MAIL[0]}")) as server:
        url = server.url.replace("//", f"//{marked.SMTP_USER}@")
        configure(watch.rig, mail={"smtp_url": url})
        announce(watch)
    reasons = [row["reason"] for row in watch.rig.ours("SELECT reason FROM message WHERE channel = 'mail'")]
    assert any(str(code) in str(reason) for reason in reasons)


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_a_mail_server_that_is_not_reached_leaves_no_secret_either(watch: Watch, scheme: str) -> None:
    with smtp_server() as plain:
        port = closed_port() if scheme == "smtp" else plain.port
        url = f"{scheme}://{marked.SMTP_USER}@127.0.0.1:{port}"
        configure(watch.rig, mail={"smtp_url": url, "connect_timeout": 1})
        announce(watch)


def results(code: str, said: str) -> bytes:
    """Return a refusal of the one message in a group."""
    return solapi.filled({"to": marked.PHONE, "statusCode": code, "statusMessage": said, "reason": said})


def error(status: int, said: str) -> bytes:
    return reply(status, {"errorCode": said, "errorMessage": said})


def answers(said: str) -> dict[str, list[Act]]:
    """Return what the provider says, call by call, with this in it."""
    group = {"groupId": solapi.GROUP, "status": "FAILED", "log": [{"message": said}]}
    filled, failed = solapi.filled(solapi.result(1)), reply(200, group)
    return {
        "not let in": [error(403, said)],
        "too many": [error(429, said)],
        "failing": [error(500, said)],
        "a page": [reply(502, said.encode())],
        "no group": [reply(200, {"groupId": 5, "errorMessage": said})],
        "not filled": [solapi.OPENED, error(400, said), solapi.DELETED],
        "refused": [solapi.OPENED, results("1060", said), solapi.DELETED],
        "account refused": [solapi.OPENED, results("1062", said), solapi.DELETED],
        "later": [solapi.OPENED, results("2024", said), solapi.DELETED],
        "in the code": [solapi.OPENED, results(said, said), solapi.SENDING, solapi.SENDING],
        "not released": [solapi.OPENED, filled, error(402, said), solapi.PENDING, solapi.DELETED],
        "failed": [solapi.OPENED, filled, error(400, said), failed],
        "unclear": [solapi.OPENED, filled, error(500, said), *[error(500, said)] * 9],
    }


@pytest.mark.parametrize("answer", answers(""))
def test_no_answer_of_an_sms_provider_is_passed_on_with_what_it_repeats(answer: str) -> None:
    letter = replace(solapi.LETTER, address=marked.PHONE)
    for pack in BY_SMS:
        with http_server(*answers(pack)[answer]) as server:
            given = {"base_url": server.url, "api_key": marked.SMS_KEY, "api_secret": marked.SMS_SECRET}
            provider = Solapi(settings.Sms.model_validate(given | {"read_timeout": 0.3}))
            outcomes = provider.send([letter], solapi.keep)
            outcomes |= provider.settle([replace(letter, message_id=2, provider_id=solapi.GROUP)])
            provider.close()
        assert marked.leaks(repr(outcomes)) == [], outcomes


@pytest.mark.parametrize("answer", ["not let in", "too many", "refused", "account refused", "not filled"])
def test_a_notice_by_such_a_provider_leaves_no_secret_anywhere(watch: Watch, answer: str) -> None:
    with http_server(*answers(BY_SMS[0])[answer] * 9) as server:
        configure(watch.rig, sms={"base_url": server.url})
        announce(watch)
    (row,) = watch.rig.ours("SELECT reason FROM message WHERE channel = 'sms'")
    assert "***" in row["reason"]


def test_a_provider_that_does_not_answer_leaves_no_secret_either(watch: Watch) -> None:
    with http_server(stall) as server:
        configure(watch.rig, sms={"base_url": server.url, "read_timeout": 0.3})
        announce(watch)
