"""One provider at work in a run, and when it is left in peace."""

from __future__ import annotations

from dataclasses import dataclass

from lib.billing import words
from lib.billing.dunning import in_quiet_hours
from lib.messengers import Messenger, NotNow, Outcomes, Refused
from lib.outbox.claim import Post
from lib.run import Run
from lib.shop import Channel

UNSENT_IN_A_ROW = 3
"""So many batches in a row that could not be handed over stop a provider for the run (rule 14)."""


@dataclass
class Counter:
    """One provider at work in this run."""

    run: Run
    post: Post
    channel: Channel
    messenger: Messenger
    threads: int
    is_stopped: bool = False
    unsent: int = 0

    @property
    def may_send(self) -> bool:
        """Tell whether another batch may leave: the provider is at work, and it is no quiet hour."""
        run = self.run
        return not self.is_stopped and not in_quiet_hours(run.clock.local(), run.settings.policy.quiet_hours)

    def saw(self, outcomes: Outcomes) -> None:
        """Stop after a refusal of the account, or after too many batches that did not leave."""
        name = words.CHANNEL[self.channel]
        refused = [
            each for each in outcomes.values() if isinstance(each, Refused) and each.scope == "account"
        ]
        if refused:
            self.is_stopped = True
            said = f"{refused[0].code} {refused[0].message}"
            self.run.refuse(f"{name}: 발송사가 계정을 거부합니다({said}). 설정을 고치세요")
        unsent = [each for each in outcomes.values() if isinstance(each, NotNow) and not each.sent]
        if unsent and not refused:
            self.run.postpone(f"{name}: 발송하지 못했습니다({unsent[0].message}). 연결되면 다시 실행하세요")
        self.unsent = self.unsent + 1 if outcomes and len(unsent) == len(outcomes) else 0
        self.is_stopped = self.is_stopped or self.unsent >= UNSENT_IN_A_ROW
