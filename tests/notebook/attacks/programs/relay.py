"""Connects a network namespace without any way out to the metadata service, as slirp4netns does for rootless containers.

relay.py inside SOCKET COMMAND...   in the namespace: listens where the service would be, and runs the command
relay.py outside SOCKET             outside: makes the connections, with the rights of whoever runs it
"""

import contextlib
import socket
import subprocess
import sys
import threading


def copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until the end."""
    while part := source.recv(65536):
        target.sendall(part)
    target.shutdown(socket.SHUT_WR)


def join(one: socket.socket, other: socket.socket) -> None:
    """Copy in both directions."""
    for pair in ((one, other), (other, one)):
        threading.Thread(target=copy, args=pair, daemon=True).start()


def connected(kind: socket.AddressFamily, address: "str | tuple[str, int]") -> socket.socket:
    """Return a connection."""
    made = socket.socket(kind)
    made.connect(address)
    return made


where, path, *command = sys.argv[1:]
if where == "inside":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", "169.254.169.254/32", "dev", "lo"], check=True)
    listener = socket.create_server(("169.254.169.254", 80))
    running = subprocess.Popen(command)
    listener.settimeout(1)
    while running.poll() is None:
        with contextlib.suppress(TimeoutError, socket.timeout):
            join(listener.accept()[0], connected(socket.AF_UNIX, path))
else:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(20)
    while True:
        join(listener.accept()[0], connected(socket.AF_INET, ("169.254.169.254", 80)))
