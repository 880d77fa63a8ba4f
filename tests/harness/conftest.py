"""What tests of the emulator share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.booting import AwsStandIn, aws_stand_in


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandIn]:
    """What notebook instances take for AWS."""
    with aws_stand_in() as server:
        yield server
