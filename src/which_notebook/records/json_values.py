"""Reads records from JSON of any form, and continues after damage.

The records of a CloudTrail file (`{"Records":[…]}`), the elements of a bare list, the values of one line after another
or of several files joined: each comes out by itself, as it stands in the text, as soon as it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json import JSONDecoder

# The first key of a record as CloudTrail writes it: where to go on behind damage.
RECORD_START = '{"eventVersion":'
# Longer than any record is.
LONGEST_VALUE = 16 * 1024 * 1024
# What names are made of, escaped; "=" and "+", "<", ">", "&" and "'" are escaped for HTML's sake.
ESCAPED_ASCII = re.compile(rb"\\u00(?:2[c-eC-E]|3[0-9]|4[0-9a-fA-F]|5[0-9afAF]|6[1-9a-fA-F]|7[0-9aA])")
_DEEPEST = 100
# To find that something is nested too deep takes a millisecond, with Python 3.12 and newer.
_WASTED_ON_DEEP = 100_000

# An export of CloudWatch Logs has a time before each line's record.
_SKIPPED = re.compile(r"[\s,]*(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,20}Z[ \t]+(?=\{))?")
_LIST_IN_OBJECT = re.compile(r'\{\s*"(?:Records|Events)"\s*:\s*\[')
_LIST = re.compile(r'"(?:Records|Events)"\s*:\s*\[')
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"\s*:\s*')
# Behind damage: where a record begins, or a line's own object does.
_NEXT_VALUE = re.compile(rf"{re.escape(RECORD_START)}|(?<=\n)\{{")
# Up to the text's end, where a string isn't closed.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)


class ValueReader:
    """Takes text piece by piece; yields the values in it, each as the piece of text that it is.

    What can't be read is skipped up to the next record, and `report` is told, with the number of characters that were
    read in vain. `depth` is the number of brackets that are open.
    """

    def __init__(self, report: Callable[[str, int], None]) -> None:
        self.depth = 0
        self.is_blank = True
        self._report = report
        # An int has a limit of digits; what the values are doesn't matter here, only where they end.
        self._decoder = JSONDecoder(parse_int=float)
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
            self.is_blank = False
            try:
                value = self._step(start)
            except (ValueError, RecursionError) as error:
                end = _end_of_value(self._text, start) if isinstance(error, RecursionError) else None
                if end is None and not last and len(self._text) - start < LONGEST_VALUE:
                    self._at = start
                    return
                self._skip_damage(start, error, end)
            else:
                if value:
                    yield value

    def _step(self, at: int) -> str | None:
        """Go on by one value or bracket; raise ValueError where there is none, or not all of it yet."""
        first = self._text[at]
        if abs(self.depth) > _DEEPEST:
            self.depth = 0
            raise ValueError("nested too deep")
        if opened := _LIST_IN_OBJECT.match(self._text, at):
            self.depth += 2
            self._at = opened.end()
        elif first == "{":
            _, self._at = self._decoder.raw_decode(self._text, at)
            return self._text[at : self._at]
        elif first == "[":
            self.depth += 1
            self._at = at + 1
        elif first in "]}":
            self.depth -= 1
            self._at = at + 1
        elif self.depth > 0 and (again := _LIST.match(self._text, at)):
            self.depth += 1
            self._at = again.end()
        elif self.depth > 0 and (key := _KEY.match(self._text, at)):  # what follows the list in its object
            _, end = self._decoder.raw_decode(self._text, key.end())
            if end == len(self._text):
                raise ValueError("a number may go on, and a bracket must follow")
            self._at = end
        else:
            raise ValueError("neither a record nor a list of records")
        return None

    def _skip_damage(self, at: int, error: Exception, end: int | None) -> None:
        """Go on where the next record begins; an object that the damaged one still holds is none, whatever it looks like."""
        position = self._offset + at
        if isinstance(error, RecursionError):
            self._at = len(self._text) if end is None else end
            self._report(f"damaged JSON at character {position:,} (nested too deep)", _WASTED_ON_DEEP)
            return
        misfit = getattr(error, "pos", at)
        self._at = self._next_value(at, misfit)
        reason = getattr(error, "msg", str(error))
        self._report(f"damaged JSON at character {position:,} ({reason})", max(0, misfit - self._at))

    def _next_value(self, at: int, misfit: int) -> int:
        for following in _NEXT_VALUE.finditer(self._text, at + 1):
            # The next record's own start may be what doesn't fit.
            if following.start() > misfit - len(RECORD_START) or following.group() != RECORD_START:
                return following.start()
        return len(self._text)


def _end_of_value(text: str, start: int) -> int | None:
    """Return where an object ends, however deep it is nested; None where it doesn't."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text, start):
        first = token.group()[0]
        depth += (first in "{[") - (first in "}]")
        if depth == 0:
            return token.end()
    return None
