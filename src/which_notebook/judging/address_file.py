"""What `audit --with-addresses` read of the account, out of a file."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ..errors import CommandError, reason_of
from ..times import parse_time
from .evidence.address import AddressOf


class AddressFileError(CommandError):
    """A file of addresses can't be used; the message says why and what to do."""


class _Address(Struct):
    notebook: str
    account_id: str
    region: str
    address: str
    since: str


class _Content(Struct):
    read_at: str
    addresses: list[_Address]


def read_address_file(path: str) -> tuple[AddressOf, ...]:
    """Read what `audit --with-addresses --format json` printed. Raises AddressFileError where it isn't that."""
    try:
        with open(path, "rb") as file:
            content = msgspec.json.decode(file.read(), type=_Content)
        until = parse_time(content.read_at)
        return tuple(
            AddressOf(each.notebook, each.account_id, each.region, each.address, parse_time(each.since), until)
            for each in content.addresses
        )
    except OSError as error:
        raise AddressFileError(f"can't read the addresses {path}: {reason_of(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, CommandError) as error:
        raise AddressFileError(
            f"{path} holds no addresses ({error}): give what `which-notebook audit --with-addresses --format json` prints"
        ) from None
