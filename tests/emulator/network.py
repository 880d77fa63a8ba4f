"""The network of one notebook instance.

Two network namespaces joined by a cable (a veth pair): the instance's own, and the fabric, in which the services of AWS
have their addresses. Neither has any other way out. Both live only as long as a descriptor or a process of the host
process: the kernel removes them, however that process ends.
"""

import hashlib
import ipaddress
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator import kernel

METADATA_SERVICE = ("169.254.169.254", "fd00:ec2::254")
RESOLVER = "169.254.169.253"


@dataclass(frozen=True)
class Addresses:
    """The addresses of one notebook instance, the same at every start."""

    address: str
    address_ipv6: str
    gateway: str
    gateway_ipv6: str
    source: str
    mac: str

    @property
    def hostname(self) -> str:
        """What EC2 calls an instance with this address."""
        return "ip-" + self.address.replace(".", "-")


def addresses_of(account_id: str, region: str, name: str) -> Addresses:
    """Give an instance addresses of its own, 10.A.B.C and one of the documentation's in IPv6.

    Towards LocalStack it is 127.A.B.C: on the loopback network any such address can be the source of a connection, so
    each instance's calls can be told from the others'.
    """
    digest = hashlib.sha256(f"{account_id}/{region}/{name}".encode()).digest()
    # A isn't 0, since 127.0.0.x is this machine itself; the first four of a subnet and its last are AWS's.
    a, b, c = 1 + digest[0] % 254, digest[1], 4 + digest[2] % 251
    return Addresses(
        address=f"10.{a}.{b}.{c}",
        address_ipv6=f"2001:db8:{a:x}:{b:x}::{c:x}",
        gateway=f"10.{a}.{b}.1",
        gateway_ipv6=f"2001:db8:{a:x}:{b:x}::1",
        source=f"127.{a}.{b}.{c}",
        mac="02:" + ":".join(f"{byte:02x}" for byte in digest[3:8]),
    )


@contextmanager
def _back_in_own_network() -> Iterator[None]:
    own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        kernel.setns(own, kernel.CLONE_NEWNET)
        os.close(own)


def _new_namespace() -> int:
    """Enter a new network namespace, and return a descriptor of it."""
    kernel.unshare(kernel.CLONE_NEWNET)
    if socket.has_ipv6 and Path("/proc/sys/net/ipv6").exists():
        # An IPv6 address is of use at once, not after a second's search for another machine that has it.
        for device in ("all", "default"):
            Path(f"/proc/sys/net/ipv6/conf/{device}/accept_dad").write_text("0")
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _ip(*commands: str) -> None:
    result = subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(commands), text=True, capture_output=True, check=False
    )
    if result.returncode:
        raise OSError(f"can't set up the instance's network: {result.stderr.strip()}")


class Network:
    """The two namespaces. This process stays in the one that it was in."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.has_ipv6 = Path("/proc/sys/net/ipv6").exists()
        with _back_in_own_network():
            self.instance = _new_namespace()
            self._fabric = _new_namespace()
            _ip(
                f"link add fabric type veth peer name eth0 address {addresses.mac} "
                f"netns /proc/{os.getpid()}/fd/{self.instance}",
                "link set lo up",
                f"addr add {addresses.gateway}/24 dev fabric",
                f"addr add {RESOLVER}/32 dev fabric",
                f"addr add {METADATA_SERVICE[0]}/32 dev fabric",
                *(
                    [
                        f"addr add {addresses.gateway_ipv6}/64 dev fabric nodad",
                        f"addr add {METADATA_SERVICE[1]}/128 dev fabric nodad",
                    ]
                    if self.has_ipv6
                    else []
                ),
                "link set fabric up",
            )
            kernel.setns(self.instance, kernel.CLONE_NEWNET)
            _ip(
                "link set lo up",
                f"addr add {addresses.address}/24 dev eth0",
                "link set eth0 up",
                f"route add default via {addresses.gateway}",
                *(
                    [
                        f"addr add {addresses.address_ipv6}/64 dev eth0 nodad",
                        f"route add {METADATA_SERVICE[1]}/128 dev eth0",
                    ]
                    if self.has_ipv6
                    else []
                ),
            )

    def _socket(self, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        # A socket stays in the namespace that it was made in, wherever the process is that uses it.
        version = ipaddress.ip_address(address).version
        with _back_in_own_network():
            kernel.setns(self._fabric, kernel.CLONE_NEWNET)
            made = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, kind)
        made.setblocking(False)
        made.bind((address, port))
        return made

    def listen(self, address: str, port: int) -> socket.socket:
        """Open a socket in the fabric for connections."""
        listener = self._socket(address, port, socket.SOCK_STREAM)
        listener.listen(128)
        return listener

    def listen_for_datagrams(self, address: str, port: int) -> socket.socket:
        """Open a socket in the fabric for datagrams."""
        return self._socket(address, port, socket.SOCK_DGRAM)
