"""What this machine can do at most: the same requests, mails and rows with nothing around them.

`python -m bench.limits {charge,session,mail,rows} …` prints `{"seconds": …}`; only the loop is timed.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import smtplib
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import local
from urllib.parse import urlsplit

import pymysql
import requests
from sqlalchemy import make_url

from bench import DATABASE
from lib.sandbox.tosspayments_rules import SECRET_KEY

OK = 200
ROWS_A_STATEMENT = 1000
SEALED = ("billing_round", "billing_round_item", "message", "subscription_log")
"""Where sealing writes, the shop's log included."""

_HEADERS = {
    "Authorization": "Basic " + base64.b64encode(f"{SECRET_KEY}:".encode()).decode(),
    "Content-Type": "application/json",
}
_kept = local()


def _body(order_no: str) -> bytes:
    charge = {"amount": 12_900, "customerKey": "bench", "orderId": order_no, "orderName": "원두 외 1건 3회차"}
    return json.dumps(charge).encode()


def _by_connection(url: str, order_no: str) -> int:
    """Charge over this thread's kept connection, with nothing above http.client."""
    if not hasattr(_kept, "connection"):
        _kept.connection = HTTPConnection(urlsplit(url).netloc)
    _kept.connection.request("POST", f"/v1/billing/{order_no}", _body(order_no), _HEADERS)
    response = _kept.connection.getresponse()
    response.read()
    return int(response.status)


def _by_session(url: str, order_no: str) -> int:
    """Charge over this thread's requests.Session."""
    if not hasattr(_kept, "session"):
        _kept.session = requests.Session()
    address = f"{url}/v1/billing/{order_no}"
    reply = _kept.session.post(address, data=_body(order_no), headers=_HEADERS, timeout=60)
    return int(reply.status_code)


def charge(options: argparse.Namespace) -> int:
    """Charge so many times from so many threads; returns how many were approved."""
    one: Callable[[str, str], int] = _by_session if options.what == "session" else _by_connection
    numbers = [f"{options.prefix}-{number:07}" for number in range(options.count)]
    with ThreadPoolExecutor(options.threads) as pool:
        answers = list(pool.map(lambda number: one(options.url, number), numbers))
    return answers.count(OK)


def mail(options: argparse.Namespace) -> int:
    """Hand the same mail over so many times on one kept connection, nothing rendered or built."""
    content = options.mail.read_bytes().replace(b"\r\n.", b"\r\n..") + b".\r\n"
    address = urlsplit(options.url)
    connection = smtplib.SMTP(address.hostname or "", address.port or 25)
    if connection.sock:
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.ehlo()
    accepted = 0
    for _ in range(options.count):
        connection.docmd("MAIL FROM:<bench@example.com>")
        connection.docmd("RCPT TO:<bench@example.com>")
        connection.docmd("DATA")
        connection.send(content)
        accepted += connection.getreply()[0] == 250  # noqa: PLR2004 SMTP's yes
    connection.quit()
    return accepted


def rows(options: argparse.Namespace) -> float:
    """Insert the rows that a seal has written once more, into copies of their tables.

    A thousand rows a statement, one commit a statement; returns the seconds of the inserts alone.
    """
    url = make_url(os.environ[DATABASE])
    connection = pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        charset="utf8mb4",
    )
    cursor = connection.cursor()
    seconds = 0.0
    for table in SEALED:
        name = f"{options.shop_schema if table == 'subscription_log' else url.database}.{table}"
        cursor.execute(f"SHOW COLUMNS FROM {name}")
        columns = ", ".join(row[0] for row in cursor if "GENERATED" not in row[5])
        cursor.execute(f"SELECT {columns} FROM {name}")
        found = list(cursor.fetchall())
        cursor.execute(f"CREATE TABLE {name}_copy LIKE {name}")
        places = ", ".join(["%s"] * (columns.count(",") + 1))
        began = time.perf_counter()
        for start in range(0, len(found), ROWS_A_STATEMENT):
            part = found[start : start + ROWS_A_STATEMENT]
            cursor.executemany(f"INSERT INTO {name}_copy ({columns}) VALUES ({places})", part)
            connection.commit()
        seconds += time.perf_counter() - began
        cursor.execute(f"DROP TABLE {name}_copy")
    connection.close()
    return seconds


def main(argv: list[str]) -> None:
    """Measure one limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.limits", description=__doc__)
    parser.add_argument("what", choices=("charge", "session", "mail", "rows"))
    parser.add_argument("--url", default="")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prefix", default="bench")
    parser.add_argument("--mail", type=Path)
    parser.add_argument("--shop-schema", default="")
    options = parser.parse_args(argv)
    if options.what == "rows":
        print(json.dumps({"seconds": rows(options)}))
        return
    began = time.perf_counter()
    done = mail(options) if options.what == "mail" else charge(options)
    seconds = time.perf_counter() - began
    if done != options.count:
        sys.exit(f"{options.what}: {done} of {options.count} went well")
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1:])
