"""What is known of a notebook instance after some lines of a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct, field

USER = "ec2-user"
HOME = f"/home/{USER}"
CONFIG = f"{HOME}/.aws/config"
CREDENTIALS = f"{HOME}/.aws/credentials"
FOLLOWED = frozenset((CONFIG, CREDENTIALS, f"{HOME}/.aws"))
"""What decides under which name the notebook's user calls."""

# What a text stands for, where it isn't known as text. No script holds these characters.
NAME, ROLE, REGION = "\x01name\x01", "\x01role\x01", "\x01region\x01"
METADATA, DESCRIPTION, ARN = "\x01metadata\x01", "\x01description\x01", "\x01arn\x01"
UNKNOWN = "\x01unknown\x01"
ANY = "*"
"""Stands for the name of any variable, in `Shell.texts`."""
_MOST_STEPS = 20_000


# What an exit ends: the script, one of its subshells, or whatever called the function.
Kind = Literal["script", "subshell", "function"]


class CantTellError(Exception):
    """The script does something that can't be followed and isn't known to be harmless; the message says what."""


class TooLongError(CantTellError):
    """The script goes on for longer than it is worth following."""


class Exposure(Struct, frozen=True):
    """Something that the script exposes to the notebook's user: a finding's code, and what it does."""

    code: str
    what: str


class Instance(Struct):
    """What all shells of the script share: files with their content, locks, and what was found.

    `mode`: the attribution mode that is set up before the script begins, so that nothing may touch it; None where the
    script itself sets attribution up. `run` follows a text that one of the shells runs.
    """

    mode: str | None = None
    run: Callable[[str, Shell], None] = lambda text, shell: None
    files: dict[str, str] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    doubts: list[str] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    steps: int = 0

    @property
    def is_set_up(self) -> bool:
        """Whether attribution is set up before the script begins."""
        return self.mode is not None

    def step(self) -> None:
        """Count a command: one that runs what it puts together can go on for ever."""
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise TooLongError("it goes on for too long")

    def exposes(self, code: str, what: str) -> None:
        """Note that the script exposes something."""
        if (exposure := Exposure(code, what)) not in self.exposures:
            self.exposures.append(exposure)


class Shell(Struct):
    """What one shell knows: who runs it, where it is, its variables.

    `is_sure`: what comes next runs once, and always: it isn't in a condition, a loop, a function or the background.
    `may_have_ended`: an exit before it may have ended this shell, while others go on.
    """

    instance: Instance
    user: str = "root"
    directory: str = "/"
    variables: dict[str, str] = field(default_factory=dict)
    # What is also set where it isn't known when: in a condition, a loop, a function.
    unsettled: set[str] = field(default_factory=set)
    # What may hold more than a number: within arithmetic, the shell runs the commands in such a text.
    texts: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    is_sure: bool = True
    kind: Kind = "script"
    has_ended: bool = False
    may_have_ended: bool = False

    @property
    def home(self) -> str:
        """The home directory of whoever runs it."""
        return HOME if self.user == USER else "/root"

    def value(self, name: str) -> str:
        """Return a variable's value."""
        if name in self.unsettled:
            return UNKNOWN
        return self.variables.get(name, self.home if name == "HOME" else UNKNOWN)

    def inner(self) -> Shell:
        """Return a subshell: it knows the variables, and leaves them as they are."""
        return Shell(
            self.instance,
            self.user,
            self.directory,
            dict(self.variables),
            set(self.unsettled),
            set(self.texts),
            set(self.functions),
            self.is_sure,
            "subshell",
            may_have_ended=self.may_have_ended,
        )
