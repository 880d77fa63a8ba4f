"""A seeded CloudTrail corpus: files as CloudTrail writes them, of records like those of a busy account.

The same seed gives the same bytes. `python bench/corpus.py --help` says how to write one.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import deflate

ROLE = "data-science-execution"
ACCOUNT = "111122223333"
REGION = "eu-central-1"
NOTEBOOKS = [f"{team}-{topic}" for team in ("fraud", "churn", "risk", "growth") for topic in ("model", "report", "lab")]
_START = datetime(2026, 3, 1, tzinfo=UTC)
_RECORD_BYTES = 1800


@dataclass(frozen=True)
class Kind:
    """What a corpus is like.

    `share` of the records are the role's. `random_keys`: data events on objects with keys as random as hashes are, which
    compress to a sixth; else a mix, which compresses to a ninth. `own_addresses`: each call comes from another address.
    """

    share: float = 0.02
    random_keys: bool = False
    own_addresses: bool = False


_OTHERS = ["ecs-task", "lambda-orders", "lambda-invoices", "ci-deployer", "eks-node", "backup", "inventory-scanner"]
_AGENTS = [
    "aws-sdk-java/2.28.16 Linux/5.10.226-214.880.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/21.0.4+7-LTS io/sync http/Apache",
    "Boto3/1.42.34 md/Botocore#1.42.34 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.9 cfg/retry-mode#legacy",
    "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.13.7 md/prompt#off",
    "aws-sdk-go-v2/1.36.3 os/linux lang/go#1.24.1 md/GOOS#linux md/GOARCH#arm64 api/sts#1.33.19",
]
_EVENTS = [
    ("s3.amazonaws.com", "GetObject", "Data"),
    ("s3.amazonaws.com", "ListObjects", "Data"),
    ("s3.amazonaws.com", "PutObject", "Data"),
    ("kms.amazonaws.com", "Decrypt", "Management"),
    ("kms.amazonaws.com", "GenerateDataKey", "Management"),
    ("dynamodb.amazonaws.com", "GetItem", "Data"),
    ("ec2.amazonaws.com", "DescribeInstances", "Management"),
    ("sagemaker.amazonaws.com", "DescribeNotebookInstance", "Management"),
    ("glue.amazonaws.com", "GetTable", "Management"),
    ("logs.amazonaws.com", "CreateLogStream", "Management"),
]
_DATA_EVENTS = [each for each in _EVENTS if each[2] == "Data"]


def session(role: str, name: str, key: str, opened: str) -> dict[str, object]:
    """Return the identity of a call made in a session of the role."""
    role_id = "AROA" + uuid.uuid5(uuid.NAMESPACE_URL, role).hex[:17].upper()
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                "accountId": ACCOUNT,
                "userName": role,
            },
            "attributes": {"creationDate": opened, "mfaAuthenticated": "false"},
        },
    }


def _parameters(chance: random.Random, event: str) -> dict[str, object]:
    table = chance.choice(["orders", "invoices", "customers", "shipments"])
    if event in ("GetObject", "PutObject"):
        key = f"warehouse/{table}/day={chance.randint(1, 28):02}/part-{chance.getrandbits(128):032x}.parquet"
        return {"bucketName": f"example-{table}", "Host": f"example-{table}.s3.{REGION}.amazonaws.com", "key": key}
    if event == "ListObjects":
        return {
            "list-type": "2",
            "bucketName": f"example-{table}",
            "prefix": f"warehouse/{table}/",
            "encoding-type": "url",
        }
    if event in ("Decrypt", "GenerateDataKey"):
        context = {"aws:s3:arn": f"arn:aws:s3:::example-{table}/warehouse/{table}/{chance.getrandbits(64):016x}"}
        return {"encryptionContext": context, "keySpec": "AES_256", "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    if event == "DescribeInstances":
        return {
            "instancesSet": {},
            "filterSet": {"items": [{"name": "tag:team", "valueSet": {"items": [{"value": table}]}}]},
        }
    return {"name": table, "policy": '{"Version":"2012-10-17","Statement":[]}', "id": f"{chance.getrandbits(64):016x}"}


def _random_key(chance: random.Random) -> dict[str, object]:
    table = chance.choice(["orders", "invoices"])
    key = f"warehouse/{table}/{base64.urlsafe_b64encode(chance.randbytes(120)).decode()}.parquet"
    return {"bucketName": f"example-{table}", "Host": f"example-{table}.s3.{REGION}.amazonaws.com", "key": key}


def envelope(
    chance: random.Random,
    moment: datetime,
    identity: dict[str, object],
    event: tuple[str, str, str],
    address: str,
    agent: str,
    parameters: dict[str, object],
    *,
    error: dict[str, object] | None = None,
    additional: dict[str, object] | None = None,
    resources: list[object] | None = None,
) -> dict[str, object]:
    """Return a record as CloudTrail orders its fields; `event` is the service, the name and the category."""
    source, name, category = event
    return {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source,
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": address,
        "userAgent": f"[{agent}]",
        **(error or {}),
        "requestParameters": parameters,
        "responseElements": None,
        **({} if additional is None else {"additionalEventData": additional}),
        "requestID": f"{chance.getrandbits(64):016X}",
        "eventID": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "readOnly": name != "PutObject",
        **({} if resources is None else {"resources": resources}),
        "eventType": "AwsApiCall",
        "managementEvent": category == "Management",
        "recipientAccountId": ACCOUNT,
        "eventCategory": category,
    }


def _record(chance: random.Random, moment: datetime, kind: Kind) -> dict[str, object]:
    opened = (moment - timedelta(minutes=chance.randint(1, 59))).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = f"ASIA{chance.getrandbits(80):020x}"[:20].upper()
    source, event, category = chance.choice(_DATA_EVENTS if kind.random_keys else _EVENTS)
    parameters = _random_key(chance) if kind.random_keys else _parameters(chance, event)
    address = f"10.{chance.randint(0, 3)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
    if chance.random() < kind.share:
        role = ROLE
        notebook = chance.randrange(len(NOTEBOOKS))
        name = NOTEBOOKS[notebook]
        address = f"10.9.0.{notebook + 10}"
        key = f"ASIA{opened[:13].replace('-', '').replace('T', '')}{notebook:04}XX".ljust(20, "X")
        draw = chance.random()
        if draw < 0.05:
            name, key = "SageMaker", "ASIABASE" + key[8:]
            if draw < 0.03:
                source, event, category = "sts.amazonaws.com", "AssumeRole", "Management"
                parameters = {
                    "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}",
                    "roleSessionName": NOTEBOOKS[notebook],
                    "durationSeconds": 3600,
                }
    else:
        role, name = chance.choice(_OTHERS), f"{chance.getrandbits(64):016x}"
    if kind.own_addresses:
        address = f"10.{chance.randint(0, 255)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
    error: dict[str, object] | None = None
    if chance.random() < 0.03:
        error = {"errorCode": "AccessDenied", "errorMessage": "Access Denied"}
    resources: list[object] = []
    record = envelope(
        chance,
        moment,
        session(role, name, key, opened),
        (source, event, category),
        address,
        chance.choice(_AGENTS),
        parameters,
        error=error,
        additional={
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 0,
            "bytesTransferredOut": chance.randint(100, 10_000_000),
            "x-amz-id-2": f"{chance.getrandbits(384):096x}",
        },
        resources=resources,
    )
    record["tlsDetails"] = {
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": f"{source.split('.')[0]}.{REGION}.amazonaws.com",
    }
    # The rest of the mean size: resources, as S3's and KMS's records name them.
    size = len(json.dumps(record, separators=(",", ":"))) + 5
    while size < _RECORD_BYTES - 60:
        arn = f"arn:aws:s3:::example-archive/{chance.getrandbits(64):016x}/{len(resources)}"
        resources.append({"accountId": ACCOUNT, "type": "AWS::S3::Object", "ARN": arn})
        size += len(arn) + 60
    return record


def records(seed: int, number: int, kind: Kind) -> Iterator[dict[str, object]]:
    """Yield one file's records: the same seed gives the same ones."""
    chance = random.Random(seed)  # noqa: S311 - a corpus, no secret
    moment = _START + timedelta(minutes=5 * seed)
    for _ in range(number):
        yield _record(chance, moment + timedelta(seconds=chance.randint(0, 299)), kind)


def file_name(seed: int) -> str:
    """Return the path that CloudTrail would give the file, below the bucket."""
    moment = _START + timedelta(minutes=5 * seed + 5)
    day = moment.strftime("%Y/%m/%d")
    name = f"{ACCOUNT}_CloudTrail_{REGION}_{moment.strftime('%Y%m%dT%H%MZ')}_{seed:016}.json.gz"
    return f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{day}/{name}"


def write_file(folder: Path, seed: int, number: int, kind: Kind) -> int:
    """Write one file; return its size when decompressed, in bytes."""
    data = (
        b'{"Records":['
        + b",".join(json.dumps(each, separators=(",", ":")).encode() for each in records(seed, number, kind))
        + b"]}"
    )
    path = folder / file_name(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(deflate.gzip_compress(data, 6))
    return len(data)


def _write_some(folder: Path, seeds: range, number: int, kind: Kind) -> int:
    return sum(write_file(folder, seed, number, kind) for seed in seeds)


def write(folder: Path, files: int, number: int, kind: Kind = Kind()) -> int:
    """Write a corpus of so many files of so many records; return its size when decompressed, in bytes."""
    step = max(1, files // 50)
    with ProcessPoolExecutor() as pool:
        parts = [
            pool.submit(_write_some, folder, range(at, min(at + step, files)), number, kind)
            for at in range(0, files, step)
        ]
        return sum(part.result() for part in parts)


def main() -> None:
    """Write a corpus from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--share", type=float, default=Kind.share, help="of the records that are the role's")
    parser.add_argument("--random-keys", action="store_true", help="data events that compress to a sixth")
    parser.add_argument("--own-addresses", action="store_true", help="an address of its own for each call")
    given = parser.parse_args()
    kind = Kind(given.share, given.random_keys, given.own_addresses)
    print(f"{write(given.folder, given.files, given.records, kind):,} bytes decompressed")


if __name__ == "__main__":
    main()
