"""Holds so many connections to the metadata service open, each with half a request; one that is closed is opened again.

slow.py NUMBER SECONDS: it ends when /tmp/enough is there, after so many seconds at least, or after MOST_SECONDS.
"""

import contextlib
import os
import selectors
import socket
import sys
import time

HALF = b"GET /latest/ HTTP/1.1\r\nx: " + b"y" * 1900
PROCESSES = 4
MOST_SECONDS = 120


def hold(number: int, seconds: float) -> None:
    """Keep this process' share of them."""
    selector, opened, begin = selectors.DefaultSelector(), 0, time.monotonic()

    def is_over() -> bool:
        so_far = time.monotonic() - begin
        return so_far > MOST_SECONDS or (so_far > seconds and os.path.exists("/tmp/enough"))

    while not is_over():
        while len(selector.get_map()) < number:
            connection = socket.socket()
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.connect(("169.254.169.254", 80))
            selector.register(connection, selectors.EVENT_WRITE)
            opened += 1
            if opened == number:
                print("held", flush=True)
        for key, event in selector.select(0.05):
            assert isinstance(key.fileobj, socket.socket)
            connection = key.fileobj
            try:
                if event & selectors.EVENT_WRITE:
                    connection.send(HALF)
                    selector.modify(connection, selectors.EVENT_READ)
                elif not connection.recv(100):
                    raise ConnectionResetError
            except OSError:
                selector.unregister(connection)
                connection.close()


for _ in range(PROCESSES):
    if os.fork() == 0:
        hold(int(sys.argv[1]) // PROCESSES, float(sys.argv[2]))
        os._exit(0)
for _ in range(PROCESSES):
    os.wait()
