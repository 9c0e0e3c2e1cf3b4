"""The PGs of one run: which are open, and which were stopped on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from lib.gateways import Gateway, Misconfigured, NotSent
from lib.gateways.opening import open_gateways
from lib.run import Run

UNSENT_IN_A_ROW = 3
"""So many calls in a row that were not sent stop a PG for the run (rule 14)."""


@dataclass
class Desk:
    """The PGs a run may call."""

    run: Run
    gateways: dict[str, Gateway]
    stopped: dict[str, str] = field(default_factory=dict)
    _unsent: Counter[str] = field(default_factory=Counter)

    @classmethod
    def open(cls, run: Run) -> Desk:
        """Open every configured PG; the connections are made when they are needed."""
        return cls(run, open_gateways(run.settings, run.clock.now))

    def reachable(self, pg_code: str) -> Gateway | None:
        """Return a PG that is configured and switched on; says nothing where it is not."""
        settings = self.run.settings.gateways().get(pg_code)
        return self.gateways[pg_code] if settings and settings.enabled else None

    def gateway(self, pg_code: str) -> Gateway | None:
        """Return a PG that may be called now; where there is none the run says why and ends with 75 or 78."""
        settings = self.run.settings.gateways().get(pg_code)
        if settings is None:
            self.run.refuse(f"{pg_code}: 설정에 [gateway.{pg_code}] 가 없습니다. 키와 함께 적어 넣으세요")
            return None
        if not settings.enabled:
            self.run.postpone(f"{pg_code}: 설정에서 꺼져 있습니다(enabled = false). 켠 뒤 다시 실행하세요")
            return None
        return None if pg_code in self.stopped else self.gateways[pg_code]

    def saw(self, pg_code: str, outcome: object) -> None:
        """Stop a PG for this run after a refusal of the account, or too many calls that did not leave."""
        if isinstance(outcome, Misconfigured):
            self.stopped[pg_code] = outcome.code
            said = f"{outcome.code} {outcome.message}"
            self.run.refuse(f"{pg_code}: 상점 계정을 거부합니다({said}). 키와 계약을 확인하세요")
        self._unsent[pg_code] = self._unsent[pg_code] + 1 if isinstance(outcome, NotSent) else 0
        if self._unsent[pg_code] >= UNSENT_IN_A_ROW:
            self.stopped[pg_code] = "연결되지 않음"
            self.run.postpone(f"{pg_code}: 연결되지 않습니다. 연결되면 다시 실행하세요")

    def workers(self) -> int:
        """Return how many attempts may be open at once."""
        configured = max((each.workers for each in self.run.settings.gateways().values()), default=1)
        return self.run.scope.workers or configured
