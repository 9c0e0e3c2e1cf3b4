"""What an SMTP server's answer means for a mail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from lib import settings
from lib.messengers import Accepted, Letter, NotNow, Outcome, Outcomes, Refused, Unknown
from lib.messengers.mail import Mail
from lib.messengers.mime import mime
from tests.adapters.samples import LETTER, LETTER_ID
from tests.adapters.servers import (
    Act,
    Script,
    SmtpServer,
    closed_port,
    hang_up,
    say_and_hang_up,
    smtp_server,
    stall,
)


def config(url: str, **changes: object) -> settings.Mail:
    quick = {
        "smtp_url": url,
        "connections": 1,
        "connect_timeout": 1,
        "timeout": 0.3,
        "final_dot_timeout": 0.3,
    }
    return settings.Mail.model_validate(quick | changes)


@contextmanager
def mailer(url: str, **changes: object) -> Iterator[Mail]:
    made = Mail(config(url, **changes))
    try:
        yield made
    finally:
        made.close()


def letters(count: int) -> list[Letter]:
    return [replace(LETTER, message_id=number) for number in range(1, count + 1)]


def forget(_provider_id: str) -> None:
    raise AssertionError("mail has no id to remember")


def send(script: Script, batch: Sequence[Letter] = (LETTER,)) -> tuple[Outcomes, SmtpServer]:
    with smtp_server(script) as server, mailer(server.url) as one:
        return one.send(batch, forget), server


def one_outcome(script: Script) -> Outcome:
    return send(script)[0][LETTER.message_id]


def test_an_accepted_mail_is_known_by_its_message_id() -> None:
    outcomes, server = send(Script())
    assert outcomes == {41: Accepted(LETTER_ID)}
    assert "MAIL FROM:<shop@example.co.kr>" in server.commands
    assert "RCPT TO:<kim@example.com>" in server.commands


def test_the_mail_arrives_as_it_was_made() -> None:
    _, server = send(Script())
    assert server.mails == [mime(LETTER, "example.co.kr")]


def test_a_connection_is_kept_over_letters_and_batches() -> None:
    with smtp_server() as server, mailer(server.url) as one:
        one.send(letters(3), forget)
        one.send(letters(3), forget)
    assert (len(server.mails), server.connections) == (6, 1)


def test_a_kept_connection_that_died_is_made_anew() -> None:
    with smtp_server(Script(noop=[hang_up])) as server, mailer(server.url) as one:
        one.send(letters(1), forget)
        assert isinstance(one.send([LETTER], forget)[41], Accepted)
    assert (len(server.mails), server.connections) == (2, 2)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            Script(rcpt=["550 5.1.1 no kim@example.com here"]),
            Refused("permanent", "550", "RCPT 5.1.1 no *** here"),
        ),
        (Script(rcpt=["450 4.2.1 greylisted"]), NotNow("450", "RCPT 4.2.1 greylisted")),
        (Script(rcpt=["530 5.7.0 authenticate"]), Refused("account", "530", "RCPT 5.7.0 authenticate")),
        (Script(rcpt=["421 4.3.2 closing"]), NotNow("421", "RCPT 4.3.2 closing")),
        (Script(mail=["550 5.7.1 not you"]), Refused("account", "550", "MAIL 5.7.1 not you")),
        (Script(mail=["451 4.3.0 later"]), NotNow("451", "MAIL 4.3.0 later")),
        (Script(mail=["503 5.5.1 sender already"]), NotNow("503", "MAIL 5.5.1 sender already")),
        (Script(data=["554 5.5.1 no recipients"]), Refused("permanent", "554", "DATA 5.5.1 no recipients")),
        (Script(data=["451 4.3.0 later"]), NotNow("451", "DATA 4.3.0 later")),
        (Script(data=["250 what"]), NotNow("250", "DATA what")),
        (Script(dot=["554 5.6.0 spam"]), Refused("permanent", "554", "END 5.6.0 spam")),
        (Script(dot=["452 4.3.1 full"]), NotNow("452", "END 4.3.1 full")),
        (Script(dot=["421 4.3.2 closing"]), NotNow("421", "END 4.3.2 closing")),
        (Script(dot=["250-more\r\n250 2.0.0 good"]), Accepted(LETTER_ID)),
    ],
)
def test_a_reply_has_its_meaning(script: Script, expected: Outcome) -> None:
    assert one_outcome(script) == expected


@pytest.mark.parametrize("act", [hang_up, stall, "999 what", "nonsense", "354 go on"])
def test_after_the_final_dot_what_is_no_verdict_is_unknown(act: str | Act) -> None:
    outcomes, server = send(Script(dot=[act]))
    assert isinstance(outcomes[41], Unknown)
    assert len(server.mails) == 1


@pytest.mark.parametrize("act", [hang_up, stall])
@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
def test_before_the_final_dot_a_loss_is_harmless(phase: str, act: Act) -> None:
    script = Script()
    getattr(script, phase).append(act)
    outcome = one_outcome(script)
    assert isinstance(outcome, NotNow)
    assert not outcome.sent


def test_a_connection_closed_while_the_text_is_sent_is_harmless() -> None:
    long = replace(LETTER, body="가" * 3_000_000)
    outcomes, server = send(Script(data=[say_and_hang_up(b"354 go on\r\n")]), [long])
    assert isinstance(outcomes[41], NotNow)
    assert server.mails == []


def test_a_lost_letter_is_not_sent_again_and_the_next_one_is_sent() -> None:
    outcomes, server = send(Script(dot=[hang_up]), letters(3))
    assert [type(outcomes[number]) for number in (1, 2, 3)] == [Unknown, Accepted, Accepted]
    assert len(server.mails) == 3


def test_a_refused_recipient_does_not_hold_up_the_next() -> None:
    outcomes, server = send(Script(rcpt=["550 no"]), letters(2))
    assert [type(outcomes[number]) for number in (1, 2)] == [Refused, Accepted]
    assert server.connections == 1


def test_a_refused_account_stops_the_batch() -> None:
    outcomes, server = send(Script(mail=["550 not you"]), letters(3))
    assert isinstance(outcomes[1], Refused)
    assert [outcomes[number] for number in (2, 3)] == [
        NotNow("STOPPED", "not tried after the letter before", sent=False)
    ] * 2
    assert sum(command.startswith("MAIL") for command in server.commands) == 1


def test_a_server_that_keeps_hanging_up_is_left_in_peace() -> None:
    outcomes, server = send(Script(mail=[hang_up] * 9), letters(9))
    assert all(isinstance(outcome, NotNow) and not outcome.sent for outcome in outcomes.values())
    assert (len(outcomes), server.connections) == (9, 3)


def test_nobody_there_is_asked_once_a_batch() -> None:
    with mailer(f"smtp://127.0.0.1:{closed_port()}") as one:
        outcomes = one.send(letters(2), forget)
    assert outcomes[1] == NotNow("CONNECT", "ConnectionRefusedError at 127.0.0.1", sent=False)
    assert outcomes[2] == NotNow("STOPPED", "not tried after the letter before", sent=False)


@pytest.mark.parametrize(
    "script", [Script(greeting=["421 busy"]), Script(greeting=["554 no"]), Script(greeting=[hang_up])]
)
def test_a_greeting_that_is_none_means_not_now(script: Script) -> None:
    outcome = one_outcome(script)
    assert isinstance(outcome, NotNow)
    assert not outcome.sent


OFFERS = "250-here\r\n250 AUTH PLAIN"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (Script(ehlo=[OFFERS]), Accepted(LETTER_ID)),
        (Script(ehlo=[OFFERS], auth=["535 5.7.8 wrong"]), Refused("account", "535", "5.7.8 wrong")),
        (Script(ehlo=[OFFERS], auth=["454 4.7.0 later"]), NotNow("454", "4.7.0 later", sent=False)),
        (
            Script(),
            Refused("account", "NOT_SUPPORTED", "the server offers no STARTTLS or no AUTH that we know"),
        ),
    ],
)
def test_a_login_has_its_meaning(script: Script, expected: Outcome) -> None:
    with smtp_server(script) as server:
        url = server.url.replace("//", "//shop%40example.co.kr@")
        with mailer(url, password=SecretStr("pw")) as one:
            assert one.send([LETTER], forget) == {41: expected}


def test_a_password_beyond_ascii_is_a_matter_of_the_account() -> None:
    with (
        smtp_server(Script(ehlo=[OFFERS])) as server,
        mailer(server.url.replace("//", "//u:%ED%95%9C@")) as one,
    ):
        assert one.send([LETTER], forget)[41] == Refused(
            "account", "CREDENTIALS", "user and password must be ASCII"
        )


def test_without_starttls_nothing_is_sent_in_the_clear() -> None:
    with smtp_server() as server, mailer(server.url.replace("smtp", "smtp+starttls")) as one:
        outcome = one.send([LETTER], forget)[41]
    assert isinstance(outcome, Refused)
    assert server.mails == []


def test_smtps_to_a_plain_server_means_not_now() -> None:
    with smtp_server() as server, mailer(server.url.replace("smtp", "smtps")) as one:
        outcome = one.send([LETTER], forget)[41]
    assert isinstance(outcome, NotNow)
    assert not outcome.sent


@pytest.mark.parametrize(
    "address", ["한글@example.com", "a b@c.kr", "a@b.kr>\r\nRCPT TO:<c@d.kr", "", "nobody", "a,b@c.kr"]
)
def test_an_address_smtp_cannot_take_is_refused_before_a_word(address: str) -> None:
    outcomes, server = send(Script(), [replace(LETTER, address=address)])
    assert isinstance(outcomes[41], Refused)
    assert outcomes[41].scope == "permanent"
    assert server.commands == []


def test_a_sender_smtp_cannot_take_concerns_the_account() -> None:
    outcomes, _ = send(Script(), [replace(LETTER, sender="shop")])
    assert isinstance(outcomes[41], Refused)
    assert outcomes[41].scope == "account"


def test_a_letter_that_could_outlive_the_lease_is_not_begun() -> None:
    with smtp_server() as server, mailer(server.url, lease=0.5) as one:
        outcomes = one.send(letters(2), forget)
    assert isinstance(outcomes[1], Accepted)
    assert outcomes[2] == NotNow("LEASE", "no time left in this batch", sent=False)


def test_a_letter_whose_lease_is_over_is_not_begun() -> None:
    late = replace(LETTER, lease_until=datetime.now(UTC))
    with smtp_server() as server, mailer(server.url) as one:
        outcomes = one.send([late], forget)
    assert outcomes == {41: NotNow("LEASE", "the lease is as good as over", sent=False)}
    assert server.mails == []


def test_threads_share_the_connections() -> None:
    accepted: list[Outcome] = []
    with smtp_server() as server, mailer(server.url, connections=2) as one:
        threads = [
            threading.Thread(target=lambda: accepted.extend(one.send(letters(5), forget).values()))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [type(outcome) for outcome in accepted] == [Accepted] * 30
    assert server.connections <= 2


def test_a_busy_server_of_ours_means_not_now() -> None:
    with (
        smtp_server(Script(dot=[stall])) as server,
        mailer(server.url, lease=0.1, connect_timeout=0.1) as one,
    ):
        first = threading.Thread(target=one.send, args=([LETTER], forget))
        first.start()
        while not server.mails:
            time.sleep(0.005)
        assert one.send([LETTER], forget) == {41: NotNow("BUSY", "every connection is in use", sent=False)}
        first.join()


def test_mail_cannot_be_looked_up() -> None:
    with mailer("smtp://127.0.0.1:25") as one:
        assert not one.can_look_up
        assert one.settle(letters(2)) == dict.fromkeys((1, 2), Unknown("mail cannot be looked up"))
