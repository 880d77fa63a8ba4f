"""What a piece of evidence names."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from ...calls.call import NOTEBOOK_NAME

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html#amazonsagemaker-resources-for-iam-policies
_ARN = re.compile(
    r"arn:(?P<partition>[a-z-]+):sagemaker:[a-z0-9-]*:(?P<account>[0-9]{12}):(?P<type>[a-z-]+)/(?P<name>.+)", re.DOTALL
)


class Named(Struct, frozen=True):
    """A notebook instance by its name, or in words what is none.

    `is_spelled`: whether its letters are known to be the name's own, which an ARN may have in small ones.
    """

    text: str
    is_notebook: bool = True
    is_spelled: bool = True


@lru_cache(maxsize=4096)
def of_name(name: str) -> Named | None:
    """Return the notebook instance of this name; None where no notebook instance can be called so."""
    return Named(name) if NOTEBOOK_NAME.fullmatch(name) else None


@lru_cache(maxsize=4096)
def of_arn(arn: str, role_arn: str | None) -> Named | None:
    """Return what an ARN of SageMaker's names; None where it is another service's, or not of the role's own account and partition."""
    match = _ARN.fullmatch(arn)
    if not match or not (role_arn or "").startswith(f"arn:{match['partition']}:iam::{match['account']}:"):
        return None
    if match["type"] == "notebook-instance":
        named = of_name(match["name"])
        return named and Named(named.text, is_spelled=named.text != named.text.lower())
    return Named(f"{match['type'].replace('-', ' ')} {match['name']}", is_notebook=False)
