"""Which network an address is of."""

from __future__ import annotations

import socket
from functools import lru_cache


@lru_cache(maxsize=65_536)
def network_of(address: str | None) -> tuple[int, bool] | None:
    """Return an address' IP version and whether it is private; None for what is no address, such as a service's name.

    Private is what no packet of the internet's has: https://www.rfc-editor.org/rfc/rfc6890.
    """
    try:
        a, b, *_ = socket.inet_pton(socket.AF_INET, address or "")
    except (OSError, ValueError):
        pass
    else:
        return 4, a in (10, 127) or (a, b) in ((192, 168), (169, 254)) or (a, b & 240) == (172, 16) or (a, b & 192) == (
            100,
            64,
        )
    try:
        packed = socket.inet_pton(socket.AF_INET6, address or "")
    except (OSError, ValueError):
        return None
    return 6, packed[0] & 254 == 0xFC or (packed[0] == 0xFE and packed[1] & 192 == 128) or packed[:15] == bytes(15)


@lru_cache(maxsize=65_536)
def is_of_private_network(address: str | None) -> bool:
    """Return whether a machine has this address in a private network: not one that each machine has for itself."""
    network = network_of(address)
    return network is not None and network[1] and not str(address).lower().startswith(_OF_EACH_MACHINE)


# Loopback and link-local ones.
_OF_EACH_MACHINE = ("127.", "169.254.", "fe8", "fe9", "fea", "feb", "::")
