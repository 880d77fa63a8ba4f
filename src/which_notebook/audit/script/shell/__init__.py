"""Follows a shell script as far as needed to say what it leaves on a notebook instance. It runs nothing.

A parser cuts the script into commands (`syntax`), `walk` goes through them in order, `commands` knows those whose effect
counts, and `harmless` is the one list of what may stand beside them. Whatever isn't known is a doubt, never fine.
"""

from .state import CONFIG, HOME, NAME, REGION, ROLE, UNKNOWN, Exposure, Instance
from .syntax import require_parser
from .walk import follow

__all__ = ["CONFIG", "HOME", "NAME", "REGION", "ROLE", "UNKNOWN", "Exposure", "Instance", "follow", "require_parser"]
