"""Who asks Trino, and how: TLS, passwords, tokens and ~/.netrc, by what a server is sent. It answers nothing else."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

ROLES = ["--role", "data-science"]


@dataclass
class Server:
    """A server that accepts nobody, and remembers who asked."""

    port: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def source(self) -> str:
        return f"trino://localhost:{self.port}/catalog/schema/table"

    @property
    def sent(self) -> set[str | None]:
        return {each.get("Authorization") for each in self.headers}


def serve(server: Server, context: ssl.SSLContext | None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.headers.append(dict(self.headers))
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    listening = ThreadingHTTPServer(("localhost", 0), Handler)
    if context:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    server.port = listening.server_port
    return listening


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    found = trustme.CA()
    found.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return found


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[Server]:
    context = None
    if request.param == "https":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
    server = Server()
    listening = serve(server, context)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield server
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for name in ("TRINO_USER", "TRINO_PASSWORD", "TRINO_ACCESS_TOKEN", "TRINO_HTTP_SCHEME", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    (tmp_path / "netrc").write_text("machine localhost login analyst password of-netrc\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", "/dev/null")


def scheme(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    found = str(request.node.callspec.params["server"])
    monkeypatch.setenv("TRINO_HTTP_SCHEME", found)
    return found


def test_a_password_goes_out_with_tls_only(
    server: Server, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("TRINO_USER", "analyst")
    monkeypatch.setenv("TRINO_PASSWORD", "secret")
    has_tls = scheme(monkeypatch, request) == "https"
    answer = ask("summary", server.source, *ROLES)
    assert server.sent == ({"Basic YW5hbHlzdDpzZWNyZXQ="} if has_tls else set())
    assert answer.status == (1 if has_tls else 2)
    assert ("doesn't accept who asks" if has_tls else "without TLS") in answer.err
    assert "secret" not in answer.err


def test_a_token_goes_out_with_tls_only(
    server: Server, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("TRINO_ACCESS_TOKEN", "of-somebody")
    has_tls = scheme(monkeypatch, request) == "https"
    ask("summary", server.source, *ROLES)
    assert server.sent == ({"Bearer of-somebody"} if has_tls else set())


def test_netrc_counts_with_tls_only(
    server: Server,
    ask: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    has_tls = scheme(monkeypatch, request) == "https"
    ask("summary", server.source, *ROLES)
    assert server.sent == ({"Basic YW5hbHlzdDpvZi1uZXRyYw=="} if has_tls else {None})


@pytest.mark.parametrize("server", ["https"], indirect=True)
def test_a_server_with_another_authoritys_certificate_is_sent_nothing(
    server: Server, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("TRINO_PASSWORD", "secret")
    monkeypatch.setenv("TRINO_HTTP_SCHEME", "https")
    answer = ask("summary", server.source, *ROLES)
    assert answer.status == 1
    assert "certificate" in answer.err.lower()
    assert server.headers == []


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", "http"), ("127.0.0.1", "http"), ("trino.example.com", "https"), ("10.0.0.1", "https")],
)
def test_tls_is_the_default_but_on_this_machine(
    host: str, expected: str, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import trino

    asked: dict[str, Any] = {}

    def connect(**given: Any) -> None:
        asked.update(given)
        raise trino.exceptions.Error("no more is asked")

    monkeypatch.setattr(trino.dbapi, "connect", connect)
    assert "no more is asked" in ask("summary", f"trino://{host}:8080/a/b/c", *ROLES).err
    assert asked["http_scheme"] == expected
    assert asked["auth"] is None
