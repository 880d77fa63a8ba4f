"""What stands on Trino for a table of modules/athena: the same files, location and partitions, without AWS's input format.

That format cuts each file's records into rows; Trino hasn't it. So a table here has all records of a file in one list, and a view
of the name that the module's table has gives each its row. Pruning passes through the view.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from trino_server import CATALOG, TrinoServer

from which_notebook.sources.engines.column_types import Type, type_of

_FILES = "cloudtrail_files"
_TEXT_FORMAT = "org.apache.hadoop.mapred.TextInputFormat"
_JSON = "org.openx.data.jsonserde.JsonSerDe"


def make(trino: TrinoServer, glue: Any, database: str, table: str, view: str, *, last_day: str) -> str:
    """Make the stand-ins of a table and its view in a database of their own; return that one's name.

    `last_day`: where the days end, instead of today, so that months without files needn't be listed.
    """
    own = f"{database}_on_trino"
    glue.create_database(DatabaseInput={"Name": own})
    of_module = glue.get_table(DatabaseName=database, Name=table)["Table"]
    columns = of_module["StorageDescriptor"]["Columns"]
    record = ",".join(f"{each['Name']}:{each['Type']}" for each in columns)
    partitions = [each["Name"] for each in of_module["PartitionKeys"]]
    glue.create_table(
        DatabaseName=own,
        TableInput={
            "Name": _FILES,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": of_module["Parameters"]
            | {"projection.day.range": of_module["Parameters"]["projection.day.range"].replace("NOW", last_day)},
            "PartitionKeys": of_module["PartitionKeys"],
            "StorageDescriptor": {
                **of_module["StorageDescriptor"],
                "Columns": [{"Name": "records", "Type": f"array<struct<{record}>>"}],
                "InputFormat": _TEXT_FORMAT,
                "SerdeInfo": {"SerializationLibrary": _JSON},
            },
        },
    )
    names = ", ".join(f'"{each["Name"]}"' for each in columns)
    trino.query(
        f"CREATE VIEW {table} AS SELECT {names}, {', '.join(partitions)} FROM {_FILES} CROSS JOIN UNNEST(records) AS t ({names})",  # noqa: S608 - the names of a test's own table
        own,
    )
    definition = definition_of(glue.get_table(DatabaseName=database, Name=view)["Table"])
    sql = definition["originalSql"].replace(f'"{database}"."{table}"', f'"{own}"."{table}"')
    trino.query(f"CREATE VIEW {view} AS {sql}", own)
    shown = trino.query(f"DESCRIBE {view}", own)
    assert [(row[0], row[1]) for row in shown] == [(each["name"], each["type"]) for each in definition["columns"]]
    return own


def definition_of(view: dict[str, Any]) -> dict[str, Any]:
    """Return what a view in Glue says."""
    found = re.fullmatch(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/", view["ViewOriginalText"])
    assert found
    definition: dict[str, Any] = json.loads(base64.b64decode(found[1]))
    assert definition["catalog"] == CATALOG
    return definition


def types_of(table: dict[str, Any]) -> dict[str, Type]:
    """Return the types of a Glue table's columns."""
    return {each["Name"]: type_of(each["Type"]) for each in table["StorageDescriptor"]["Columns"]}
