"""What form a content is in, told by how it begins."""

from __future__ import annotations

import codecs
import re

from .access_log import begins_as_access_log
from .packing import PARQUET
from .rows import delimiter_of

HEAD_BYTES = 64 * 1024

# https://www.garykessler.net/library/file_sigs.html
_OTHERS = {
    b"Obj\x01": "an Avro file", b"ORC": "an ORC file", b"%PDF": "a PDF", b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "an SQLite database", b"\x04\x22\x4d\x18": "compressed with lz4",
    b"\xff\x06\0\0sNaPpY": "compressed with snappy", b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"\x1f\x9d": "compressed with compress",
    b"\xd0\xcf\x11\xe0": "an Office document", b"SEQ": "a Hadoop sequence file",
}  # fmt: skip
_TEXTS = {
    rb"Events:\s*\n- ": "YAML of `lookup-events`: print it with --output json",
    rb"EVENTS\t": "columns of `lookup-events`: print it with --output json",
    rb"[-\s]*\|\s+(?:LookupEvents|CloudTrailEvent)\b": "a table of `lookup-events`: print it with --output json",
    rb'"?Event name"?,"?Event time"?,': "the console's CSV of the event history, which lacks the caller's ARN: download it as JSON",
    rb'"[0-9.]+","?\{type=': "CSV without a first line that names the columns",
}
_MARKUP = re.compile(rb"\s*<(!doctype html|html)?", re.IGNORECASE)
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
_JSON_STARTS = b'{["'
# What stands in records of any shape, near their beginning; in a text the quotation marks are escaped.
_MARKS = re.compile(rb'eventVersion|UserIdentityArn|"(?:class_uid|useridentity|eventname|cloudtrail|awslogs)\\*"')


def begins_as_json(head: bytes) -> bool:
    """Return whether JSON may begin so, but for what a log puts before it."""
    return head.lstrip()[:1] in (b"{", b"[", b'"', b"")


def may_hold_records(head: bytes) -> bool:
    """Return whether a content that begins so looks like one of records."""
    return (
        head.startswith(PARQUET)
        or _MARKS.search(head) is not None
        or begins_as_access_log(head)
        or delimiter_of(head) is not None
    )


def unread_text(head: bytes) -> str | None:
    """Return in words what a text is that holds records in a form that isn't read; None where it isn't known as one."""
    plain = head.removeprefix(codecs.BOM_UTF8)
    return next((name for begin, name in _TEXTS.items() if re.match(begin, plain)), None)


def other_form(head: bytes) -> str:
    """Return in words what a content is that isn't JSON, nor anything else that is read."""
    for mark, name in _OTHERS.items():
        if head.startswith(mark):
            return name
    if markup := _MARKUP.match(head):
        return "an HTML page" if markup[1] else "XML"
    return "binary data" if _BINARY.search(head) else "text in an unknown form"
