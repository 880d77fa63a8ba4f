"""Limits on memory, and on how much is done at once."""

from __future__ import annotations

from msgspec import Struct

_KB, _MB = 1024, 1024 * 1024


class Limits(Struct, frozen=True, kw_only=True):
    """All limits of one run. The answer is the same with any others, except as said here; only memory and time differ.

    Of a file: `read_bytes` are read at once, and `packed_read_bytes` of one that is packed in an unusual way; `decompressed_bytes`
    are decompressed at once, so few that they are still in the processor's cache when they are searched; content that may have
    to be looked at again is in pieces of `piece_bytes`. `event_bytes`: no trail's record is longer (see `records.top_level`).
    Of calls: `sorted_calls` are held until they are written to a temporary file, and `judged_calls` are handed on at once, so few that they
    are still in the processor's cache when the next column of them is looked at. Of a file: `parsed_bytes` of records are parsed together, and `found_calls` handed on together; what can be read
    only once is copied, up to `copied_bytes` in memory. An S3 object up to `ahead_bytes` is downloaded ahead of its turn.
    Worker processes start above `worth_workers_bytes`, and take `batch_files` at a time. `listed_files` are listed at once.
    Of the cache: `remembered_parts` of a file, `remembered_answer_bytes` of an answer, and so many `remembered_answers`; a new one is
    begun beyond `cache_bytes`, and `cache_held_bytes` are written to it together. Of the report: `column_bytes`
    are held of a column until they are written, and read back `column_read_bytes` at a time, a multiple of three;
    `column_texts_bytes` of different texts are known.
    With lower ones of these an answer has less, and says so: of evidence, `evidence_sessions` are remembered, and as many sessions that
    somebody else opened; `evidence_addresses`, each with who used it, in `evidence_spans` of time more; `lanes`, and `groups` of
    `summary --by`, are told apart, and `report_calls` are shown. Of evidence no limit makes it name what it doesn't without.
    """

    read_bytes: int = _MB
    packed_read_bytes: int = 64 * _KB
    decompressed_bytes: int = 512 * _KB
    piece_bytes: int = 4 * _MB
    # A trail's event has 256 KB at most: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html.
    # Larger ones are an event data store's only, which writes no such files:
    # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventConfiguration.html.
    # Twice that, since how AWS counts isn't said.
    event_bytes: int = 512 * _KB
    sorted_calls: int = 40_000
    judged_calls: int = 2_000
    parsed_bytes: int = 2 * _MB
    found_calls: int = 5_000
    copied_bytes: int = 16 * _MB
    ahead_bytes: int = 4 * _MB
    worth_workers_bytes: int = 8 * _MB
    batch_files: int = 64
    listed_files: int = 50_000
    remembered_parts: int = 20
    remembered_answer_bytes: int = 16 * _MB
    remembered_answers: int = 20
    cache_bytes: int = 1024 * _MB
    cache_held_bytes: int = 8 * _MB
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
