"""Drive simulators that run in another process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from http.client import HTTPConnection
from typing import Any, Literal
from urllib.parse import urlsplit

from lib.sandbox.allat_rules import AllatCard
from lib.sandbox.faults import Fault
from lib.sandbox.nicepay_rules import NicepayCard
from lib.sandbox.tosspayments_rules import Card

PgName = Literal["toss", "nicepay", "allat"]
ServiceName = PgName | Literal["solapi", "smtp"]
Rows = list[dict[str, Any]]


class SandboxClient:
    """Speaks to the control interface at `url`; what it refuses is a ValueError."""

    def __init__(self, url: str, timeout_s: float = 10) -> None:
        self._address = urlsplit(url).netloc
        self._timeout_s = timeout_s

    def book(self, service: ServiceName) -> Rows:
        """Return every entry of a book."""
        return self._rows(f"/book/{service}")

    def approvals(self, service: PgName = "toss") -> Rows:
        """Return all money a PG approved, with what of it was cancelled."""
        return self._rows(f"/approvals/{service}")

    def released(self) -> Rows:
        """Return every SMS that really left."""
        return self._rows("/released")

    def mails(self) -> Rows:
        """Return every accepted mail; `raw` is latin-1, a character per byte."""
        return self._rows("/mails")

    def add_faults(self, service: ServiceName, *faults: Fault, latency_s: float | None = None) -> None:
        """Switch faults on, and set the latency of every request."""
        body: dict[str, object] = {"service": service, "faults": [*map(asdict, faults)]}
        if latency_s is not None:
            body["latency_s"] = latency_s
        self._call("POST", "/faults", body)

    def clear_faults(self, service: ServiceName) -> None:
        """Switch every fault and the latency off."""
        self._call("DELETE", f"/faults/{service}")

    def switch(self, service: ServiceName, **values: object) -> None:
        """Change switches of a simulator: the fields of its own class of switches."""
        self._call("POST", "/switches", {"service": service} | values)

    def register(self, *cards: Card | NicepayCard | AllatCard, service: PgName = "toss") -> None:
        """Issue billing keys at a PG, and say how their cards answer."""
        self._call("POST", "/cards", {"service": service, "cards": [asdict(card) for card in cards]})

    def set_clock(self, moment: datetime) -> None:
        """Set the simulators' business time; `moment` is aware."""
        self._call("POST", "/clock", {"now": moment.isoformat()})

    def reset(self) -> None:
        """Empty every simulator and go back to real time."""
        self._call("POST", "/reset")

    def _rows(self, path: str) -> Rows:
        rows: Rows = self._call("GET", path)
        return rows

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
        connection = HTTPConnection(self._address, timeout=self._timeout_s)
        try:
            connection.request(method, path, json.dumps(body or {}))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:  # noqa: PLR2004 - HTTP's OK
            raise ValueError(answer["error"])
        return answer
