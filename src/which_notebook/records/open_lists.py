"""Shows, without parsing, that a text leaves no list open: it counts square brackets by what stands beside them.

The text begins outside of all strings, and is part of valid JSON. An opening bracket counts unless
it must be inside a string. A closing one counts only if it can't be inside one:

- The opening bracket of a list follows a colon, a comma, another one or white space. Behind anything else it is a string's.
- Behind an escaped quotation mark (an odd number of backslashes before it) a string goes on to its next quotation mark.
- Closing brackets, a comma and a quotation mark: if the brackets stood in a string, that mark would end it, and only a
  comma, a colon, a closing bracket or white space could follow. Where something else follows, they stand in none.
- Where an object follows, too, the last bracket may close the list of the file's records, if files were joined. That isn't
  one of a record's lists, so it counts as none: else a list that is open behind it would seem closed.

No caller can make a text in which this is otherwise, so lists that are counted as closed are. The records of a file are
much alike, and so are those of several: what stands around their brackets is learned from them.
"""

from __future__ import annotations

import re
from collections import Counter

import stringzilla

# Each is looked for in all of a text: with more of them a parse is as fast.
_MARKS_AT_MOST = 12
# So little that it stays in the processor's nearest cache.
_COUNTED_AT_ONCE = 24 * 1024
_LESSONS_AT_MOST = 100
# Behind the list of resources, as CloudTrail writes it: most files need no lesson.
_KNOWN = [(b'"}],"e', 1)]
# The rest of the text is much the same, and a lesson takes far longer than a count.
_LEARNED_FROM = 64 * 1024
# The last byte is the bracket: that of another mark is another bracket.
_IN_STRING = re.compile(rb'[^:,\["\s]\[|[^\\](?:\\\\){0,3}\\"[:,] ?\[')
# All that closes between two texts, so that no bracket is in two marks. Without the comma it may be the list of records.
_CLOSING = re.compile(rb'[^\]}\s][\]}\s]{1,60}+,\s{0,60}+\{?\s{0,60}+"[^,:\]}\s]')
# Of the file's records, perhaps, with the object that they stand in. No record of AWS's ends with a list.
_CLOSING_OF_RECORDS = re.compile(rb"\]\s*\}?\s*,\s*\{")


class OpenLists:
    """Counts brackets, by marks that were learned from earlier texts."""

    def __init__(self) -> None:
        # With the number of brackets in each; those that were found last come first.
        self._marks: list[tuple[bytes, int]] = list(_KNOWN)
        self._lessons = 0

    def are_none(self, text: bytes | memoryview) -> bool:
        """Return True where the text leaves no list open for certain; False says nothing."""
        return self._are_closed(text) or (self._learn(bytes(text[-_LEARNED_FROM:])) and self._are_closed(text))

    def _are_closed(self, text: bytes | memoryview) -> bool:
        count, marks, left = stringzilla.count, self._marks, 0
        was_found = dict.fromkeys(marks, False)
        for start in range(0, len(text), _COUNTED_AT_ONCE):
            end = start + _COUNTED_AT_ONCE
            left += count(text, b"[", start, end) - count(text, b'"[', start, end + 1)
            for mark, brackets in marks:
                # Never below 0, since no list is closed twice: the rest needn't be counted.
                if left <= 0:
                    break
                if number := count(text, mark, start, end + len(mark) - 1):
                    left -= number * brackets
                    was_found[mark, brackets] = True
        if left <= 0:
            self._marks = sorted(marks, key=was_found.__getitem__, reverse=True)
        return left <= 0

    def _learn(self, text: bytes) -> bool:
        """Learn the marks of a text; return whether one of them is new."""
        if self._lessons >= _LESSONS_AT_MOST:
            return False
        self._lessons += 1
        closing = Counter(
            mark for mark in _CLOSING.findall(text) if b"]" in mark and not _CLOSING_OF_RECORDS.search(mark)
        )
        brackets = Counter(_IN_STRING.findall(text))
        brackets.update({mark: number * mark.count(b"]") for mark, number in closing.items()})
        marks = [(mark, mark.count(b"]") or 1) for mark, _ in brackets.most_common(_MARKS_AT_MOST)]
        is_new = not set(marks) <= set(self._marks)
        self._marks = [*marks, *(mark for mark in self._marks if mark not in marks)][:_MARKS_AT_MOST]
        return is_new
