"""A running job shows nobody a secret: not in the list of processes, not in what cron mails."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from lib.sandbox import Fault
from tests.jobs.charging import CHARGE_AT, NOTICE_AT
from tests.jobs.resetting import BY_HAND, RESET_AT, eventually
from tests.rig import Rig
from tests.secrets import marked
from tests.secrets.watching import Watch, configure, open_marked_shop, watched

ENVIRONMENT = {
    "TOSS_SECRET_KEY": marked.PG_SECRET,
    "SOLAPI_SECRET": marked.SMS_SECRET,
    "SMTP_PASSWORD": marked.SMTP_PASSWORD,
}


def seen_while_it_runs(watch: Watch, *command: str) -> tuple[str, str]:
    """Run a job as cron does; return its command line and its environment as others may see them."""
    sandbox = watch.rig.sandbox
    struck = sandbox.toss.faults.struck + sandbox.smtp.faults.struck
    process = watch.rig.start(*command)
    eventually(lambda: sandbox.toss.faults.struck + sandbox.smtp.faults.struck > struck)
    place = Path("/proc") / str(process.pid)
    line, environment = ((place / name).read_bytes().decode() for name in ("cmdline", "environ"))
    ended = watch.rig.finish(process)
    assert ended.exit_code == 0, ended.stderr
    watch.said += [ended.stdout, ended.stderr, line]
    return line, environment


def test_no_secret_stands_in_the_list_of_processes(sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    open_marked_shop(sqlite_rig)
    sandbox = sqlite_rig.sandbox
    for faults, endpoint in ((sandbox.smtp.faults, "dot"), (sandbox.toss.faults, "*")):
        faults.add(Fault("delay", endpoint, seconds=0.3))
    with watched(sqlite_rig) as watch:
        configure(
            sqlite_rig,
            gateway={"tosspayments": {"secret_key": "env:TOSS_SECRET_KEY"}},
            sms={"api_secret": "env:SOLAPI_SECRET"},
            mail={"password": "env:SMTP_PASSWORD"},
        )
        for command in (
            ("notify_d2", "--as-of", NOTICE_AT, "-v"),
            ("charge_d1", "--as-of", CHARGE_AT, "-v"),
            ("reset_pg", "--as-of", RESET_AT, "-v", *BY_HAND),
        ):
            line, environment = seen_while_it_runs(watch, *command)
            assert command[0] in line
            assert marked.leaks(environment), "else the file of the configuration had it"
        written = (sqlite_rig.folder / "jeonggi.toml").read_text(encoding="utf-8")
        assert marked.leaks(written) == ["API key of the SMS provider"], "which is no secret"


def test_a_job_that_is_interrupted_tells_no_secret(sqlite_rig: Rig) -> None:
    open_marked_shop(sqlite_rig)
    with watched(sqlite_rig) as watch:
        configure(sqlite_rig)
        watch.run("notify_d2", "--as-of", NOTICE_AT)
        sqlite_rig.sandbox.toss.faults.add(Fault("delay", "charge", seconds=0.3))
        process = sqlite_rig.start("charge_d1", "--as-of", CHARGE_AT, "-v")
        eventually(lambda: sqlite_rig.sandbox.toss.faults.struck)
        process.send_signal(signal.SIGTERM)
        ended = sqlite_rig.finish(process)
        watch.said += [ended.stdout, ended.stderr]
        assert "중단되었습니다" in ended.stderr
        sqlite_rig.sandbox.toss.faults.clear()
        watch.run("charge_d1", "--as-of", CHARGE_AT)


def test_the_watch_sees_a_secret_wherever_it_comes_out(sqlite_rig: Rig) -> None:
    watch = Watch(sqlite_rig)
    open_marked_shop(sqlite_rig)
    configure(sqlite_rig)
    watch.run("notify_d2", "--as-of", NOTICE_AT)
    assert watch.leaks() == []
    sqlite_rig.ours("UPDATE message SET reason = :said", said=f"<{marked.MAIL.upper()}> 821074319265")
    sqlite_rig.ours("UPDATE billing_round SET evidence = :said", said=marked.base64_of(marked.PG_SECRET)[1])
    (sqlite_rig.folder / "spool").mkdir(exist_ok=True)
    (sqlite_rig.folder / "spool" / "approvals-x.jsonl").write_text(marked.CARD.replace("-", ""))
    watch.tell("ops", "show", "S-1")
    assert watch.leaks() == [
        "card number in the spool",
        "mail address in message.reason",
        "mail address in said",
        "phone number in message.reason",
        "phone number in said",
        "secret key of the PG in billing_round.evidence",
        "secret key of the PG in said",
    ]
    sqlite_rig.ours("UPDATE billing_round SET evidence = NULL")
    (sqlite_rig.folder / "spool" / "approvals-x.jsonl").unlink()
