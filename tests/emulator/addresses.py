"""Which address a request comes from, in the emulated world."""

from __future__ import annotations


def source_ip_address(remote_address: str | None) -> str:
    """Return the address that AWS would see.

    A machine has no 10.A.B.C of its own to call from, so an emulated instance with that address calls from
    127.A.B.C; 127.0.0.x stays what it is, a client on this machine.
    """
    address = remote_address or "127.0.0.1"
    if address.startswith("127.") and not address.startswith("127.0.0."):
        return "10." + address.removeprefix("127.")
    return address
