"""The real AWS clients that are run on a notebook instance: how each lists or reads a bucket, and its version."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

BUCKET = "figures"
REGION = "us-east-1"
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Client:
    """One client. `version` is asked here, for the programs are the same on the instance.

    `pinned` is whether the version is this project's choice, or that of the system's package.
    """

    name: str
    command: Sequence[str]
    version: Callable[[], str]
    pinned: bool = True


def _python(name: str, package: str, program: str) -> Client:
    return Client(name, [sys.executable, "-c", program], lambda: metadata.version(package))


def _printed(*command: str) -> Callable[[], str]:
    def version() -> str:
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = re.search(r"\d+\.\d+\.\d+", said)
        return found[0] if found else said.strip()

    return version


def _npm(package: str) -> Callable[[], str]:
    def version() -> str:
        manifest = _HERE / "js" / "node_modules" / package / "package.json"
        return str(json.loads(manifest.read_text())["version"])

    return version


_DUCKDB = f"""
import duckdb, duckdb_ext, pathlib
(folder,) = pathlib.Path(list(duckdb_ext.__path__)[0], "extensions").glob("v*/*")
connection = duckdb.connect()
for name in ("httpfs", "aws"):
    connection.execute(f"LOAD '{{folder}}/{{name}}.duckdb_extension'")
connection.execute("CREATE SECRET (TYPE s3, PROVIDER credential_chain, REGION '{REGION}')")
print(connection.execute("SELECT * FROM read_csv('s3://{BUCKET}/2026.csv')").fetchall())
"""

_CURL = f"""
set -e
service=http://169.254.169.254/latest
token=$(curl -sfX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $service/api/token)
get() {{ curl -sfH "X-aws-ec2-metadata-token: $token" "$service/meta-data/iam/security-credentials/$1"; }}
answer=$(get "$(get '')")
field() {{ jq -r ".$1" <<<"$answer"; }}
curl -sf --aws-sigv4 aws:amz:{REGION}:s3 --user "$(field AccessKeyId):$(field SecretAccessKey)" \
  -H "x-amz-security-token: $(field Token)" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
  https://s3.{REGION}.amazonaws.com/{BUCKET}/2026.csv
"""

CLIENTS = [
    Client("AWS CLI v1", ["/usr/local/bin/aws", "s3api", "list-objects-v2", "--bucket", BUCKET], lambda: metadata.version("awscli")),
    Client("AWS CLI v2", ["/usr/bin/aws", "s3api", "list-objects-v2", "--bucket", BUCKET], _printed("/usr/bin/aws", "--version"), pinned=False),
    _python("boto3", "boto3", f"import boto3; boto3.client('s3').list_objects_v2(Bucket={BUCKET!r})"),
    _python("s3fs", "s3fs", f"import s3fs; print(s3fs.S3FileSystem().cat('{BUCKET}/2026.csv'))"),
    _python("Polars (with boto3)", "polars", f"import polars; print(polars.scan_csv('s3://{BUCKET}/2026.csv', storage_options={{'aws_region': '{REGION}'}}).collect())"),
    Client("SDK for JavaScript v3", ["node", str(_HERE / "js" / "list-bucket.mjs"), BUCKET], _npm("@aws-sdk/client-s3")),
    _python("PyArrow S3FileSystem", "pyarrow", f"from pyarrow.fs import S3FileSystem; print(S3FileSystem(region='{REGION}').open_input_file('{BUCKET}/2026.csv').read())"),
    _python("deltalake", "deltalake", f"import deltalake; print(deltalake.DeltaTable('s3://{BUCKET}/table', storage_options={{'AWS_REGION': '{REGION}'}}).version())"),
    _python("DuckDB (credential chain)", "duckdb", _DUCKDB),
    Client("SDK for JavaScript v2", ["node", str(_HERE / "js" / "list-bucket-v2.js"), BUCKET], _npm("aws-sdk")),
    Client("curl (credentials of the metadata service)", ["bash", "-c", _CURL], _printed("curl", "--version"), pinned=False),
]  # fmt: skip
