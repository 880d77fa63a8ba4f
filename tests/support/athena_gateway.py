"""Athena before moto's: what moto lacks is done here as AWS's documentation has it; all else is moto's.

moto keeps queries and their states, but runs none, and has no results, failures or throttling. Here a query is run by `run`, its
results are written to the workgroup's place, and `faults` say which requests are refused, and how a query ends.
https://docs.aws.amazon.com/athena/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import csv
import http.client
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_TARGET = "AmazonAthena."
_PAGE = 1000
Rows = list[str]
Run = Callable[[str, list[str]], Rows]
"""Runs a query with its parameters, each as SQL has it; returns the only column of its rows."""


@dataclass
class Faults:
    """What goes wrong, and how much a query scans.

    `refusals`: an error's code and message for each of the next requests of an operation; `ends`: the status of each of the
    next queries; `is_endless`: no query ends; `is_managed`: Athena keeps the results itself.
    """

    refusals: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    ends: list[dict[str, Any]] = field(default_factory=list)
    is_endless: bool = False
    scanned: int = 12_000_000
    is_managed: bool = False


class AthenaGateway:
    """Takes requests on this machine; see the module."""

    def __init__(self, moto: str, s3: Any, run: Run) -> None:
        self.faults = Faults()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._moto, self._s3, self._run = urlsplit(moto), s3, run
        self._ends: dict[str, dict[str, Any]] = {}
        self._results: dict[str, Rows] = {}
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = gateway.answer(self.command, self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[AthenaGateway]:
        """Take requests while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def started(self) -> list[dict[str, Any]]:
        """Return the queries that were to be started."""
        return [asked for operation, asked in self.requests if operation == "StartQueryExecution"]

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and content of the answer to a request."""
        target = headers.get("X-Amz-Target", "")
        if not target.startswith(_TARGET):
            return self._of_moto(method, path, headers, body)
        operation, asked = target.removeprefix(_TARGET), json.loads(body)
        self.requests.append((operation, asked))
        if refusals := self.faults.refusals.get(operation):
            code, message = refusals.pop(0)
            return _json(400, {"__type": code, "Message": message})
        if operation == "GetQueryResults":
            return _json(200, self._page(asked["QueryExecutionId"], int(asked.get("NextToken") or 0)))
        status, sent, answer = self._of_moto(method, path, headers, body)
        if status == 200 and operation == "StartQueryExecution":
            self._start(json.loads(answer)["QueryExecutionId"], asked)
        if status == 200 and operation == "GetQueryExecution":
            return _json(200, self._execution(json.loads(answer)))
        return status, sent, answer

    def _of_moto(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(str(self._moto.hostname), self._moto.port, timeout=60)
        try:
            others = {name: value for name, value in headers.items() if name.lower() != "host"}
            connection.request(method, path, body, {**others, "Host": self._moto.netloc})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _start(self, identifier: str, asked: dict[str, Any]) -> None:
        self._ends[identifier] = self.faults.ends.pop(0) if self.faults.ends else {"State": "SUCCEEDED"}
        if self._ends[identifier]["State"] != "SUCCEEDED" or self.faults.is_endless:
            return
        rows = ["record", *self._run(asked["QueryString"], asked.get("ExecutionParameters") or [])]
        self._results[identifier] = rows
        if not self.faults.is_managed:
            text = io.StringIO()
            csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([row] for row in rows)
            self._s3.put_object(Bucket="results", Key=f"notebooks/{identifier}.csv", Body=text.getvalue().encode())

    def _execution(self, answer: dict[str, Any]) -> dict[str, Any]:
        execution = answer["QueryExecution"]
        identifier = execution["QueryExecutionId"]
        execution["Statistics"]["DataScannedInBytes"] = self.faults.scanned
        execution["ResultConfiguration"] = (
            {} if self.faults.is_managed else {"OutputLocation": f"s3://results/notebooks/{identifier}.csv"}
        )
        if execution["Status"]["State"] == "CANCELLED":
            return dict(answer)
        if self.faults.is_endless:
            execution["Status"]["State"] = "RUNNING"
        elif execution["Status"]["State"] == "SUCCEEDED":
            execution["Status"].update(self._ends[identifier])
        return dict(answer)

    def _page(self, identifier: str, start: int) -> dict[str, Any]:
        rows = self._results[identifier]
        page = [{"Data": [{"VarCharValue": each}]} for each in rows[start : start + _PAGE]]
        more = {"NextToken": str(start + _PAGE)} if start + _PAGE < len(rows) else {}
        return {"ResultSet": {"Rows": page}, "UpdateCount": 0, **more}


def _json(status: int, content: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    return status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(content).encode()
