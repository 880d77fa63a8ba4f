"""Where on a notebook instance a path lies, for what a script does there."""

from __future__ import annotations

import re

from .state import CONFIG, CREDENTIALS, FOLLOWED, HOME, UNKNOWN, USER, Shell
from .words import Word

VOLUME = f"{HOME}/SageMaker"
_SHARED = re.compile(r"/(tmp|var/tmp)/[^/]+")
_LOGS = re.compile(r"/var/log/[^/].*")
_OF_MODULE = "/usr/local/lib/notebook-attribution"
_OF_ROOT = ("/root/.aws", "/root/.aws/config", "/root/.aws/credentials")
_STARTUP = re.compile(
    rf"/etc/profile\.d/[\w.-]+\.sh|/etc/environment|/etc/(profile|bashrc)|{HOME}/\.(bashrc|bash_profile|profile)"
)


def absolute(word: Word, shell: Shell) -> str:
    """Return the path that a word names, UNKNOWN where that can't be told; wildcards stay."""
    text = word.text
    if not text.startswith("/"):
        text = f"{shell.directory}/{text}"
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if UNKNOWN in text or any(".." in part for part in parts):
        return UNKNOWN
    return "/" + "/".join(parts)


def is_free(word: Word, shell: Shell) -> bool:
    """Return whether anything may stand there: no client, service or login reads it, and root meets no link there.

    /home/ec2-user/SageMaker outlasts a stop, and may hold links that the user made: there only the user writes.
    """
    path = absolute(word, shell)
    if word.is_pattern:
        # What a wildcard matches lies in the directory before it; one behind a dot may match the one above.
        path = re.sub(r"/(?!\.)[^/]*$", "/matched", path)
        if re.search(r"[*?\[{.]", path):
            return False
    if shell.user == "root" and path in _OF_ROOT:
        return True
    if shell.user == USER and path.startswith(f"{VOLUME}/"):
        return True
    return bool(_SHARED.fullmatch(path) or (shell.user == "root" and _LOGS.fullmatch(path)))


def is_device(word: Word, shell: Shell) -> bool:
    """Return whether it takes what is written, and leaves no file."""
    return absolute(word, shell) in ("/dev/null", "/dev/stdout", "/dev/stderr")


def is_child_of_volume(word: Word, shell: Shell) -> bool:
    """Return whether it is a file or directory of SageMaker/ itself, where no link can be on the way."""
    return not word.is_pattern and bool(re.fullmatch(rf"{VOLUME}/[^/]+", absolute(word, shell)))


def is_open_in_home(word: Word, shell: Shell) -> bool:
    """Return whether it is ec2-user's home, or a directory there that the user can't have put a link to.

    What is locked can't be given to anyone: the command fails there, and with it the start.
    """
    path = absolute(word, shell)
    if path in (HOME, *FOLLOWED) and (shell.instance.mode == "profile" or shell.instance.locked):
        return False
    return not word.is_pattern and (
        path in (HOME, *FOLLOWED) or bool(re.fullmatch(rf"{HOME}/[^/.][^/]*|{VOLUME}/[^/]+", path))
    )


def is_of_clients(word: Word, shell: Shell) -> bool:
    """Return whether it is one of the files and the directory that attribution rests on."""
    return not word.is_pattern and absolute(word, shell) in FOLLOWED


def is_file_of_clients(word: Word, shell: Shell) -> bool:
    """Return whether it is the config or the credentials file."""
    return not word.is_pattern and absolute(word, shell) in (CONFIG, CREDENTIALS)


def is_directory_to_make(word: Word, shell: Shell) -> bool:
    """Return whether a directory may be made there: it takes the place of no file that is needed."""
    path = absolute(word, shell)
    return not word.is_pattern and UNKNOWN not in path and not path.startswith((CONFIG, CREDENTIALS, _OF_MODULE))


def is_startup_file(path: str) -> bool:
    """Return whether shells read it when they start."""
    return bool(_STARTUP.fullmatch(path))
