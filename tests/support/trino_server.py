"""A real Trino, the engine that Athena is built on: from Maven Central, kept in .cache for the next run.

Two parts are enough: the core, and the connector that reads files through the Glue Data Catalog.
https://trino.io/docs/current/installation/deployment.html
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trino
from own_network import OwnNetwork
from workspace import CHECKOUT

VERSION = "476"
CATALOG = "awsdatacatalog"
_CACHE = CHECKOUT / ".cache/trino"
_OLDEST_JAVA = 22
_PORT = 8080
_SECONDS = 300.0
_PARTS = {"trino-server-core": "tar.gz", "trino-hive": "zip"}
_JVM = (
    "-Xmx1G", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djdk.attach.allowAttachSelf=true", "--enable-native-access=ALL-UNNAMED",
    "--add-modules=jdk.incubator.vector", "--sun-misc-unsafe-memory-access=allow", "-Dfile.encoding=UTF-8",
)  # fmt: skip


class NotHereError(Exception):
    """Trino can't run on this machine; the message says what is missing."""


def java() -> Path:
    """Return a Java that is new enough. Raises NotHereError."""
    homes = [os.environ.get("JAVA_HOME"), *map(str, sorted(Path("/usr/lib/jvm").glob("*"), reverse=True))]
    candidates = [Path(home) / "bin/java" for home in homes if home]
    candidates += [Path(found)] if (found := shutil.which("java")) else []
    for candidate in candidates:
        if candidate.exists():
            said = subprocess.run([candidate, "-version"], capture_output=True, text=True, check=False).stderr
            version = re.search(r'version "(\d+)', said)
            if version and int(version[1]) >= _OLDEST_JAVA:
                return candidate
    raise NotHereError(f"no Java {_OLDEST_JAVA} or newer is here (JAVA_HOME, the PATH and /usr/lib/jvm were looked at)")


def installed() -> Path:
    """Return the folder of the server, which is fetched where it isn't in the cache. Raises NotHereError."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    server = _CACHE / f"server-{VERSION}"
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not server.exists():
            archives = {name: _fetched(name, kind) for name, kind in _PARTS.items()}
            made = _CACHE / "unpacked"
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            subprocess.run(
                ["tar", "--extract", "--file", archives["trino-server-core"], "--directory", made], check=True
            )
            (root,) = made.iterdir()
            shutil.rmtree(root / "plugin")
            with zipfile.ZipFile(archives["trino-hive"]) as plugin:
                plugin.extractall(root / "plugin")
            root.rename(server)
            shutil.rmtree(made)
            shutil.rmtree(_CACHE / "maven")  # the archives are as large again
    return server


def _fetched(name: str, kind: str) -> Path:
    if not shutil.which("mvn"):
        raise NotHereError("mvn isn't on the PATH: Trino comes from Maven Central (apt-get install maven)")
    repository = _CACHE / "maven"
    said = subprocess.run(
        ["mvn", "-q", "-B", "dependency:get", "-Dtransitive=false", f"-Dmaven.repo.local={repository}", f"-Dartifact=io.trino:{name}:{VERSION}:{kind}"],
        capture_output=True, text=True, check=False, cwd=_CACHE,
    )  # fmt: skip
    if said.returncode:
        raise NotHereError(
            f"mvn could not get io.trino:{name}:{VERSION}:{kind}:\n{(said.stdout + said.stderr)[-1000:]}"
        )
    return repository / f"io/trino/{name}/{VERSION}/{name}-{VERSION}.{kind}"


class TrinoServer:
    """A server that takes moto's for AWS, in the same network."""

    def __init__(self, network: OwnNetwork, folder: Path, aws: str, region: str) -> None:
        self.address = f"{network.address}:{_PORT}"
        self._host = network.address
        settings = {
            "etc/config.properties": {
                "coordinator": "true",
                "node-scheduler.include-coordinator": "true",
                "http-server.http.port": str(_PORT),
                "discovery.uri": f"http://127.0.0.1:{_PORT}",
                "query.max-memory": "400MB",
                "query.max-memory-per-node": "400MB",
                "memory.heap-headroom-per-node": "200MB",
                "catalog.config-dir": str(folder / "etc/catalog"),
            },
            f"etc/catalog/{CATALOG}.properties": {
                "connector.name": "hive",
                "hive.metastore": "glue",
                "hive.metastore.glue.endpoint-url": aws,
                "hive.metastore.glue.region": region,
                "hive.metastore.glue.aws-access-key": "test",
                "hive.metastore.glue.aws-secret-key": "test",
                "fs.native-s3.enabled": "true",
                "s3.endpoint": aws,
                "s3.region": region,
                "s3.path-style-access": "true",
                "s3.aws-access-key": "test",
                "s3.aws-secret-key": "test",
                "hive.security": "allow-all",
                "hive.non-managed-table-writes-enabled": "true",
                "hive.partition-projection-enabled": "true",
                "hive.recursive-directories": "true",
                "hive.table-statistics-enabled": "false",
            },
        }
        for name, values in settings.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("".join(f"{key}={value}\n" for key, value in values.items()))
        self._log = folder / "trino.log"
        server = installed()
        node = {"node.environment": "test", "node.id": "test", "node.data-dir": str(folder / "data")}
        properties = {"config": str(folder / "etc/config.properties"), "plugin.dir": str(server / "plugin"), **node}
        with self._log.open("wb") as log:
            self._process = network.start(
                [
                    str(java()),
                    *_JVM,
                    *(f"-D{key}={value}" for key, value in properties.items()),
                    "-cp",
                    f"{server / 'lib'}/*",
                    "io.trino.server.TrinoServer",
                ],
                log=log,
                environment={"PATH": os.environ["PATH"], "HOME": str(folder)},
                folder=folder,
            )
        self._wait()

    def _wait(self) -> None:
        """Wait until it answers a query: it says that it is ready before that."""
        end = time.monotonic() + _SECONDS
        while True:
            try:
                self.query("SELECT node_id FROM system.runtime.nodes")
            except (trino.exceptions.Error, OSError):
                assert self._process.poll() is None, self.log()
                assert time.monotonic() < end, self.log()
                time.sleep(0.5)
            else:
                return

    def log(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-8000:]

    def query(self, sql: str, schema: str = "default") -> list[list[Any]]:
        """Run a query, and return its rows."""
        with self._cursor(schema) as cursor:
            cursor.execute(sql)
            return list(map(list, cursor.fetchall()))

    def bytes_read(self, sql: str, schema: str) -> int:
        """Run a query, and return how many bytes of files it read."""
        with self._cursor(schema) as cursor:
            cursor.execute(sql)
            cursor.fetchall()
            return int(cursor.stats["physicalInputBytes"])

    @contextmanager
    def _cursor(self, schema: str) -> Iterator[Any]:
        connect: Any = trino.dbapi.connect
        connection = connect(
            host=self._host, port=_PORT, user="test", catalog=CATALOG, schema=schema, http_scheme="http", max_attempts=1
        )
        yield connection.cursor()
