"""What a test needs of the machine that it runs on.

Without it the test is skipped, with one line that says why. Under CI=true that is a failure: there everything has to
be at hand, and a skipped test would look like a passed one.
"""

import os
import shutil
from typing import NoReturn

import pytest

_COMMANDS = ("ip", "nsenter", "setpriv", "setsid", "runuser", "chattr", "jq", "iptables", "nft")


def skip_or_fail(reason: str) -> NoReturn:
    """End the running test, or the fixture, for want of something."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (under CI=true nothing may be skipped)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def needs_root() -> None:
    """Everything that an emulated notebook instance is made of."""
    if os.geteuid() != 0:
        skip_or_fail("needs root, for the namespaces of an emulated notebook instance")
    if missing := [command for command in _COMMANDS if not shutil.which(command)]:
        skip_or_fail(f"needs {', '.join(missing)} on the PATH, for an emulated notebook instance")
