"""A table of CloudTrail's records in Glue, as modules/athena makes it, and its rows as an engine gives them."""

from __future__ import annotations

import json
from typing import Any

from which_notebook.sources.engines.record_fields import COLUMNS, FIELDS


def row_of(record: dict[str, Any]) -> str:
    """Return a record as the table's row: what differs from service to service is a text."""
    texts = {name.lower() for name, kind in FIELDS.items() if kind == "json"}
    values = {name.lower(): value for name, value in record.items()}
    return json.dumps(
        [
            json.dumps(values[each]) if each in texts and each in values else _lowered(values.get(each))
            for each in COLUMNS
        ]
    )


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.lower(): _lowered(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_lowered(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else value


def _types(fields: Any) -> str:
    inner = ",".join(
        f"{name.lower()}:{'string' if isinstance(kind, str) else _types(kind)}" for name, kind in fields.items()
    )
    return f"struct<{inner}>"


def make_table(glue: Any, database: str, name: str, parameters: dict[str, str] | None = None, *, without: str = "", partitions: tuple[str, ...] = ("account", "region", "day")) -> None:  # fmt: skip
    """Make a table as modules/athena does."""
    columns = [
        {"Name": field.lower(), "Type": "string" if isinstance(kind, str) else f"array<{_types(kind)}>" if field == "resources" else _types(kind)}
        for field, kind in FIELDS.items()
    ]  # fmt: skip
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": name,
            "Parameters": {"projection.enabled": "true", "projection.day.format": "yyyy/MM/dd", **(parameters or {})},
            "PartitionKeys": [{"Name": each, "Type": "string"} for each in partitions],
            "StorageDescriptor": {
                "Location": "s3://audit-logs/AWSLogs/",
                "Columns": [{**each, "Type": each["Type"].replace(without, "")} for each in columns],
            },
        },
    )
