"""What an operator does who looks into the gateway's book: settle what is in doubt, held or unknown."""

from __future__ import annotations

from email import message_from_bytes

from tests.rig import Rig
from tests.stateful.acts import Scene

WORD = ("--by", "김운영", "--evidence", "상점관리자에서 확인")
DONE = {0, 1}


def settle_everything(scene: Scene, *ways: str) -> None:
    """Settle the doubts by the gateway's book; a held round by the first way out that is open to it."""
    for attempt in scene.rig.ours("SELECT order_no FROM payment_attempt WHERE state = 'in_doubt'"):
        _settle_doubt(scene, attempt["order_no"])
    for held in scene.rig.ours("SELECT round_id FROM billing_round WHERE state = 'held'"):
        assert any(_settle(scene, str(held["round_id"]), way) for way in ("--paid", *ways)), held


def _settle_doubt(scene: Scene, order_no: str) -> None:
    booked = {each.order_no: each.payment_key for each in scene.rig.sandbox.toss.approvals()}
    found = booked.get(order_no)
    is_done = _settle(scene, order_no, *(("--approved", "--tid", found) if found else ("--not-charged",)))
    assert is_done, order_no


def _settle(scene: Scene, target: str, *verb: str) -> bool:
    at = scene.now.isoformat(timespec="minutes")
    ended = scene.rig.run("ops", "settle", target, *verb, *WORD, "--as-of", at, check=None)
    assert ended.exit_code in DONE | {2}, ended.stderr
    scene.figures["settled by a person"] += ended.exit_code in DONE
    return ended.exit_code in DONE


def settle_messages(scene: Scene) -> None:
    """Settle the messages that nobody can ask after any more by what their reader got."""
    for row in scene.rig.ours("SELECT message_id, channel FROM message WHERE state = 'unknown'"):
        verb = "--accepted" if _arrived(scene.rig, row["message_id"]) else "--refused"
        assert _settle(scene, "--message", str(row["message_id"]), verb)


def _arrived(rig: Rig, message_id: int) -> bool:
    mails = {message_from_bytes(mail.raw)["Message-ID"] for mail in rig.sandbox.smtp.book}
    texts = {value for sms in rig.sandbox.solapi.released() for value in sms.custom_fields.values()}
    return str(message_id) in texts or any(f".{message_id}@" in each for each in mails)
