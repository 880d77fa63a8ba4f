"""One version in one place, and what makes the next one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import release
from workspace import CHECKOUT

HEADING = re.compile(r"^## (.+)$", re.M)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What a release changes, with something to release and a script that isn't released yet."""
    for path in [CHECKOUT / "CHANGELOG.md", *(CHECKOUT / name for name in release.NAMED_IN)]:
        shutil.copy(path, tmp_path)
    for path in [CHECKOUT / "src/which_notebook/__init__.py", release.known_scripts()]:
        target = tmp_path / path.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## Unreleased\n", "## Unreleased\n\n### Fixed\n\n- It.\n", 1))
    scripts = release.known_scripts(tmp_path)
    known = json.loads(scripts.read_text())
    known["0" * 64] = {"version": "unreleased", "mode": "imds", "settings": ["ROLE_ARN"]}
    scripts.write_text(json.dumps(known))
    return tmp_path


def versions(folder: Path) -> dict[str, str]:
    """The version as each place says it."""
    known = {each["version"] for each in json.loads(release.known_scripts(folder).read_text()).values()}
    return {
        "command": release.version(folder),
        "scripts": max(known - {"unreleased"}, key=lambda version: list(map(int, version.split(".")))),
        "changelog": HEADING.findall((folder / "CHANGELOG.md").read_text())[1].partition(" - ")[0],
        **{name: one_version(folder / name) for name in release.NAMED_IN},
    }


def one_version(document: Path) -> str:
    """The version of the module that a document names; AssertionError where it names several."""
    (found,) = set(re.findall(r'(?:ref=v|version *= "[^"\d]*)(\d+\.\d+\.\d+)', document.read_text()))
    return str(found)


def test_all_places_name_the_version_of_the_command() -> None:
    assert set(versions(CHECKOUT).values()) == {release.version()}


def test_the_changelog_is_in_keep_a_changelogs_form() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text()
    first, *released = HEADING.findall(changelog)
    assert first == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", each) for each in released)
    assert released == sorted(released, key=lambda each: list(map(int, each.split()[0].split("."))), reverse=True)
    assert set(re.findall(r"^### (.+)$", changelog, re.M)) <= KINDS


def test_a_release_writes_the_version_everywhere(copy: Path) -> None:
    before = len(HEADING.findall((copy / "CHANGELOG.md").read_text()))
    release.release("99.0.0", "2030-01-31", copy)
    assert set(versions(copy).values()) == {"99.0.0"}
    assert "unreleased" not in release.known_scripts(copy).read_text()
    changelog = (copy / "CHANGELOG.md").read_text()
    assert "## Unreleased\n\n## 99.0.0 - 2030-01-31\n\n### Fixed\n\n- It.\n" in changelog
    assert len(HEADING.findall(changelog)) == before + 1
    with pytest.raises(release.ReleaseError, match="nothing under Unreleased"):
        release.release("99.1.0", "2030-02-01", copy)


@pytest.mark.parametrize("version", ["0.2.9", "0.3", "v1.0.0", "1.0.0rc1", ""])
def test_what_is_no_newer_version_is_refused(copy: Path, version: str) -> None:
    with pytest.raises(release.ReleaseError, match="must be newer"):
        release.release(version, "2030-01-31", copy)
    assert release.version(copy) == release.version()
