"""What the tests of Trino ask: log files in a folder, and the same in a bucket, of which modules/athena made a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import engine_corpus as corpus
import stand_in
from moto_server import MotoServer
from own_network import OwnNetwork
from records import ROLE
from trino_server import CATALOG, TrinoServer
from workspace import CHECKOUT, Workspace

SAMPLES = CHECKOUT.parent / "shared" / "cloudtrail-samples"
BUCKET = "audit-logs"
SAMPLES_ACCOUNT, SAMPLES_REGION = "999999999999", "eu-west-1"


@dataclass
class Scene:
    """A folder of log files, and the engine that has the same."""

    folder: Path
    trino: TrinoServer
    moto: MotoServer
    schema: str
    outputs: dict[str, Any]

    @property
    def source(self) -> str:
        """What the command takes."""
        return f"trino://{self.trino.address}/{CATALOG}/{self.schema}/cloudtrail_logs"

    def files_of(self, where: str) -> int:
        """Return how many files a query of the table reads."""
        ((count,),) = self.trino.query(
            f'SELECT count(DISTINCT "$path") FROM cloudtrail_files WHERE {where}',  # noqa: S608 - a test's own
            self.schema,
        )
        assert isinstance(count, int)
        return count


@contextmanager
def engine_scene(
    folder: Path, logs: Path | None = None, accounts: Iterable[str] = (), regions: Iterable[str] = ()
) -> Iterator[Scene]:
    """Provide the files and the engine while the block runs: those in `logs`, of these accounts and regions, or the tests'."""
    if logs is None:
        logs = folder / "logs"
        accounts, regions = (*corpus.ACCOUNTS, SAMPLES_ACCOUNT), (*corpus.REGIONS, SAMPLES_REGION)
        corpus.write_corpus(logs)
        for number, records in enumerate(samples()):
            day = corpus.FIRST + timedelta(days=number % corpus.DAYS)
            corpus.write_log(logs, SAMPLES_ACCOUNT, SAMPLES_REGION, day, records)
    with OwnNetwork() as network:
        moto = MotoServer(network, folder)
        workspace = Workspace(folder / "module", root="modules/athena", environment=moto.environment())
        applied = workspace.apply(
            {
                "bucket": BUCKET,
                "account_ids": list(accounts),
                "regions": list(regions),
                "first_day": str(corpus.FIRST),
                "role_names": [ROLE],
                "results_location": "s3://results/notebooks/",
                "tags": {"team": "security"},  # moto can't list the tags of a workgroup without any
            }
        )
        assert applied.diagnostics == []
        s3 = moto.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.create_bucket(Bucket="results")
        upload(s3, logs)
        trino = TrinoServer(network, folder, moto.url, moto.region)
        outputs = workspace.outputs()
        names = (outputs["database_name"], outputs["table_name"], outputs["view_name"])
        schema = stand_in.make(trino, moto.client("glue"), *names, last_day="2026/03/04")
        yield Scene(logs, trino, moto, schema, outputs)


def samples() -> list[list[dict[str, Any]]]:
    """Return real records, file by file."""
    files = [json.loads(path.read_bytes()) for path in sorted(SAMPLES.rglob("*.json"))]
    return [found["Records"] if isinstance(found, dict) else found for found in files]


def upload(s3: Any, folder: Path) -> None:
    """Put the files into the bucket."""
    for path in folder.rglob("*.json.gz"):
        s3.put_object(Bucket=BUCKET, Key=str(path.relative_to(folder)), Body=path.read_bytes())
