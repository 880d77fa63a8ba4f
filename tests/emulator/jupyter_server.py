"""Stands for the notebook server: a program of ec2-user's that took credentials when it began, and keeps them in memory.

It runs on the instance, with its Python. `/held` answers what it holds, as any code would see it that runs within the
server, such as an extension's; every other path answers as /api of Jupyter does.
"""

import http.client
import http.server
import socketserver

PORT = 8888
ROLE = "/latest/meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole"


def ask(method: str, path: str, headers: "dict[str, str]") -> str:
    """Return the body of the metadata service's answer."""
    connection = http.client.HTTPConnection("169.254.169.254", timeout=5)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def take() -> str:
    """Return the credentials that the metadata service gives, or nothing."""
    try:
        token = ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        return ask("GET", ROLE, {"X-aws-ec2-metadata-token": token})
    except (OSError, http.client.HTTPException):
        return ""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one connection."""

    def do_GET(self) -> None:
        """Answer."""
        body = held if self.path == "/held" else '{"version": "2.14.2"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class Server(socketserver.ThreadingTCPServer):
    """At all of the instance's addresses."""

    allow_reuse_address = True
    daemon_threads = True


with Server(("", PORT), Handler) as server:
    held = take()
    print("serves", flush=True)
    server.serve_forever()
