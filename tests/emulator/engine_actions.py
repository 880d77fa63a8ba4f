"""Which actions the operations of Athena and the Glue Data Catalog need, of those that this project meets.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html, …/list_awsglue.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

SERVICES = ("athena", "glue")


def actions_of(
    service: str, operation: str, parameters: Mapping[str, Any], arn: Callable[[str], str], workgroup_of: Callable[[str], str | None]
) -> list[tuple[str, str]] | None:  # fmt: skip
    """Return each action with its resource; None of an operation that isn't here.

    `arn` makes an ARN of the service's, in the account and region of the request; `workgroup_of` names a query's workgroup.
    """
    action = f"{service}:{operation}"
    if (service, operation) == ("athena", "StartQueryExecution"):
        return [(action, arn(f"workgroup/{parameters.get('WorkGroup') or 'primary'}"))]
    if service == "athena" and operation in ("GetQueryExecution", "GetQueryResults", "StopQueryExecution"):
        name = workgroup_of(parameters["QueryExecutionId"])
        return [(action, arn(f"workgroup/{name}"))] if name else None
    if service == "glue" and operation in ("GetTable", "GetPartitions"):
        database, table = parameters["DatabaseName"], parameters.get("Name") or parameters.get("TableName")
        # All three are needed: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html.
        return [(action, arn(each)) for each in ("catalog", f"database/{database}", f"table/{database}/{table}")]
    return None
