"""What the tests of notify_d2 share: the run itself, and what it left behind in the words of its readers."""

from __future__ import annotations

import importlib
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import click
from click.testing import CliRunner

from tests.rig import Rig, Run

D = date(2026, 12, 3)
D_MINUS_2 = "2026-12-01T09:00"
D_MINUS_1 = "2026-12-02T09:00"


def notify(rig: Rig, at: str = D_MINUS_2, *options: str, check: int | None = 0) -> Run:
    """Run notify_d2 as of a moment; `check` is the exit code it must have."""
    return rig.run("notify_d2", "--as-of", at, *options, check=check)


def rehearsed(rig: Rig, job: str, at: str = D_MINUS_2) -> str:
    """Return what a dry run of a job says to a person."""
    command: click.Command = importlib.import_module(f"jobs.{job}").main
    config = rig.folder / "jeonggi.toml"
    arguments = ["--config", str(config), "--as-of", at, "--dry-run"]
    return CliRunner().invoke(command, arguments, catch_exceptions=False).output


def rounds(rig: Rig) -> list[dict[str, Any]]:
    return rig.ours("SELECT * FROM billing_round ORDER BY subscription_id, delivery_on")


def the_round(rig: Rig) -> dict[str, Any]:
    (only,) = rounds(rig)
    return only


def states(rig: Rig) -> dict[str, str]:
    """Return the state of every message, by recipient and channel, for tests with one round."""
    rows = rig.ours("SELECT recipient, channel, state FROM message")
    return {f"{row['recipient']} {row['channel']}": row["state"] for row in rows}


def message_states(rig: Rig) -> list[str]:
    return [row["state"] for row in rig.ours("SELECT state FROM message ORDER BY message_id")]


def mails_to(rig: Rig, address: str) -> list[EmailMessage]:
    found = [mail for mail in rig.sandbox.smtp.book if address in mail.recipients]
    return [message_from_bytes(mail.raw, policy=policy.default) for mail in found]


def body(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def notice(rig: Rig, address: str = "haneul@example.com") -> str:
    """Return the text of the one mail that a customer was sent."""
    (mail,) = mails_to(rig, address)
    return body(mail)


def texts_sent(rig: Rig) -> list[str]:
    return [sms.text for sms in rig.sandbox.solapi.released()]


def open_matters(rig: Rig) -> list[tuple[str, str]]:
    rows = rig.ours("SELECT kind, subject FROM matter WHERE closed_at IS NULL ORDER BY matter_id")
    return [(row["kind"], row["subject"]) for row in rows]


def ledger(rig: Rig) -> list[tuple[str, str, int]]:
    rows = rig.ours("SELECT kind, channel, units FROM credit_entry ORDER BY message_id, kind")
    return [(row["kind"], row["channel"], row["units"]) for row in rows]


def logged(rig: Rig) -> list[str]:
    return [row["detail"] for row in rig.shop("SELECT detail FROM subscription_log ORDER BY log_no")]


def lease_runs_out(rig: Rig) -> None:
    """Let the real time pass that a killed run's claims are left alone for."""
    rig.ours("UPDATE message SET lease_until = '2000-01-01' WHERE state = 'sending'")
