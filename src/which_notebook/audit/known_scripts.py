"""The on-start scripts that the module has rendered, by the hash of what doesn't depend on its inputs."""

from __future__ import annotations

# A test renders the script in each mode and says what to add here. Those of releases stay.
KNOWN_SCRIPTS: dict[str, tuple[str, str]] = {}
"""SHA-256 of a script's body: the module's version, and the attribution mode (empty: as ATTRIBUTION_MODE says)."""
