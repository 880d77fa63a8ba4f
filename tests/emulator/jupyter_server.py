"""Stands for the notebook server: a program of ec2-user's that took credentials when it began, and keeps them in memory.

It runs on the instance, with its Python. `/held` answers what it holds, as any code would see it that runs within the
server, such as an extension's; every other path answers as /api of Jupyter does.
"""

import socket
import socketserver

PORT = 8888
ROLE = "/latest/meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole"


def ask(request: str) -> str:
    """Return the body of the metadata service's answer."""
    with socket.create_connection(("169.254.169.254", 80), 5) as connection:
        connection.sendall(f"{request}\r\nConnection: close\r\n\r\n".encode())
        return connection.makefile("rb").read().partition(b"\r\n\r\n")[2].decode()


def take() -> str:
    """Return the credentials that the metadata service gives, or nothing."""
    try:
        token = ask("PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60")
        return ask(f"GET {ROLE} HTTP/1.1\r\nX-aws-ec2-metadata-token: {token}")
    except OSError:
        return ""


class Handler(socketserver.StreamRequestHandler):
    """Answers one connection. Without http.server, whose parts take longer to import than all else here."""

    def handle(self) -> None:
        """Answer one request."""
        target = self.rfile.readline().split(b" ")[1:2]
        while self.rfile.readline().strip():
            pass
        body = held if target == [b"/held"] else '{"version": "2.14.2"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
        self.wfile.write(f"{head}\r\n\r\n{body}".encode())


class Server(socketserver.ThreadingTCPServer):
    """At all of the instance's addresses."""

    allow_reuse_address = True
    daemon_threads = True


with Server(("", PORT), Handler) as server:
    held = take()
    print("serves", flush=True)
    server.serve_forever()
