"""What becomes of a file that a script writes."""

from __future__ import annotations

import re

from msgspec import Struct

from .exposures import exposed_by_file
from .harmless import are_harmless_jobs, are_harmless_settings
from .places import absolute, is_device, is_free, is_startup_file
from .state import CONFIG, CREDENTIALS, HOME, NAME, REGION, ROLE, UNKNOWN, CantTellError, Shell
from .words import Word

_LONGEST_FILE = 16_384
_OF_MODULE = "/etc/profile.d/jupyter-env.sh"


class Target(Struct, frozen=True):
    """A file that output goes to; `is_output`: what the command prints, nothing else."""

    word: Word
    appends: bool
    is_output: bool


def write(word: Word, content: str, shell: Shell, *, appends: bool) -> None:
    """Write a file; raises CantTellError where that isn't known to be harmless."""
    path = absolute(word, shell)
    if is_free(word, shell) or is_device(word, shell):
        return
    if word.is_pattern or path == UNKNOWN:
        raise CantTellError("it writes to a file whose name can't be told")
    if path in (CONFIG, CREDENTIALS):
        _write_followed(path, content, shell, appends=appends)
    elif exposure := exposed_by_file(path):
        shell.instance.exposes(*exposure)
    elif re.fullmatch(r"/etc/cron\.d/[\w-]+", path):
        if not are_harmless_jobs(content, shell.instance.mode):
            raise CantTellError(f"it sets jobs up in {path} that aren't known to be harmless")
    elif is_startup_file(path):
        if not (appends or (path.startswith("/etc/profile.d/") and path != _OF_MODULE)):
            raise CantTellError(f"it replaces {path}")
        if not are_harmless_settings(content):
            raise CantTellError(f"it sets in {path} what isn't known to be harmless")
    else:
        raise CantTellError(f"it writes {path}, of which it isn't known that it is harmless")


def _write_followed(path: str, content: str, shell: Shell, *, appends: bool) -> None:
    instance = shell.instance
    whole = (instance.files.get(path, "") if appends else "") + content
    if instance.is_set_up:
        raise CantTellError(f"it writes {path}")
    if instance.locked & {path, f"{HOME}/.aws"}:
        raise CantTellError(f"it writes {path}, which it has locked")
    if not shell.is_sure or shell.may_have_ended:
        raise CantTellError(f"it may write {path}, or not")
    if "\x01" in re.sub(f"{NAME}|{ROLE}|{REGION}", "", content) or len(whole) > _LONGEST_FILE:
        raise CantTellError(f"it writes what can't be told to {path}")
    if path == CREDENTIALS and content.strip():
        raise CantTellError(f"it writes {path}, which clients prefer to the config")
    instance.files[path] = whole
