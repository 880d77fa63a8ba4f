"""Asks for what the proxy has to ask the real service for, so many times, in requests as long as the proxy takes.

stalled.py NUMBER: it prints how many were sent, and whether one more waits for its answer, and then goes. When the proxy
gives up a question to the service, it answers all who wait with 504, and whoever comes in the second after that. So it asks
again once that is over; what it prints last counts.
"""

import contextlib
import socket
import sys
import time
from itertools import product

SERVICE = ("169.254.169.254", 80)
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz!#$%&*+^_|~"
MOST = 3000  # connections that are held
LONGEST = 2048  # bytes

with socket.create_connection(SERVICE) as connection:
    connection.sendall(b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 600\r\n\r\n")
    token = connection.makefile("rb").read().partition(b"\r\n\r\n")[2].decode()
request = f"GET /latest/meta-data/mac HTTP/1.1\r\nX-aws-ec2-metadata-token: {token}\r\n"
request += "".join(f"{first}{second}:\r\n" for first, second in product(LETTERS, repeat=2))
request = request[:LONGEST] + "\r\n\r\n"
held, sent = [], 0
while sent < int(sys.argv[1]):
    with contextlib.suppress(OSError):
        held.append(socket.create_connection(SERVICE, 2))
        held[-1].sendall(request.encode())
        sent += 1
    if len(held) > MOST:
        held.pop(0).close()
for _ in range(2):
    with socket.create_connection(SERVICE, 2) as connection:
        connection.sendall(request.encode())
        connection.settimeout(0.2)
        try:
            print(sent, connection.recv(12))
        except TimeoutError:
            print(sent, "waits")
            break
    time.sleep(1.2)
