"""Reads what a query of Athena's found: from its file in S3, or page by page where Athena keeps the results itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from ... import aws
from ...records.record_text import LONGEST_VALUE
from ..s3_object import ObjectReader

_BUFFER = 256 * 1024


def rows_of(execution: dict[str, Any]) -> Iterator[str]:
    """Yield the only column of each row of a query that succeeded. Raises OSError where the results can't be read."""
    location = (execution.get("ResultConfiguration") or {}).get("OutputLocation")
    rows = _in_s3(location) if location else _in_pages(execution["QueryExecutionId"])
    next(rows, None)  # the column's name
    yield from rows


def _in_s3(location: str) -> Iterator[str]:
    csv.field_size_limit(LONGEST_VALUE)
    with io.TextIOWrapper(io.BufferedReader(ObjectReader(location), _BUFFER), encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if row:
                yield row[0]


def _in_pages(identifier: str) -> Iterator[str]:
    """https://docs.aws.amazon.com/athena/latest/ug/managed-results.html."""
    with aws.named_errors("athena:GetQueryResults"):
        for page in aws.client("athena").get_paginator("get_query_results").paginate(QueryExecutionId=identifier):
            for row in page["ResultSet"]["Rows"]:
                yield row["Data"][0].get("VarCharValue", "")
