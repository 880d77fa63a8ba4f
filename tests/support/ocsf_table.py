"""A table as Security Lake keeps one: Parquet files of OCSF, in Glue."""

from __future__ import annotations

import io
from typing import Any

import pyarrow
import shapes
from pyarrow import parquet
from records import Record

_PLAIN = {"string": "string", "int64": "bigint", "bool": "boolean", "timestamp[us]": "timestamp"}


def make(s3: Any, glue: Any, bucket: str, database: str, table: str, records: list[Record]) -> None:
    """Write the records as Security Lake would, and make their table."""
    events = [_as_there(shapes.ocsf(each)) for each in records]
    inferred = pyarrow.Table.from_pylist(events)
    schema = pyarrow.schema([pyarrow.field(each.name, _filled(each.name, each.type)) for each in inferred.schema])
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(events, schema=schema), out)
    s3.put_object(Bucket=bucket, Key=f"{table}/part.gz.parquet", Body=out.getvalue())
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"},
            "PartitionKeys": [],
            "StorageDescriptor": {
                "Location": f"s3://{bucket}/{table}/",
                "Columns": [{"Name": each.name, "Type": _type(each.type)} for each in schema],
                "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
            },
        },
    )


def _as_there(event: Record) -> Record:
    from datetime import datetime

    return event | {
        "unmapped": list(event["unmapped"].items()),
        "time_dt": datetime.fromisoformat(event["time_dt"]).replace(tzinfo=None),
    }


def _filled(name: str, kind: pyarrow.DataType) -> pyarrow.DataType:
    """Return a type without parts of which no record says what they are."""
    if name == "unmapped":
        return pyarrow.map_(pyarrow.string(), pyarrow.string())
    if pyarrow.types.is_null(kind):
        return pyarrow.string()
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([pyarrow.field(each.name, _filled(each.name, each.type)) for each in kind])
    if pyarrow.types.is_list(kind):
        return pyarrow.list_(_filled("", kind.value_type))
    return kind


def _type(kind: pyarrow.DataType) -> str:
    if pyarrow.types.is_map(kind):
        return "map<string,string>"
    if pyarrow.types.is_struct(kind):
        return f"struct<{','.join(f'{each.name}:{_type(each.type)}' for each in kind)}>"
    if pyarrow.types.is_list(kind):
        return f"array<{_type(kind.value_type)}>"
    return _PLAIN[str(kind)]
