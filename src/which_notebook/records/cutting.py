"""The fast way: cuts out the records that contain a searched text, and parses only these.

CloudTrail writes `{"Records":[{"eventVersion":…},{"eventVersion":…}]}`. In such a file a record goes from its start to the
next one's, and each that is cut out must be a whole JSON object by itself. A file in which one isn't, that is damaged or
has another form can't be cut.

A record that is counted is known to stand at the top level of the file, see `top_level`; a file without one pays nothing
for that.

What can't be told this way, since it doesn't look at each byte:
- a writer that escapes letters (`\\u0073`) in some records only, between others half a megabyte apart at most that hold the
  role's name plainly, hides the name there. CloudTrail escapes none, and no writer that we know of changes its mind;
- damage in a record without a searched text goes unnamed, unless records that count stand around it.
"""

from __future__ import annotations

from collections.abc import Iterator

import stringzilla

from ..calls.call import Call
from ..calls.search import RARE_NEEDLES, Search
from ..limits import Limits
from .cloudtrail import RecordError, calls_of
from .content import Content
from .record_text import ESCAPED_ASCII, LONGEST_VALUE, RECORD_START
from .top_level import TopLevel

_START = RECORD_START.encode()
# What stands before the first record, and behind the last.
_FORMS = {b'{"Records":[': b"]}", b"[": b"]", b"": b""}
_SEPARATORS = b", \r\n\t"
_SPACE = b" \r\n\t"
_ESCAPE = b"\\u00"
# A record may hold others; one that holds more was made to take up time.
_STARTS_IN_A_RECORD_AT_MOST = 1_000
_LOOKED_AT_FOR_ESCAPES = 64 * 1024


class NotCuttableError(Exception):
    """The records can't be told apart by their starts alone."""


def cut_calls(content: Content, search: Search, limits: Limits) -> Iterator[list[Call]]:
    """Yield the matching calls; raises NotCuttableError, then or later, where it takes more than this way."""
    texts: list[bytes] = []
    size = 0
    for text in _cut_records(content, search.needles, limits):
        if search.keeps_record:
            raise NotCuttableError  # what is shown as proof comes from a file that was read whole
        texts.append(text)
        size += len(text)
        if size > limits.parsed_bytes:
            yield _calls_of(texts, search)
            texts, size = [], 0
    if texts:
        yield _calls_of(texts, search)


def _calls_of(texts: list[bytes], search: Search) -> list[Call]:
    """Return the matching calls of some texts: of many at a time, for the processor's cache."""
    matches, with_resources, with_clues = search.matches, search.with_resources, search.with_clues
    try:
        return [
            call
            for text in texts
            for call in calls_of(text, with_resources=with_resources, with_clues=with_clues)
            if matches(call)
        ]
    except RecordError:
        raise NotCuttableError from None


def _cut_records(content: Content, needles: tuple[bytes, ...], limits: Limits) -> Iterator[bytes]:
    """Yield what begins like a record, up to the next such, where it holds one of the needles: some in a row together."""
    window = next(content, b"")
    form = next((form for form in _FORMS if window.startswith(form + _START)), None)
    if form is None:
        raise NotCuttableError
    head, top_level = len(form), TopLevel(limits.event_bytes)
    for piece in content:
        end = _last_start(window, head)
        if end > head:
            yield from _cut(window, head, end, needles, top_level, is_list=bool(form))
        # The last record goes on in this piece.
        start = _first_start(piece)
        if start > 0:
            seam = window[end:] + piece[:start]
            yield from _cut(seam, 0, len(seam), needles, top_level, is_list=bool(form))
            window, head = piece, start
        elif len(window) - end > LONGEST_VALUE:
            raise NotCuttableError
        else:
            window, head = window[end:] + piece, 0
    if content.damage:
        raise NotCuttableError
    yield from _cut(window, head, _end_of_records(window, _FORMS[form]), needles, top_level, is_list=bool(form))


def _last_start(window: bytes, head: int) -> int:
    """Return where the last record starts that follows another one, or `head`."""
    start = len(window)
    for _ in range(_STARTS_IN_A_RECORD_AT_MOST):
        start = window.rfind(_START, head, start)
        if start <= head:
            return head
        if _follows_record(window, start):
            return start
    raise NotCuttableError


def _first_start(window: bytes) -> int:
    """Return where the first record starts that follows another one, or -1."""
    start = -1
    for _ in range(_STARTS_IN_A_RECORD_AT_MOST):
        start = window.find(_START, start + 1)
        if start < 0 or _follows_record(window, start):
            return start
    raise NotCuttableError


def _follows_record(window: bytes, start: int) -> bool:
    """Return whether what starts here follows another object; a member's value and a list's first element don't."""
    if window[start - 2 : start] == b"},":  # as CloudTrail has it
        return True
    while start and window[start - 1] in _SEPARATORS:
        start -= 1
    return window.endswith(b"}", 0, start)


def _end_of_records(window: bytes, closing: bytes) -> int:
    """Return where the last record ends, or 0 where the file doesn't close as it opened."""
    end = len(window)
    while end and window[end - 1] in _SPACE:
        end -= 1
    return end - len(closing) if window.endswith(b"}" + closing, 0, end) else 0


def _cut(
    window: bytes, head: int, end: int, needles: tuple[bytes, ...], top_level: TopLevel, *, is_list: bool
) -> Iterator[bytes]:
    """Yield the records with a needle of a window whose first record starts at `head`, and whose last one ends at `end`."""
    if end <= head:
        raise NotCuttableError
    top_level.see(window, head)
    stops: dict[int, int] = {}
    # Between these each needle stands plainly, at both ends.
    plain_from, plain_to = head + _LOOKED_AT_FOR_ESCAPES, end
    for needle in needles:
        first, last = end, head
        at = stringzilla.find(window, needle, head)
        while 0 <= at < end:
            start = window.rfind(_START, head, at + len(_START))
            if start != head and (start < head or not _follows_record(window, start)):
                raise NotCuttableError
            following = stringzilla.find(window, _START, start + 1)
            stops[start] = last = following if 0 <= following < end else end
            first = min(first, start)
            at = stringzilla.find(window, needle, last)
        if needle not in RARE_NEEDLES:  # these tell nothing of how a file is written
            plain_from, plain_to = max(plain_from, first), min(plain_to, last)
    if _has_escapes(window, head, min(plain_from, end)) or _has_escapes(window, max(plain_from, plain_to), end):
        raise NotCuttableError
    view = memoryview(window)
    for start in sorted(stops):
        if start < head:
            continue  # it was cut out together with the one before it
        if not top_level.is_here(view[head : start + len(_START)]):
            raise NotCuttableError
        # It is parsed, so that what follows it is at the top level, too.
        head = stops[start]
        while is_list and head in stops:
            head = stops[head]
        yield window[start:head].rstrip(_SEPARATORS)
    if head < end:
        top_level.go_on(view[head:end])


def _has_escapes(window: bytes, start: int, end: int) -> bool:
    """Return whether a writer escapes letters here, which hides what is searched for."""
    # Records of data events hold no backslash for the most part, and a single byte is found four times as fast.
    start = window.find(b"\\", start, end)
    if start < 0 or stringzilla.find(window, _ESCAPE, start, end) < 0:
        return False
    return ESCAPED_ASCII.search(window, start, end) is not None
