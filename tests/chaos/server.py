"""A MariaDB that can be killed and started again: the same port, the same data."""

from __future__ import annotations

import getpass
import secrets
import socket
import subprocess
import time
from pathlib import Path

import pymysql

from tests import mariadb

START_SECONDS = 60


class MortalServer:
    """A durable server in a folder of its own; `kill` is kill -9, whatever it was about to do."""

    def __init__(self, home: Path) -> None:
        if not mariadb.is_installed():
            mariadb.install()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port: int = listener.getsockname()[1]
        self._home, self._password = home, secrets.token_hex(12)
        self._user = (
            f"CREATE USER tests@'127.0.0.1' IDENTIFIED BY '{self._password}';\n"
            "GRANT ALL ON *.* TO tests@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        self._common = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={home / 'data'}"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mysql+pymysql://tests:{self._password}@127.0.0.1:{self.port}/"

    def make(self) -> None:
        """Make the data folder and start for the first time."""
        script = self._home / "init.sql"
        script.write_text(self._user, encoding="ascii")
        make = [str(mariadb.find("mariadb-install-db")), *self._common, "--skip-test-db"]
        with (self._home / "log").open("ab") as log:
            subprocess.run(
                [*make, "--auth-root-authentication-method=normal"], stdout=log, stderr=log, check=True
            )
        self.start(f"--init-file={script}")

    def start(self, *options: str) -> None:
        """Start, which after a kill means recovery, and wait until it takes connections."""
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(mariadb.find("mariadbd")),
                    *self._common,
                    f"--socket={self._home / 'socket'}",
                    f"--pid-file={self._home / 'pid'}",
                    "--bind-address=127.0.0.1",
                    f"--port={self.port}",
                    "--skip-name-resolve",
                    "--innodb-buffer-pool-size=64M",
                    "--character-set-server=utf8mb4",
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def kill(self) -> None:
        """End it at once, without a word to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def die_and_come_back(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                pymysql.connect(
                    host="127.0.0.1", port=self.port, user="tests", password=self._password
                ).close()
            except pymysql.err.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise mariadb.NoServerError((self._home / "log").read_text(encoding="utf-8", errors="replace")[-500:])
