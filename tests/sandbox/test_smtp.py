"""What the simulated mail server takes, what it refuses, and how it can be made to fail."""

import base64
import smtplib
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lib.sandbox import Fault, Sandbox
from tests.sandbox.talking import Postman, eventually, postman

GOOD = b"From: shop@example.com\r\nTo: kim@example.com\r\nSubject: notice\r\n\r\nhello\r\n"


def _recipients(sandbox: Sandbox) -> list[tuple[str, ...]]:
    return [mail.recipients for mail in sandbox.smtp.book]


def _send(client: Postman, *recipients: str, text: bytes = GOOD) -> str:
    client.envelope(*recipients)
    return client.text(text)


def test_a_good_mail_is_accepted_as_it_was_sent(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        assert _send(client.hello(), "kim@example.com").startswith("250")
    mail = sandbox.smtp.book[0]
    assert (mail.sender, mail.recipients, mail.raw) == ("shop@example.com", ("kim@example.com",), GOOD)


def test_the_standard_library_can_send_through_it(sandbox: Sandbox) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.smtp.port, timeout=5) as client:
        client.sendmail("shop@example.com", ["kim@example.com"], GOOD)
    assert _recipients(sandbox) == [("kim@example.com",)]


def test_one_connection_carries_many_mails(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        client.hello()
        for number in range(3):
            _send(client, f"kim{number}@example.com")
        assert client.say("QUIT").startswith("221")
    assert _recipients(sandbox) == [(f"kim{number}@example.com",) for number in range(3)]


def test_it_offers_eight_bit_text_and_a_size(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        offers = client.say("EHLO shop")
    assert "8BITMIME" in offers
    assert "SIZE 10485760" in offers
    assert "AUTH" not in offers


def test_stuffed_dots_are_taken_out_again(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        _send(client.hello(), "kim@example.com", text=GOOD + b"..dot\r\n")
    assert sandbox.smtp.book[0].raw == GOOD + b".dot\r\n"


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        (["MAIL FROM:<a@b.kr>"], "503"),
        (["EHLO x", "RCPT TO:<a@b.kr>"], "503"),
        (["EHLO x", "DATA"], "503"),
        (["EHLO x", "MAIL FROM:<a@b.kr>", "DATA"], "503"),
        (["EHLO x", "MAIL FROM:<a@b.kr>", "MAIL FROM:<a@b.kr>"], "503"),
        (["EHLO x", "MAIL FROM: a@b.kr"], "501"),
        (["EHLO x", "MAIL FROM:<ab.kr>"], "553"),
        (["EHLO x", "MAIL FROM:<한글@b.kr>"], "553"),
        (["EHLO x", "MAIL FROM:<a@b.kr> SMTPUTF8"], "555"),
        (["EHLO x", "MAIL FROM:<a@b.kr> SIZE=99999999"], "552"),
        (["EHLO x", "MAIL FROM:<a@b.kr> SIZE=big"], "501"),
        (["EHLO x", "MAIL FROM:<a@b.kr>", "RCPT TO:<>"], "501"),
        (["EHLO x", "MAIL FROM:<a@b.kr>", "RCPT TO:<c@d.kr> NOTIFY=NEVER"], "555"),
        (["EHLO x", "MAIL FROM:<a@b.kr>", "RCPT TO:<kim+refuse@d.kr>"], "550"),
        (["EHLO x", "MAIL FROM:<a@b.kr>", "RCPT TO:<kim+later@d.kr>"], "451"),
        (["VRFY kim"], "500"),
        (["NOOPS"], "500"),
        (["NOOP " + "x" * 512], "500"),
        (["AUTH PLAIN AGEAYg=="], "504"),
    ],
)
def test_a_command_that_breaks_a_rule_is_refused(sandbox: Sandbox, lines: list[str], refusal: str) -> None:
    with postman(sandbox.smtp.port) as client:
        assert [client.say(line) for line in lines][-1].startswith(refusal)


def test_a_command_must_end_with_crlf(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        assert client.say(b"NOOP\n").startswith("500")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (b"Subject: bare\n\r\nhello\r\n", "550"),
        (b"Subject: bare\r\n\r\nhel\rlo\r\n", "550"),
        (b"Subject: long\r\n\r\n" + b"x" * 999 + b"\r\n", "554"),
        ("Subject: 안내\r\n\r\nhello\r\n".encode(), "554"),
        ("Subject: ascii\r\n\r\n안녕\r\n".encode(), "554"),
        (b"no header\r\n\r\nhello\r\n", "554"),
        (b"\r\nhello\r\n", "554"),
    ],
)
def test_a_text_that_breaks_a_rule_is_refused(sandbox: Sandbox, text: bytes, refusal: str) -> None:
    with postman(sandbox.smtp.port) as client:
        assert _send(client.hello(), "kim@example.com", text=text).startswith(refusal)
        assert _send(client, "kim@example.com").startswith("250")
    assert len(sandbox.smtp.book) == 1


def test_a_line_of_exactly_1000_bytes_is_taken(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        text = b"Subject: long\r\n\r\n" + b"x" * 998 + b"\r\n"
        assert _send(client.hello(), "kim@example.com", text=text).startswith("250")


def test_eight_bit_text_is_taken_where_it_was_announced(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        client.hello().envelope("kim@example.com", options=" BODY=8BITMIME")
        assert client.text("Subject: ascii\r\n\r\n안녕\r\n".encode()).startswith("250")


def test_a_text_over_the_size_is_refused(sandbox: Sandbox) -> None:
    sandbox.smtp.switches = replace(sandbox.smtp.switches, max_bytes=50)
    with postman(sandbox.smtp.port) as client:
        assert _send(client.hello(), "kim@example.com").startswith("552")


def test_a_refused_recipient_leaves_the_others(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        replies = client.hello().envelope("kim+refuse@example.com", "lee@example.com")
        assert [reply[:3] for reply in replies] == ["250", "550", "250"]
        client.text(GOOD)
    assert _recipients(sandbox) == [("lee@example.com",)]


def test_rset_forgets_the_envelope(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        client.hello().envelope("kim@example.com")
        assert client.say("RSET").startswith("250")
        assert client.say("DATA").startswith("503")


@pytest.mark.parametrize("mechanism", ["plain", "plain at once", "login"])
@pytest.mark.parametrize(("password", "reply"), [("good", "235"), ("bad", "535")])
def test_mail_can_ask_for_a_password(sandbox: Sandbox, mechanism: str, password: str, reply: str) -> None:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    sandbox.smtp.switches = replace(sandbox.smtp.switches, user="shop", password="good")
    plain = encoded(f"\0shop\0{password}")
    dialogues = {
        "plain": ["AUTH PLAIN", plain],
        "plain at once": [f"AUTH PLAIN {plain}"],
        "login": ["AUTH LOGIN", encoded("shop"), encoded(password)],
    }
    with postman(sandbox.smtp.port) as client:
        assert "AUTH PLAIN LOGIN" in client.say("EHLO shop")
        assert client.say("MAIL FROM:<a@b.kr>").startswith("530")
        assert [client.say(line) for line in dialogues[mechanism]][-1].startswith(reply)
        assert client.say("MAIL FROM:<a@b.kr>").startswith("250" if reply == "235" else "530")


def test_a_password_that_is_no_base64_is_refused(sandbox: Sandbox) -> None:
    sandbox.smtp.switches = replace(sandbox.smtp.switches, user="shop", password="good")
    with postman(sandbox.smtp.port) as client:
        client.hello()
        assert client.say("AUTH PLAIN ***").startswith("501")


def test_accepted_mails_become_files_that_no_restart_overwrites(tmp_path: Path) -> None:
    for _ in range(2):
        with Sandbox(mail_dir=tmp_path) as sandbox, postman(sandbox.smtp.port) as client:
            _send(client.hello(), "kim/../a@example.com")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["001-kim_.._a@example.com.eml", "002-kim_.._a@example.com.eml"]
    assert (tmp_path / files[0]).read_bytes() == GOOD


@pytest.mark.parametrize("phase", ["greeting", "ehlo", "mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("status", [451, 554])
def test_every_phase_can_refuse(sandbox: Sandbox, phase: str, status: int) -> None:
    sandbox.smtp.faults.add(Fault("error", phase, status=status, code="4.0.0 not now"))
    with socket.create_connection(("127.0.0.1", sandbox.smtp.port), timeout=5) as conn:
        client = Postman(conn)
        with client.stream:
            replies = {"greeting": client.reply(), "ehlo": client.say("EHLO x")}
            replies["mail"] = client.say("MAIL FROM:<a@b.kr>")
            replies["rcpt"] = client.say("RCPT TO:<kim@example.com>")
            replies["data"] = client.say("DATA")
            if phase == "dot":
                replies["dot"] = client.say(GOOD + b".\r\n")
    assert replies[phase].startswith(f"{status} 4.0.0")
    assert len(sandbox.smtp.book) == 0


def test_a_421_closes_the_connection(sandbox: Sandbox) -> None:
    sandbox.smtp.faults.add(Fault("error", "rcpt", status=421, code="4.3.2 closing"))
    with postman(sandbox.smtp.port) as client:
        assert client.hello().envelope("kim@example.com")[-1].startswith("421")
        assert client.stream.readline() == b""


def test_a_fault_strikes_only_its_address(sandbox: Sandbox) -> None:
    sandbox.smtp.faults.add(Fault("error", "rcpt", subject="@daum.net", status=450))
    with postman(sandbox.smtp.port) as client:
        replies = client.hello().envelope("kim@example.com", "kim@daum.net")
    assert [reply[:3] for reply in replies] == ["250", "250", "450"]


def test_a_connection_can_break_off_before_the_greeting(sandbox: Sandbox) -> None:
    sandbox.smtp.faults.add(Fault("drop", "accept"))
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", sandbox.smtp.port)) as conn,
    ):
        conn.recv(10)


@pytest.mark.parametrize(("kind", "said"), [("drop", b""), ("close", b"354 ")])
def test_a_connection_can_close_instead_of_and_after_354(sandbox: Sandbox, kind: str, said: bytes) -> None:
    sandbox.smtp.faults.add(Fault(kind, "data"))  # type: ignore[arg-type]
    with postman(sandbox.smtp.port) as client:
        client.hello().envelope("kim@example.com")
        client.conn.sendall(b"DATA\r\n")
        assert client.stream.read()[:4] == said


@pytest.mark.parametrize("accepted", [False, True])
def test_a_connection_can_close_after_the_final_dot(sandbox: Sandbox, *, accepted: bool) -> None:
    sandbox.smtp.faults.add(Fault("drop", "dot", processed=accepted))
    with postman(sandbox.smtp.port) as client:
        assert _send(client.hello(), "kim@example.com") == ""
    assert len(sandbox.smtp.book) == int(accepted)


@pytest.mark.parametrize("accepted", [False, True])
def test_the_reply_to_the_final_dot_can_come_too_late(sandbox: Sandbox, *, accepted: bool) -> None:
    sandbox.smtp.faults.add(Fault("delay", "dot", processed=accepted, seconds=0.3))
    with postman(sandbox.smtp.port) as client:
        client.hello().envelope("kim@example.com")
        client.say("DATA")
        client.conn.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.say(GOOD + b".\r\n")
        assert len(sandbox.smtp.book) == int(accepted)
    assert eventually(lambda: len(sandbox.smtp.book) == 1)


def test_a_reply_can_come_byte_by_byte(sandbox: Sandbox) -> None:
    sandbox.smtp.faults.add(Fault("drip", "ehlo", seconds=0.0001))
    with postman(sandbox.smtp.port) as client:
        assert "8BITMIME" in client.say("EHLO shop")


def test_a_client_that_leaves_before_the_final_dot_has_sent_nothing(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        client.hello().envelope("kim@example.com")
        client.say("DATA")
        client.conn.sendall(GOOD)
    time.sleep(0.05)
    assert len(sandbox.smtp.book) == 0


def test_helo_does_for_old_clients(sandbox: Sandbox) -> None:
    with postman(sandbox.smtp.port) as client:
        assert client.say("HELO shop").startswith("250 ")
        assert client.say("NOOP").startswith("250")
        assert _send(client, "kim@example.com").startswith("250")
