"""Sends requests of every kind to the metadata service, so many in all, from four processes; exits 0 if all were answered.

flood.py NUMBER
"""

import os
import socket
import sys

TOKEN = b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n"
ROLE = b"/latest/meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole"
PROCESSES = 4


def ask(request: bytes) -> bytes:
    """Return the answer."""
    with socket.create_connection(("169.254.169.254", 80), 30) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(4096):
            answer += part
        return answer


def work(number: int) -> bool:
    """Return whether each of so many requests was answered as it should be."""
    token = ask(TOKEN).rpartition(b"\r\n")[2]
    requests = [
        (TOKEN, b"200"),
        (b"GET %s HTTP/1.1\r\nX-aws-ec2-metadata-token: %s\r\n\r\n" % (ROLE, token), b"200"),
        (b"GET /latest/meta-data/instance-id HTTP/1.1\r\nX-aws-ec2-metadata-token: %s\r\n\r\n" % token, b"200"),
        (b"GET / HTTP/1.1\r\nX-aws-ec2-metadata-token: 99-made-up-%d\r\n\r\n" % os.getpid(), b"401"),
        (b"no request\r\n\r\n", b"400"),
    ]
    for turn in range(number):
        request, status = requests[turn % len(requests)]
        if ask(request).split(b" ")[1:2] != [status]:
            return False
    return True


for _ in range(PROCESSES):
    if os.fork() == 0:
        os._exit(0 if work(int(sys.argv[1]) // PROCESSES) else 1)
sys.exit(any(os.wait()[1] for _ in range(PROCESSES)))
