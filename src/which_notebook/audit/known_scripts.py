"""The on-start scripts that the module has rendered, by the hash of what doesn't depend on its inputs."""

from __future__ import annotations

from typing import Literal

Mode = Literal["profile", "imds"]

# A test renders the script in each mode and says what to add here. Those of releases stay.
KNOWN_SCRIPTS: dict[str, tuple[str, Mode]] = {
    "a3dd3a6ab407f8ce86295030b4a9b48143dfc7a02a65bfc499a166dcc193b2b6": ("unreleased", "profile"),
    "2ad6413de80ba262aa960d13e84d10ba44939623ba9d24bf4e8f940f5a20c7f3": ("unreleased", "imds"),
}
"""SHA-256 of a script's body: the module's version, and the attribution mode."""
