"""Tries to reach the metadata service by sockets of other kinds, and prints WENT THROUGH for each that does."""

import socket

SERVICE = "169.254.169.254"
ASK = b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n"
LOOSE_SOURCE_ROUTE = 131  # RFC 791


def attempt(name: str, *arguments: int, to: "tuple[str, int]" = (SERVICE, 80), options: bytes = b"") -> None:
    """Open a socket and ask for a token."""
    try:
        with socket.socket(*arguments) as made:
            made.settimeout(1)
            if options:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, options)
            made.connect(to)
            made.send(ASK)
            if made.recv(1000):
                print(name, "WENT THROUGH")
    except OSError as error:
        print(name, error)


def route_by(gateway: str) -> bytes:
    """Return the option by which a packet goes to a gateway first, and from there to the service."""
    hops = socket.inet_aton(gateway) + socket.inet_aton(SERVICE)
    return bytes([LOOSE_SOURCE_ROUTE, 3 + len(hops), 4]) + hops + b"\0"


with open("/proc/net/route") as routes:
    (hop,) = [line.split()[2] for line in routes if line.split()[1] == "00000000"]
GATEWAY = socket.inet_ntoa(bytes.fromhex(hop)[::-1])

attempt("raw", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
attempt("packet", socket.AF_PACKET, socket.SOCK_RAW, 0x0300)
attempt("UDP", socket.AF_INET, socket.SOCK_DGRAM)
for port in (81, 254, 443, 8080):
    attempt(f"port {port}", socket.AF_INET, socket.SOCK_STREAM, to=(SERVICE, port))
attempt("source route", socket.AF_INET, socket.SOCK_STREAM, options=route_by(GATEWAY))
