"""The network of one notebook instance.

Two network namespaces joined by a cable (a veth pair): the instance's own, and the fabric, in which the services of AWS
have their addresses. In the layout `agent` a third one, of SageMaker's agent (agent.py), stands in the place of the
metadata service. None has any other way out. They live only as long as a descriptor or a process of the host process:
the kernel removes them, however that process ends.
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
from typing import Literal, get_args

from emulator import agent, kernel

# What answers at the metadata service's address: a service of EC2's, or, by way of NAT rules, SageMaker's agent.
Layout = Literal["plain", "agent"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
LAYOUT_TAG = "emulator:layout"  # of a notebook instance; without it, its layout is the first one

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


def _set_up(command: list[str], given: str = "") -> None:
    result = subprocess.run(command, input=given, text=True, capture_output=True, check=False)
    if result.returncode:
        raise OSError(f"can't set up the instance's network: {result.stderr.strip()}")


def _ip(*commands: str) -> None:
    _set_up(["ip", "-batch", "-"], "\n".join(commands))


class Network:
    """The namespaces. This process stays in the one that it was in."""

    def __init__(self, addresses: Addresses, layout: Layout = "plain") -> None:
        self.addresses = addresses
        self.has_ipv6 = Path("/proc/sys/net/ipv6").exists()
        self.agent: int | None = None
        with _back_in_own_network():
            self.instance = _new_namespace()
            self._fabric = _new_namespace()
            self._lay_cable()
            if layout == "agent":
                self.agent = _new_namespace()
                self._connect_agent()
            else:
                self._serve_metadata_in_fabric()

    def _lay_cable(self) -> None:
        addresses = self.addresses
        _ip(
            f"link add fabric type veth peer name eth0 address {addresses.mac} netns {self.path(self.instance)}",
            "link set lo up",
            f"addr add {addresses.gateway}/24 dev fabric",
            f"addr add {RESOLVER}/32 dev fabric",
            *([f"addr add {addresses.gateway_ipv6}/64 dev fabric nodad"] if self.has_ipv6 else []),
            "link set fabric up",
        )
        kernel.setns(self.instance, kernel.CLONE_NEWNET)
        _ip(
            "link set lo up",
            f"addr add {addresses.address}/24 dev eth0",
            "link set eth0 up",
            f"route add default via {addresses.gateway}",
            *([f"addr add {addresses.address_ipv6}/64 dev eth0 nodad"] if self.has_ipv6 else []),
        )

    def _serve_metadata_in_fabric(self) -> None:
        address, address_ipv6 = METADATA_SERVICE
        if self.has_ipv6:
            _ip(f"route add {address_ipv6}/128 dev eth0")
        kernel.setns(self._fabric, kernel.CLONE_NEWNET)
        _ip(
            f"addr add {address}/32 dev fabric",
            *([f"addr add {address_ipv6}/128 dev fabric nodad"] if self.has_ipv6 else []),
        )

    def _connect_agent(self) -> None:
        _ip(*agent.own_side(self.path(self.instance)))
        kernel.setns(self.instance, kernel.CLONE_NEWNET)
        _ip(*agent.instance_side(self.addresses.gateway))
        for rule in agent.NAT_RULES:
            _set_up(agent.iptables("-A", rule))

    @staticmethod
    def path(namespace: int) -> str:
        """Where programs of this machine find a namespace, for as long as this process runs."""
        return f"/proc/{os.getpid()}/fd/{namespace}"

    def metadata_listeners(self) -> list[socket.socket]:
        """Open the sockets at which the instance's metadata service answers."""
        if self.agent is not None:
            return [self._listen(self.agent, "0.0.0.0", agent.PORT)]  # noqa: S104 - of its own namespace
        addresses = METADATA_SERVICE if self.has_ipv6 else METADATA_SERVICE[:1]
        return [self.listen(address, 80) for address in addresses]

    @staticmethod
    def _socket(namespace: int, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        # A socket stays in the namespace that it was made in, wherever the process is that uses it.
        version = ipaddress.ip_address(address).version
        with _back_in_own_network():
            kernel.setns(namespace, kernel.CLONE_NEWNET)
            made = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, kind)
        made.setblocking(False)
        made.bind((address, port))
        return made

    def _listen(self, namespace: int, address: str, port: int) -> socket.socket:
        listener = self._socket(namespace, address, port, socket.SOCK_STREAM)
        listener.listen(128)
        return listener

    def listen(self, address: str, port: int) -> socket.socket:
        """Open a socket in the fabric for connections."""
        return self._listen(self._fabric, address, port)

    def listen_for_datagrams(self, address: str, port: int) -> socket.socket:
        """Open a socket in the fabric for datagrams."""
        return self._socket(self._fabric, address, port, socket.SOCK_DGRAM)
