"""Makes a release's commit: one version in the command, the scripts that the audit knows, the changelog and the documents.

Run as `python tools/release.py VERSION [DATE]`. The version stands in src/which_notebook/__init__.py; all else is written
from there, and a test compares it. CONTRIBUTING.md says what comes before and after.
"""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r'(?<=^__version__ = ")[^"]+(?="$)', re.M)
NAMED_IN = ["README.md"]
"""The documents that name the version."""


class ReleaseError(Exception):
    """The release can't be made; the message says why."""


def version(folder: Path = CHECKOUT) -> str:
    """Return the version of module, command and scripts."""
    found = VERSION.search(_init(folder).read_text())
    if not found:
        raise ReleaseError(f"{_init(folder)} has no __version__")
    return found[0]


def known_scripts(folder: Path = CHECKOUT) -> Path:
    """Return the file in which the audit's known scripts stand, with the version of each."""
    (path,) = (folder / "src").rglob("known_scripts.json")
    return path


def release(new: str, date: str, folder: Path = CHECKOUT) -> None:
    """Write a version everywhere. Raises ReleaseError where it is no version, or nothing is to be released."""
    old = version(folder)
    if not re.fullmatch(r"\d+\.\d+\.\d+", new) or _parts(new) <= _parts(old):
        raise ReleaseError(f"the version must be newer than {old}, such as {_next(old)}; not {new!r}")
    changelog = folder / "CHANGELOG.md"
    head, _, unreleased = changelog.read_text().partition("## Unreleased\n")
    if not unreleased.partition("\n## ")[0].strip():
        raise ReleaseError("CHANGELOG.md has nothing under Unreleased")
    changelog.write_text(f"{head}## Unreleased\n\n## {new} - {date}\n{unreleased}")
    _init(folder).write_text(VERSION.sub(new, _init(folder).read_text()))
    scripts = known_scripts(folder)
    scripts.write_text(scripts.read_text().replace('"version": "unreleased"', f'"version": "{new}"'))
    for name in NAMED_IN:
        document = folder / name
        document.write_text(re.sub(rf"(?<![\d.]){re.escape(old)}(?![\d.])", new, document.read_text()))


def _init(folder: Path) -> Path:
    return folder / "src/which_notebook/__init__.py"


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _next(version: str) -> str:
    major, minor, _ = _parts(version)
    return f"{major}.{minor + 1}.0"


def main(arguments: list[str]) -> int:
    """Make the release; return the exit status."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python tools/release.py VERSION [DATE]", file=sys.stderr)
        return 2
    date = arguments[1] if len(arguments) == 2 else datetime.datetime.now(datetime.UTC).date().isoformat()
    try:
        release(arguments[0], date)
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
