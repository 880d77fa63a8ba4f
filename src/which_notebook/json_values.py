"""Reads JSON whatever way the records lie in it, and carries on behind damage.

The records of a CloudTrail file (`{"Records":[…]}`), the elements of a bare list, the values of one line after another
or of several files joined: each comes out by itself, as it stands in the text, as soon as it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecoder

# The first key of a record as CloudTrail writes it: where to go on behind damage.
RECORD_START = '{"eventVersion":'
_LONGEST_VALUE = 16 * 1024 * 1024

_SKIPPED = re.compile(r"[\s,]*")
_LIST_IN_OBJECT = re.compile(r'\{\s*"(?:Records|Events)"\s*:\s*\[')
_NEXT_MEMBER = re.compile(r'\s*,\s*(?=")')
_COLON = re.compile(r"\s*:\s*")


class ValueReader:
    """Takes text piece by piece; yields the values in it, each as the piece of text that it is.

    What can't be read is skipped up to the next record, and described in `damage`. `depth` is the number of brackets that
    are open.
    """

    def __init__(self, depth: int = 0) -> None:
        self.damage: list[str] = []
        self.depth = depth
        self._decoder = JSONDecoder()
        self._text = ""
        self._at = 0
        self._offset = 0

    def feed(self, text: str, *, last: bool = False) -> Iterator[str]:
        """Yield the values that are whole by now; with `last`, what is left over counts as damage."""
        self._text = self._text[self._at :] + text
        self._offset += self._at
        self._at = 0
        while True:
            start = _SKIPPED.match(self._text, self._at).end()  # type: ignore[union-attr]
            if start == len(self._text):
                self._at = start
                break
            try:
                value = self._step(start)
            except (ValueError, RecursionError) as error:
                if not last and len(self._text) - start < _LONGEST_VALUE:
                    self._at = start
                    return
                self._skip_damage(start, error)
            else:
                if value:
                    yield value

    def _step(self, at: int) -> str | None:
        """Go on by one value or bracket; raise ValueError where there is none, or not all of it yet."""
        first = self._text[at]
        if opened := _LIST_IN_OBJECT.match(self._text, at):
            self.depth += 2
            self._at = opened.end()
        elif first == "{":
            _, self._at = self._decoder.raw_decode(self._text, at)
            return self._text[at : self._at]
        elif first == "[":
            self.depth += 1
            self._at = at + 1
        elif first == "]":
            self._at = self._behind_list(at + 1)
            self.depth -= 1
        elif first == "}":
            self.depth -= 1
            self._at = at + 1
        else:
            raise ValueError("neither a record nor a list of records")
        return None

    def _behind_list(self, at: int) -> int:
        """Return where the members that follow a list in its object end."""
        while self.depth > 1 and (member := _NEXT_MEMBER.match(self._text, at)):
            _, at = self._decoder.raw_decode(self._text, member.end())
            colon = _COLON.match(self._text, at)
            if not colon:
                raise ValueError("no colon behind a key")
            _, at = self._decoder.raw_decode(self._text, colon.end())
        return at

    def _skip_damage(self, at: int, error: Exception) -> None:
        position = self._offset + at
        what = "nested too deep" if isinstance(error, RecursionError) else getattr(error, "msg", str(error))
        self.damage.append(f"damaged JSON at character {position:,} ({what})")
        following = self._text.find(RECORD_START, at + 1)
        self._at = len(self._text) if following < 0 else following
