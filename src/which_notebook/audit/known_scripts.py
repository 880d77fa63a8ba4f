"""The on-start scripts that the module has rendered, by the hash of what doesn't depend on its inputs."""

from __future__ import annotations

from typing import Literal

Mode = Literal["profile", "imds"]

# A test renders the script in each mode and says what to add here. Those of releases stay.
KNOWN_SCRIPTS: dict[str, tuple[str, Mode]] = {
    "38ef231087f25a1793f175c6ec467dd7fb05143fdc83afc1b521fd0c1afdc22b": ("unreleased", "profile"),
    "d481d7a0811737b5f3492a35f06a1c1d299058d5dbad891df71b73db5aa42a15": ("unreleased", "imds"),
}
"""SHA-256 of a script's body: the module's version, and the attribution mode."""
