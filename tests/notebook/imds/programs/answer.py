"""Answers every request with a word: `answer.py ADDRESS PORT WORD`."""

import http.server
import socket
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one connection."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(word)))
        self.end_headers()
        self.wfile.write(word.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Looks up no name."""

    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET

    def server_bind(self) -> None:
        """Bind."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)


word = sys.argv[3]
Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
