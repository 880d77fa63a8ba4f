"""What `terraform output -json` says of one use of the module: the role, and which names are real."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from typing import Any

from msgspec import Struct

from ..errors import CommandError, reason_of

_SESSION_ARN = re.compile(r"arn:[a-z-]+:sts::[0-9]{12}:assumed-role/[^/]+/.+")


class InventoryError(CommandError):
    """An inventory can't be used; the message says why and what to do."""


class Inventory(Struct, frozen=True):
    """What `terraform output -json` says of one use of the module: its role, its unique id, and the names that are real."""

    role_arn: str
    names: tuple[str, ...]
    role_unique_id: str | None = None

    @property
    def role_arns(self) -> dict[str, str]:
        """The role's ARN by its unique id, where that is known."""
        return {self.role_unique_id: self.role_arn} if self.role_unique_id else {}

    @property
    def known(self) -> re.Pattern[str]:
        """What matches the real names; `*` and `?` in them are wildcards, as in the policy."""
        # translate() knows [...] too, which no name can hold.
        return re.compile("|".join(translate(name) for name in self.names) or r"(?!)")


def read_inventory(path: str) -> Inventory:
    """Read what `terraform output -json` printed.

    The module's outputs may stand there by their own names, or within an output of another name (`value = module.x`).
    Raises InventoryError where they don't, or more than once.
    """
    import json

    try:
        with open(path, "rb") as file:
            content = json.loads(file.read())  # in UTF-16, too, as an older PowerShell's > writes it
    except OSError as error:
        raise InventoryError(f"can't read the inventory {path}: {reason_of(error)}") from None
    except (ValueError, RecursionError):
        raise InventoryError(f"{path} holds no JSON: give what `terraform output -json` prints") from None
    inventories = list(_inventories(content))
    if not inventories:
        raise InventoryError(
            f"{path} holds no `session_arns` of this module: add outputs of that name and of `role_arn` to the "
            "configuration, apply, and run `terraform output -json` again"
        )
    if len({each.role_arn for each in inventories}) > 1:
        roles = ", ".join(sorted({each.role_arn for each in inventories}))
        raise InventoryError(f"{path} holds several roles ({roles}): keep the outputs of one")
    unique_id = next((each.role_unique_id for each in inventories if each.role_unique_id), None)
    return Inventory(
        inventories[0].role_arn, tuple(sorted({name for each in inventories for name in each.names})), unique_id
    )


def _inventories(content: Any) -> Iterable[Inventory]:
    if not isinstance(content, dict):
        return
    plain = {
        key: value["value"] if isinstance(value, dict) and "value" in value and "sensitive" in value else value
        for key, value in content.items()
    }
    arns = plain.get("session_arns")
    if isinstance(arns, dict) and all(isinstance(arn, str) and _SESSION_ARN.fullmatch(arn) for arn in arns.values()):
        role_arn = plain.get("role_arn")
        if not isinstance(role_arn, str) and arns:
            # The session's ARN lacks the role's path; the name has to do.
            role_arn = next(iter(arns.values())).split("/")[1]
        if isinstance(role_arn, str):
            unique_id = plain.get("role_unique_id")
            yield Inventory(role_arn, tuple(arns), unique_id if isinstance(unique_id, str) else None)
            return
    for value in plain.values():
        yield from _inventories(value)
