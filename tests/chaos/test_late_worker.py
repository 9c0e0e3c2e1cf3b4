"""A worker that wakes up after its lease: whatever another run did meanwhile stands."""

from __future__ import annotations

import time
from datetime import date

from lib.failpoints import Step
from tests.chaos import armed
from tests.chaos.armed import Blow
from tests.jobs.notices import D_MINUS_2
from tests.jobs.outbox import CUSTOMER_SMS, only
from tests.rig import Rig
from tests.shopkeeper import open_shop, subscription

LEASE = 1.5
SHORT = {"connect_timeout": 0.2, "read_timeout": 0.2, "lease": LEASE}


def test_a_late_worker_does_not_hide_under_which_id_another_sent_the_text(rig: Rig) -> None:
    open_shop(rig)
    subscription(rig, "S-1", delivery_on=date(2026, 12, 3))
    only(rig, CUSTOMER_SMS)
    rig.config(sms=SHORT)
    late = armed.start(rig, "notify_d2", "--as-of", D_MINUS_2, plan=Blow(Step.MESSAGES_CLAIMED, "stop"))
    assert late.wait_until_stopped()
    time.sleep(LEASE)
    sender = armed.start(rig, "notify_d2", "--as-of", D_MINUS_2, plan=Blow(Step.BATCH_ANSWERED, "stop"))
    assert sender.wait_until_stopped()
    late.go_on()
    assert late.wait().exit_code == 0
    sender.kill()
    sender.wait()
    time.sleep(LEASE)
    rig.run("notify_d2", "--as-of", D_MINUS_2)
    assert [sms.to for sms in rig.sandbox.solapi.released()] == ["01020001234"]
    assert [row["state"] for row in rig.ours("SELECT state FROM message")] == ["accepted"]
