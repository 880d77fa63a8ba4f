"""The on-start scripts that the module has rendered, by the hash of what doesn't depend on its inputs."""

from __future__ import annotations

from typing import Literal

Mode = Literal["profile", "imds"]

# A test renders the script in each mode and says what to add here. Those of releases stay.
KNOWN_SCRIPTS: dict[str, tuple[str, Mode]] = {
    "9b749ca249ac6c18124c653622a518616a207d3ed3a8c3a93fe4dac77a272350": ("unreleased", "profile"),
    "836d9c8960f5ef792cb36d6678f998abdd378484aa4d561e872e8f03d15ad7c6": ("unreleased", "imds"),
}
"""SHA-256 of a script's body: the module's version, and the attribution mode."""
