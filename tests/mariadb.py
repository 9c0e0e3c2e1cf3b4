"""A MariaDB for the tests: the one that is named, or a private one that lives as long as its parent.

`python -m tests.mariadb --serve` prints an address and serves until stdin closes;
`python -m tests.mariadb --install` makes sure that this works, installing a server where it may.
"""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pymysql

VARIABLE = "JEONGGI_TEST_DATABASE_URL"
ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
TRIES = 3
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec")  # where a user's PATH does not look
REMEDY = (
    f"no MariaDB to test on: run `apt-get install mariadb-server` as root, "
    f"or set {VARIABLE}=mysql+pymysql://user:password@host:port/ (a user that may create schemas and users)"
)


class NoServerError(Exception):
    """There is no server to test on, and none can be had here; the text is one line and says what to do."""


def find(program: str) -> str | None:
    """Return where a program of MariaDB's is, also outside of PATH."""
    return shutil.which(program) or shutil.which(program, path=os.pathsep.join(SYSTEM_FOLDERS))


def is_installed() -> bool:
    """Tell whether a private server could be started here."""
    return bool(find("mariadbd") and find("mariadb-install-db"))


def install() -> None:
    """Install MariaDB with the system's own packages, where this user may; raise NoServerError elsewhere."""
    apt = shutil.which("apt-get")
    if not apt:
        raise NoServerError(REMEDY)
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and (not shutil.which("sudo") or _run([*prefix, "true"])):
        raise NoServerError(REMEDY)
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-qq", "-y"]
    _run([*quiet, "update"])  # a stale index may still do
    if _run([*quiet, "install", "--no-install-recommends", "mariadb-server"]) or not is_installed():
        raise NoServerError(REMEDY)


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode


@contextmanager
def private_server() -> Iterator[str]:
    """Start a server of our own in a temporary folder and yield its address; durable, as in production."""
    with tempfile.TemporaryDirectory(prefix="jeonggi-mariadb-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        port, password = _free_port(), secrets.token_hex(12)
        process = _start(home, port, password)
        try:
            _wait(process, home, port, password)
            yield f"mysql+pymysql://tests:{password}@127.0.0.1:{port}/"
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _start(home: Path, port: int, password: str) -> subprocess.Popen[bytes]:
    data, log = home / "data", home / "log"
    (home / "init.sql").write_text(
        f"CREATE USER tests@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        "GRANT ALL ON *.* TO tests@'127.0.0.1' WITH GRANT OPTION;\n",
        encoding="ascii",
    )
    common = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}"]
    make = [str(find("mariadb-install-db")), *common, "--auth-root-authentication-method=normal"]
    with log.open("wb") as written:
        for _ in range(TRIES):
            made = subprocess.run([*make, "--skip-test-db"], stdout=written, stderr=written, check=False)
            if made.returncode == 0:
                break
            shutil.rmtree(data, ignore_errors=True)  # left half-made by a machine short of something
        return subprocess.Popen(
            [
                str(find("mariadbd")),
                *common,
                f"--init-file={home / 'init.sql'}",
                f"--socket={home / 'socket'}",
                f"--pid-file={home / 'pid'}",
                "--bind-address=127.0.0.1",
                f"--port={port}",
                "--skip-name-resolve",
                "--performance-schema=OFF",
                "--innodb-buffer-pool-size=512M",
                "--character-set-server=utf8mb4",
            ],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            start_new_session=True,  # Ctrl-C is for the tests; they stop the server
        )


def _wait(process: subprocess.Popen[bytes], home: Path, port: int, password: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="tests", password=password).close()
        except pymysql.err.OperationalError:
            time.sleep(0.05)
        else:
            return
    lines = (home / "log").read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if "ERROR" in line] or lines
    raise NoServerError(f"MariaDB did not start: {' '.join(errors[-1:]) or 'it said nothing'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def server() -> Iterator[str]:
    """Yield the address of a MariaDB: the one named, else a private one; raise NoServerError without either.

    The private one belongs to a keeper that reads our pipe, so it goes when this process does, killed or not.
    """
    named = os.environ.get(VARIABLE)
    if named:
        yield named
        return
    with subprocess.Popen(
        [sys.executable, "-m", "tests.mariadb", "--serve"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        assert keeper.stderr is not None
        url = keeper.stdout.readline().strip()
        if not url:
            raise NoServerError(keeper.stderr.read().strip().splitlines()[-1])
        try:
            yield url
        finally:
            keeper.stdin.close()
            keeper.wait(START_SECONDS)


def _serve() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # leave through the cleaning up
    if not is_installed():
        install()
    with private_server() as url:
        print(url, flush=True)  # noqa: T201 this is the command's answer
        while sys.stdin.read(1):
            pass


def _install() -> None:
    if not os.environ.get(VARIABLE) and not is_installed():
        install()


def main() -> None:
    """Do what the Makefile and .ci/run ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mariadb", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--install", action="store_const", dest="do", const=_install)
    what.add_argument("--serve", action="store_const", dest="do", const=_serve)
    try:
        parser.parse_args().do()
    except NoServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
