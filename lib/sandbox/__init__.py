"""Simulators of the PGs, SOLAPI and a mail server on loopback, for the demo, rehearsals and tests.

`with Sandbox() as sandbox:` runs them inside a test; `python -m lib.sandbox` runs them as a process of their
own, driven through `lib.sandbox.client`. No job imports them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lib.sandbox.allat import Allat
from lib.sandbox.allat_rules import AllatCard, AllatSwitches
from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.control import Control, Pgs
from lib.sandbox.faults import Fault
from lib.sandbox.nicepay import Nicepay
from lib.sandbox.nicepay_rules import NicepayCard, NicepaySwitches
from lib.sandbox.server import HttpServer, Listener
from lib.sandbox.smtp import Mail, Smtp
from lib.sandbox.smtp_rules import SmtpSwitches
from lib.sandbox.solapi import Solapi
from lib.sandbox.solapi_rules import SolapiSwitches
from lib.sandbox.tosspayments import TossPayments
from lib.sandbox.tosspayments_rules import Card, TossSwitches

__all__ = [
    "AllatCard",
    "AllatSwitches",
    "Card",
    "Fault",
    "Mail",
    "NicepayCard",
    "NicepaySwitches",
    "Ports",
    "Sandbox",
    "SmtpSwitches",
    "SolapiSwitches",
    "TossSwitches",
]


@dataclass(frozen=True)
class Ports:
    """Where each simulator listens on 127.0.0.1; 0 is any free port."""

    toss: int = 0
    solapi: int = 0
    smtp: int = 0
    control: int = 0
    nicepay: int = 0
    allat: int = 0


class Sandbox:
    """All simulators and their control interface, listening from `__enter__` to `__exit__`.

    `state` is the folder of the books' files, `mail_dir` gets every accepted mail as `NNN-<recipient>.eml`.
    """

    def __init__(
        self, ports: Ports | None = None, *, state: Path | None = None, mail_dir: Path | None = None
    ) -> None:
        self._ports = ports or Ports()
        self.clock = SettableClock()
        self.toss = TossPayments(self.clock, Book("toss", state), TossSwitches())
        self.nicepay = Nicepay(self.clock, Book("nicepay", state), NicepaySwitches())
        self.allat = Allat(self.clock, Book("allat", state), AllatSwitches())
        self.solapi = Solapi(self.clock, Book("solapi", state), SolapiSwitches())
        self.smtp = Smtp(self.clock, Book("smtp", state), SmtpSwitches(), mail_dir)
        self.pgs: Mapping[str, TossPayments | Nicepay | Allat] = {
            "tosspayments": self.toss,
            "nicepay": self.nicepay,
            "allat": self.allat,
        }
        """The simulated PGs, by the code under which shop and configuration know them."""
        self.control = Control(
            self.clock, Pgs(toss=self.toss, nicepay=self.nicepay, allat=self.allat), self.solapi, self.smtp
        )
        self._listeners: list[Listener] = []

    def __enter__(self) -> Self:
        for simulator, port in (
            (self.toss, self._ports.toss),
            (self.nicepay, self._ports.nicepay),
            (self.allat, self._ports.allat),
            (self.solapi, self._ports.solapi),
            (self.control, self._ports.control),
        ):
            simulator.port = self._listen(port, HttpServer(simulator))
        self.smtp.port = self._listen(self._ports.smtp, self.smtp)
        return self

    def _listen(self, port: int, server: HttpServer | Smtp) -> int:
        listener = Listener(port, server.serve)
        self._listeners.append(listener)
        return listener.port

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for simulator in (*self.pgs.values(), self.solapi, self.smtp, self.control):
            simulator.faults.stop()
        for listener in self._listeners:
            listener.close()
        for kept in (self.toss, self.nicepay, self.allat, self.solapi, self.smtp):
            kept.book.close()
