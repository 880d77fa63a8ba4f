"""Reads records from JSON of any form, and continues after damage.

The records of a CloudTrail file (`{"Records":[…]}`), the elements of a bare list, the values of one line after another
or of several files joined: each comes out by itself, as it stands in the text, as soon as it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any

from .content import TooManyProblemsError
from .record_text import LONGEST_VALUE, RECORD_START

_DEEPEST = 100
# What a value begins or ends with, also of a bare list.
_JSON_BEGINS = '{}[]"'
# That a text may end in: two escaped halves of a character.
_LONGEST_TOKEN = 16
_NO_RECORD = "neither a record nor a list of records"
# To find that something is nested too deep takes a millisecond, with Python 3.12 and newer.
_WASTED_ON_DEEP = 100_000

# What stands before a record: in CloudWatch Logs' export has a time, `aws logs tail` a time with its zone and the stream's name, or
# with `--format short` a time alone. Each is as it writes it: an application's own words may stand before a text of its user's.
_COLOR = r"(?:\x1b\[[0-9;]*m)*"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
_STREAM = rf"{_COLOR}[\w@:./\-\[\]$]{{1,512}}{_COLOR}"
_OF_LOGS = rf"{_COLOR}{_TIME}(?:Z|{_COLOR}|[+-][0-9]{{2}}:[0-9]{{2}}{_COLOR}\s+{_STREAM})\s+"
# Syslog's: https://www.rfc-editor.org/rfc/rfc3164#section-4.1
_SYSLOG_TIME = "[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}"
_OF_SYSLOG = rf"{_SYSLOG_TIME} [^\s]{{1,255}} [^\s:\[]{{1,48}}(?:\[[0-9]+\])?: "
_BEFORE = rf"(?:{_OF_LOGS}|{_OF_SYSLOG})(?=\{{)"
_SKIPPED = re.compile(rf"[\s,]*({_BEFORE})?")
_TIMED = rf"(?:{_COLOR}{_TIME}|{_SYSLOG_TIME})(?![0-9])"
_TIMED_LINE = re.compile(_TIMED)
_LISTS = "Records|Events|events|Messages|logEvents|results|QueryResultRows|hits|Rows"
_LIST_IN_OBJECT = re.compile(r'\{\s*"(?:Records|Events)"\s*:\s*\[')
_LIST = re.compile(rf'"(?:{_LISTS})"\s*:\s*\[')
# Of these lists each element is a row, which may be a list itself.
_ROWS = re.compile(r'"(?:results|QueryResultRows)"')
_OBJECT_WITH_LIST = re.compile(r'"(?:hits|ResultSet)"\s*:\s*\{')
# An object too long to be read at once: plain members, then one of the lists. The members are given back by none of the steps
# after them, as by a possessive quantifier of their group: Python before 3.11.5 finds nothing with one
# (https://github.com/python/cpython/issues/106052).
_PLAIN_MEMBER = r'"[^"\\]*+"\s*+:\s*+(?:"(?:[^"\\]|\\.)*+"|[-+.\w]++|\[[^][{}]*+\]|\{[^{}\[\]]*+\})\s*+,\s*+'
_LONG_OBJECT = re.compile(
    rf"\{{\s*+(?=(?P<members>(?:{_PLAIN_MEMBER}){{0,50}}))(?P=members)"
    rf'(?="(?:(?:{_LISTS})"\s*:\s*\[|(?:hits|ResultSet)"\s*:\s*\{{))'
)
_KEY = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*:\s*')
_BEHIND_TEXT = re.compile(r"\s*[,\]]")
_MEMBER_KEY = re.compile(r'[\s,]*("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*:\s*')
# What has one of these is a record; what its lists hold is its caller's.
_KEYS_OF_A_RECORD = ('"userIdentity"', '"eventVersion"', '"eventName"')
# What is searched for in megabytes begins with one letter, which Python finds many times as fast as what may begin in two ways.
# Behind a line of text in a log of timed lines: only the next one begins an event. What stands between is a text's.
_BEFORE_TIMED_LINE = re.compile(rf"\n(?={_TIMED})")
_BEFORE_LINE = re.compile(r"\n(?=\S)")
# Behind damage: where a record begins, or a line's own object does.
_NEXT_VALUE = re.compile(rf"\{{(?:{re.escape(RECORD_START.removeprefix('{'))}|(?<=\n\{{))")
# Of each pattern, so much at a text's end may be the begin, which goes on in the next text.
_LONGEST_BEGIN = {_NEXT_VALUE: len(RECORD_START) - 1, _BEFORE_LINE: 1, _BEFORE_TIMED_LINE: 256}
# For each error the decoder counts the lines from the text's start on.
_PASSED_AT_MOST = 64 * 1024
# Up to the text's end, where a string isn't closed.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)


class _TooDeepError(ValueError):
    """More brackets are open than in any log; what comes next closes none of them."""


class ValueReader:
    """Takes text piece by piece; yields the values in it, each as the piece of text that it is.

    What can't be read is skipped up to the next record, and `report` is told, with the number of characters that were
    read in vain. `depth` is the number of brackets that are open. A value that is too long for a record is never looked into,
    unless it is a list of records; then all that is behind it is left unread, and TooManyProblemsError raised. In a log of timed
    lines a value is an event only behind a time, and `is_logged` says of the last one that it is such. In a line of text nothing
    is a value: an application writes there what its users say.
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
        self._rows_from: int | None = None
        self._is_timed = False
        self._passed_until: re.Pattern[str] | None = None
        self.is_logged = False

    def feed(self, text: str, *, last: bool = False) -> Iterator[str]:
        """Yield the values that are whole by now; with `last`, what is left over counts as damage."""
        self._text = self._text[self._at :] + text
        self._offset += self._at
        self._at = 0
        if self._passed_until and not self._has_passed(self._passed_until):
            return
        while True:
            skipped: Any = _SKIPPED.match(self._text, self._at)
            start, is_event = skipped.end(), skipped[1] is not None and self.depth == 0
            if start == len(self._text):
                self._at = start
                break
            self.is_blank = False
            timed = _TIMED_LINE.match(self._text, start) if self.depth == 0 else None
            if timed and timed.end() == len(self._text) and not last:
                self._at = start  # another digit may come
                return
            self._is_timed = self._is_timed or timed is not None or is_event
            self.is_logged = is_event
            if self.depth == 0 and not is_event and (self._is_timed or self._text[start] not in _JSON_BEGINS):
                if not self._pass_line(start, last=last):
                    return
                continue
            try:
                value = self._step(start)
            except (ValueError, RecursionError) as error:
                end = _end_of_value(self._text, start) if isinstance(error, RecursionError) else None
                if end is None and not last and not isinstance(error, _TooDeepError):
                    if len(self._text) - start < LONGEST_VALUE:
                        self._at = skipped.start(1) if is_event else start
                        return
                    if not is_event and _is_only_unfinished(error, self._text):
                        self._go_into(start)
                        continue
                self._skip_damage(start, error, end)
                if self._passed_until:
                    return
            else:
                if value:
                    yield value

    def _pass_line(self, at: int, *, last: bool) -> bool:
        """Go on behind a line of text; return False where more of it may come."""
        before = _BEFORE_TIMED_LINE if self._is_timed else _BEFORE_LINE
        following = before.search(self._text, at)
        if following is None and not last and len(self._text) - at < LONGEST_VALUE:
            self._at = at
            return False
        end = following.end() if following else len(self._text)
        self._report(f"damaged JSON at character {self._offset + at:,} ({_NO_RECORD})", end - at)
        self._at = end
        if following is None:
            self._pass_until(before, at)
        return following is not None

    def _pass_until(self, pattern: re.Pattern[str], at: int) -> None:
        """Leave all unread up to this pattern, which no text behind this place has yet, but for the pattern's begin at its end."""
        self._passed_until = pattern
        self._at = max(at, len(self._text) - _LONGEST_BEGIN[pattern])

    def _has_passed(self, pattern: re.Pattern[str]) -> bool:
        """Go on where the text that is left unread ends; return False where that isn't here yet."""
        found = pattern.search(self._text, self._at)
        if found is None:
            self._pass_until(pattern, self._at)
            return False
        self._passed_until = None
        self._at = found.start() if pattern is _NEXT_VALUE else found.end()
        return True

    def _step(self, at: int) -> str | None:
        """Go on by one value or bracket; raise ValueError where there is none, or not all of it yet."""
        first = self._text[at]
        if self.is_logged:  # it is one value, whatever it holds
            _, self._at = self._decoder.raw_decode(self._text, at)
            return self._text[at : self._at]
        if abs(self.depth) > _DEEPEST:
            self.depth = 0
            raise _TooDeepError("nested too deep")
        if opened := _LIST_IN_OBJECT.match(self._text, at):
            self.depth += 2
            self._at = opened.end()
        elif first == "{" or (first == "[" and self._rows_from is not None):
            try:
                _, self._at = self._decoder.raw_decode(self._text, at)
            except ValueError:
                if self.depth or not (opened := _LONG_OBJECT.match(self._text, at)):
                    raise
                self.depth += 1
                self._at = opened.end()
                return None
            return self._text[at : self._at]
        elif first == "[":
            self.depth += 1
            self._at = at + 1
        elif first in "]}":
            self.depth -= 1
            self._at = at + 1
            if self._rows_from is not None and self.depth < self._rows_from:
                self._rows_from = None
        elif self.depth > 0 and (again := _LIST.match(self._text, at) or _OBJECT_WITH_LIST.match(self._text, at)):
            self.depth += 1
            self._at = again.end()
            if _ROWS.match(self._text, at):
                self._rows_from = self.depth
        elif self.depth > 0 and (key := _KEY.match(self._text, at)):  # what follows the list in its object
            _, end = self._decoder.raw_decode(self._text, key.end())
            if end == len(self._text):
                raise ValueError("a number may go on, and a bracket must follow")
            self._at = end
        elif first == '"':  # a text, in which a record may stand
            _, end = self._decoder.raw_decode(self._text, at)
            if self.depth > 0 and not _BEHIND_TEXT.match(self._text, end):
                raise ValueError("a comma or a bracket must follow")
            self._at = end
            return self._text[at:end]
        elif self.depth > 0 and (end := self._decoder.raw_decode(self._text, at)[1]) < len(self._text):
            # A whole text or number in the list: what stands behind it is still at the top level.
            self._at = end
            self._report(f"damaged JSON at character {self._offset + at:,} ({_NO_RECORD})", 0)
        else:
            raise ValueError(_NO_RECORD)
        return None

    def _go_into(self, at: int) -> None:
        """Go on in the list of records that an object holds behind other members; raise TooManyProblemsError where it has none.

        Whatever else is so long is no record, and may hold what looks like one.
        """
        try:
            if self._text[at] == "{" and (opened := self._list_behind_members(at + 1)):
                self.depth += 1
                self._at = opened
                return
        except (ValueError, RecursionError):
            pass
        mebibytes = LONGEST_VALUE // 2**20
        problem = f"longer than {mebibytes} MiB, and so no record: the value at character {self._offset + at:,}; the rest is left unread"
        self._report(problem, 0)
        raise TooManyProblemsError

    def _list_behind_members(self, at: int) -> int | None:
        """Return where the member with the list of records begins, behind whole ones; None where it is a record that has them."""
        while key := _MEMBER_KEY.match(self._text, at):
            if key[1] in _KEYS_OF_A_RECORD:
                return None
            if _LIST.match(self._text, key.start(1)):
                return key.start(1)
            _, at = self._decoder.raw_decode(self._text, key.end())
        return None

    def _skip_damage(self, at: int, error: Exception, end: int | None) -> None:
        """Go on where the next record begins; an object that the damaged one still holds is none, whatever it looks like."""
        position = self._offset + at
        if isinstance(error, RecursionError):
            self._at = len(self._text) if end is None else end
            self._report(f"damaged JSON at character {position:,} (nested too deep)", _WASTED_ON_DEEP)
            return
        misfit = getattr(error, "pos", at)
        following = self._next_value(at, misfit)
        self._at = len(self._text) if following is None else following
        reason = getattr(error, "msg", str(error))
        self._report(f"damaged JSON at character {position:,} ({reason})", max(0, misfit - self._at))
        if following is None:
            self._pass_until(_BEFORE_TIMED_LINE if self._is_timed and self.depth == 0 else _NEXT_VALUE, at + 1)
        elif self._at > _PASSED_AT_MOST:
            self._text, self._offset, self._at = self._text[self._at :], self._offset + self._at, 0

    def _next_value(self, at: int, misfit: int) -> int | None:
        if self._is_timed and self.depth == 0:
            timed = _BEFORE_TIMED_LINE.search(self._text, at)
            return timed.end() if timed else None
        for following in _NEXT_VALUE.finditer(self._text, at + 1):
            # The next record's own start may be what doesn't fit.
            if following.start() > misfit - len(RECORD_START) or following.group() != RECORD_START:
                return following.start()
        return None


def _is_only_unfinished(error: Exception, text: str) -> bool:
    """Return whether a value is sound as far as the text goes."""
    if isinstance(error, JSONDecodeError):
        return error.msg.startswith("Unterminated string") or error.pos > len(text) - _LONGEST_TOKEN
    return isinstance(error, RecursionError)


def _end_of_value(text: str, start: int) -> int | None:
    """Return where an object ends, however deep it is nested; None where it doesn't."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text, start):
        first = token.group()[0]
        depth += (first in "{[") - (first in "}]")
        if depth == 0:
            return token.end()
    return None
