"""What Athena's refusals and failures mean, and what to do: the one place for both.

Messages: https://docs.aws.amazon.com/athena/latest/ug/troubleshooting-athena.html. Numbers: the error catalog,
https://docs.aws.amazon.com/athena/latest/ug/error-reference.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

_LESS = "ask for less: --since, --until, --account, --region"
_LATER = "ask again later"


class _Meaning(Struct, frozen=True):
    """What messages that fit a pattern mean, or failures of some types of the catalog; and what to do."""

    pattern: str
    meaning: str
    way_out: str
    types: frozenset[int] = frozenset()


# The first that fits. A message says more than a number, so numbers alone count only where no message fits.
_MEANINGS = (
    _Meaning(
        r"bytes scanned limit was exceeded|scanned.* limit",
        "the workgroup's limit of data scanned stopped the query",
        f"{_LESS}; or raise the workgroup's bytes_scanned_cutoff_per_query",
    ),
    _Meaning(
        r"injected projected partition column",
        "the table takes no question without accounts (its account column is injected)",
        "give --account",
    ),
    _Meaning(r"workgroup .*not found", "there is no such workgroup in this region", "look at the name and at AWS_REGION"),
    _Meaning(r"workgroup .*(disabled|not enabled)", "the workgroup is disabled", "enable it, or name another"),
    _Meaning(
        r"no output location",
        "the workgroup has no place for results",
        "set the workgroup's output location; modules/athena makes a workgroup with one",
    ),
    _Meaning(
        r"output (bucket|location)|write query results",
        "the results can't be written",
        "s3:PutObject, s3:GetBucketLocation and, for an encrypted place, kms:GenerateDataKey and kms:Decrypt are needed there",
        frozenset({401, 402, 238}),
    ),
    _Meaning(
        r"lake ?formation|insufficient permissions to execute",
        "Lake Formation doesn't grant it",
        "have SELECT granted on the table, and data location access on its place",
        frozenset({234}),
    ),
    _Meaning(r"kms", "the KMS key of the logs or of the results can't be used", "kms:Decrypt on the key is needed"),
    _Meaning(
        r"slow ?down|reduce your request rate", "S3 is asked too often", f"{_LATER}, or {_LESS}"
    ),
    _Meaning(
        r"access ?denied|permission",
        "access denied",
        "s3:GetObject and s3:ListBucket on the logs, glue:GetTable and glue:GetPartitions on the table are needed",
    ),
    _Meaning(r"invalidobjectstate|glacier", "some of the files are archived", "restore them first, or ask for a later time"),
    _Meaning(
        r"exhausted resources|insufficient_resources|exceeded.*memory",
        "the query took more than Athena gives to one",
        _LESS,
        frozenset(range(9)),
    ),
    _Meaning(
        r"time(d)? ?out|exceeded_time_limit",
        "the query took longer than the quota for one (30 minutes by default)",
        _LESS,
        frozenset({206, 210}),
    ),
    _Meaning(
        r"(table|view).*(not|n't) (found|exist)|table_not_found|entitynotfound",
        "there is no such table",
        "look at the names of database and table, and at AWS_REGION",
        frozenset({1110, 1300, 1301}),
    ),
    _Meaning(
        r"(schema|database).*(not|n't) (found|exist)|schema_not_found",
        "there is no such database",
        "look at its name, and at AWS_REGION",
    ),
    _Meaning(
        r"column_not_found|cannot be resolved|type_mismatch|mismatch",
        "the table's columns aren't what its catalog says",
        "make the table anew, with modules/athena or AWS's statement",
        frozenset({1004}),
    ),
    _Meaning(
        r"hive_bad_data|hive_cursor|hive_cannot_open|malformed|not valid json|rowid|serde",
        "a file below the table's location can't be read as the table says",
        "look at the table's location, input format and SerDe; digests must not lie below the location",
        frozenset({1001, 1002, 1005, 1007, 237}),
    ),
    _Meaning(
        r"hive_(invalid_)?(partition|metadata)|partition.*(limit|mismatch)|hive_exceeded",
        "the table's partitions aren't as the table says",
        "make the table anew, with modules/athena",
    ),
    _Meaning(r"nosuchbucket|nosuchkey|path not found", "the table's location isn't there", "look at the table's location", frozenset({1109})),
    _Meaning(
        r"query string.*(length|long|size)|exceed.*262144",
        "the question is too long for Athena",
        "ask for fewer access keys or roles at once",
    ),
    _Meaning(r"syntax_error|mismatched input", "Athena doesn't take the SQL", "--dry-run prints it", frozenset({1006})),
    _Meaning(r"not supported", "Athena doesn't take such a query here", "the workgroup needs engine version 3", frozenset({1200, 1202})),
    _Meaning(r"metastore|glue", "the catalog can't be asked", f"{_LATER}; glue:GetTable is needed", frozenset({204})),
    _Meaning(
        r"cancel+ed",
        "the query was cancelled, by somebody or by the workgroup",
        "the workgroup's limits and metrics in the console may say why",
        frozenset({1011, 1014}),
    ),
    _Meaning(r"toomanyrequests|throttl|rate exceeded|too many queries", "Athena is asked too often", _LATER),
    _Meaning(
        r"internal|unknown",
        "something failed at AWS",
        _LATER,
        frozenset({100, *range(200, 204), 205, *range(207, 210), *range(211, 234), 235, 236, 239, 240, *range(300, 304), 400, 1010, 1012, 1013}),
    ),
)  # fmt: skip


def reason_of_message(message: str, number: int | None = None) -> str:
    """Return what a message of Athena's means, what to do, and the message itself."""
    meaning = next((each for each in _MEANINGS if re.search(each.pattern, message, re.IGNORECASE | re.DOTALL)), None)
    meaning = meaning or next((each for each in _MEANINGS if number in each.types), None)
    return f"{meaning.meaning}: {meaning.way_out} ({message})" if meaning else message


def reason_of_failure(status: Mapping[str, Any]) -> str:
    """Return why a query failed or was cancelled, from the status that GetQueryExecution answers."""
    error = status.get("AthenaError") or {}
    message = (
        status.get("StateChangeReason")
        or error.get("ErrorMessage")
        or f"no reason is given ({status['State'].lower()})"
    )
    return reason_of_message(message, error.get("ErrorType"))


def may_succeed_again(status: Mapping[str, Any]) -> bool:
    """Return whether Athena says that the same query may succeed if it is sent again."""
    return status["State"] == "FAILED" and (status.get("AthenaError") or {}).get("Retryable") is True
