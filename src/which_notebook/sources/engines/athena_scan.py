"""How much Athena reads, and what that costs.

https://aws.amazon.com/athena/pricing/: by the data scanned, 5 USD for each TB in most regions, and 10 MB at least for a query.
"""

from __future__ import annotations

from itertools import islice

from ... import aws

USD_PER_TB = 5.0
_TB = 1024**4
_LEAST_BYTES = 10 * 1024**2
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")
_PAGES_AT_MOST = 20


def in_words(size: int) -> str:
    """Return a size with its price."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    shown = f"{value:,.1f} {_UNITS[unit]}" if unit else f"{size:,} bytes"
    return f"{shown} (about {price(size):,.2f} USD, at {USD_PER_TB:g} USD a TB)"


def price(size: int) -> float:
    """Return what scanning so many bytes costs, in USD."""
    return max(size, _LEAST_BYTES) / _TB * USD_PER_TB if size else 0.0


def size_below(location: str) -> tuple[int | None, int, bool]:
    """Return the bytes and files below a table's location, and whether all were counted; None where they can't be."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    size = files = 0
    try:
        with aws.named_errors("s3:ListBucket"):
            pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            is_all = True
            for page in islice(pages, _PAGES_AT_MOST):
                for each in page.get("Contents", ()):
                    size, files = size + each["Size"], files + 1
                is_all = not page["IsTruncated"]
    except OSError:
        return None, 0, False
    return size, files, is_all
