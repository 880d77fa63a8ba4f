"""Limits on memory, and on how much is done at once."""

from __future__ import annotations

from msgspec import Struct

_KB, _MB = 1024, 1024 * 1024


class Limits(Struct, frozen=True, kw_only=True):
    """All limits of one run. The answer is the same with any others, except as said here; only memory and time differ.

    Of calls: `sorted_calls` are held until they are written to a temporary file, and `merged_calls` are read back at
    once. Of a file: `parsed_bytes` of records are parsed together, and `found_calls` handed on together; what can be read
    only once is copied, up to `copied_bytes` in memory. An S3 object up to `ahead_bytes` is downloaded ahead of its turn.
    Worker processes start above `worth_workers_bytes`, and take `batch_files` at a time. `listed_files` are listed at once.
    Of the cache: `remembered_parts` of a file, and `remembered_answer_bytes` of an answer. Of the report: `column_bytes`
    are held of a column until they are written, and read back `column_read_bytes` at a time, a multiple of three;
    `column_texts_bytes` of different texts are known.
    With lower ones of these an answer has less, and says so: of evidence, `evidence_sessions` are remembered, and as many sessions that
    somebody else opened; `evidence_addresses`, each with who used it, in `evidence_spans` of time more; `lanes`, and `groups` of
    `summary --by`, are told apart, and `report_calls` are shown. Of evidence no limit makes it name what it doesn't without.
    """

    sorted_calls: int = 40_000
    merged_calls: int = 20_000
    parsed_bytes: int = 2 * _MB
    found_calls: int = 5_000
    copied_bytes: int = 16 * _MB
    ahead_bytes: int = 4 * _MB
    worth_workers_bytes: int = 8 * _MB
    batch_files: int = 64
    listed_files: int = 50_000
    remembered_parts: int = 20
    remembered_answer_bytes: int = 16 * _MB
    column_bytes: int = 64 * _KB
    column_read_bytes: int = 48 * _KB
    column_texts_bytes: int = 2_000_000
    groups: int = 50_000
    evidence_sessions: int = 60_000
    evidence_addresses: int = 40_000
    evidence_spans: int = 200_000
    lanes: int = 1_000
    report_calls: int = 1_000_000


LIMITS = Limits()
