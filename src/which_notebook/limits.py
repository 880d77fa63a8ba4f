"""Limits on memory, and on how much is done at once."""

from __future__ import annotations

from msgspec import Struct

_KB, _MB = 1024, 1024 * 1024


class Limits(Struct, frozen=True, kw_only=True):
    """All limits of one run. The answer is the same with any others, except with the last six; else only memory and time differ."""

    read_bytes: int = _MB
    """Of a file are read at once."""
    packed_read_bytes: int = 64 * _KB
    """Of a file that is packed in an unusual way are read at once."""
    decompressed_bytes: int = 512 * _KB
    """Are decompressed at once: so few that they are still in the processor's cache when they are searched."""
    piece_bytes: int = 4 * _MB
    """Has a piece of content that may have to be looked at again."""
    # A trail's event has 256 KB at most: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html.
    # Larger ones are an event data store's only, which writes no such files:
    # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventConfiguration.html.
    # Twice that, since how AWS counts isn't said.
    event_bytes: int = 512 * _KB
    """No trail's record is longer (see `records.top_level`)."""
    parsed_bytes: int = 2 * _MB
    """Of records are parsed together."""
    copied_bytes: int = 16 * _MB
    """Of what can be read only once are copied in memory; the rest to a temporary file."""
    ahead_bytes: int = 4 * _MB
    """An S3 object up to this size is downloaded ahead of its turn."""
    found_calls: int = 5_000
    """Of a file are handed on together."""
    sorted_calls: int = 40_000
    """Are held until they are written to a temporary file."""
    judged_calls: int = 2_000
    """Are judged at once: so few that they are still in the processor's cache when the next column of them is looked at."""
    worth_workers_bytes: int = 8 * _MB
    """Above this, worker processes start."""
    batch_files: int = 64
    """A worker process takes at a time."""
    listed_files: int = 50_000
    """Are listed at once."""
    remembered_parts: int = 20
    """Of a file's calls are remembered in the cache; a file with more isn't."""
    remembered_answer_bytes: int = 16 * _MB
    """A larger answer isn't remembered in the cache."""
    remembered_answers: int = 20
    """Are remembered in the cache."""
    cache_bytes: int = 1024 * _MB
    """Above this, the cache is begun anew."""
    cache_held_bytes: int = 8 * _MB
    """Are written to the cache together."""
    column_bytes: int = 64 * _KB
    """Of a column of the report are held until they are written."""
    column_read_bytes: int = 48 * _KB
    """Of it are read back at a time; a multiple of three."""
    column_texts_bytes: int = 2_000_000
    """Of a column's different texts are known."""

    # With lower ones of these an answer has less, and says so. Of evidence no limit makes it name what it doesn't without.
    evidence_sessions: int = 60_000
    """Sessions are remembered for evidence, and as many that somebody else opened."""
    evidence_addresses: int = 40_000
    """Addresses are, each with who used it."""
    evidence_spans: int = 200_000
    """More spans of time are, in which an address was used."""
    lanes: int = 1_000
    """Are told apart in the report."""
    groups: int = 50_000
    """Of `summary --by` are told apart."""
    report_calls: int = 1_000_000
    """Are shown in the report."""


LIMITS = Limits()
