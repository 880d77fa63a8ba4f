"""The clients in languages that are compiled: where each stands and how it is built, into its folder's `build`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .catalogue import BUCKET, Client

_HERE = Path(__file__).resolve().parent
_MAVEN = ["mvn", "-q", "-B", "compile", "dependency:copy-dependencies", "-DoutputDirectory=build/lib"]


@dataclass(frozen=True)
class BuiltClient:
    """A client and what builds it."""

    client: Client
    folder: Path
    build: Sequence[str]


def _written(file: str, pattern: str) -> Callable[[], str]:
    """Return the version that a file of the client's pins."""

    def version() -> str:
        found = re.search(pattern, (_HERE / file).read_text())
        assert found, f"{file} has no {pattern}"
        return found[1]

    return version


def _java(name: str, folder: str, version: Callable[[], str]) -> BuiltClient:
    path = f"{_HERE / folder / 'build' / 'classes'}:{_HERE / folder / 'build' / 'lib'}/*"
    # The JVM brings authorities of its own; the instance's stand in this bundle.
    command = f"""
set -e
keytool -importcert -noprompt -alias emulated -storepass changeit -keystore /tmp/trusted-$$ -file /etc/ssl/certs/ca-certificates.crt
java -Djavax.net.ssl.trustStore=/tmp/trusted-$$ -Djavax.net.ssl.trustStorePassword=changeit -cp '{path}' ListBucket {BUCKET}
"""
    return BuiltClient(Client(name, ["bash", "-c", command], version), _HERE / folder, _MAVEN)


BUILT = [
    BuiltClient(
        Client(
            "SDK for Go v2",
            [str(_HERE / "go" / "build" / "list-bucket"), BUCKET],
            _written("go/go.mod", r"aws-sdk-go-v2/service/s3 v(\S+)"),
        ),
        _HERE / "go",
        ["go", "build", "-o", "build/list-bucket", "."],
    ),
    _java(
        "SDK for Java v2 (with sts)",
        "java",
        _written("java/pom.xml", r"<artifactId>bom</artifactId>\s*<version>(.+?)<"),
    ),
    BuiltClient(
        Client(
            "SDK for Rust",
            [str(_HERE / "rust" / "build" / "debug" / "list-bucket"), BUCKET],
            _written("rust/Cargo.lock", r'name = "aws-sdk-s3"\nversion = "(.+?)"'),
        ),
        _HERE / "rust",
        ["cargo", "build", "--quiet", "--locked", "--target-dir", "build"],
    ),
    _java("Hadoop s3a", "hadoop", _written("hadoop/pom.xml", r"<hadoop.version>(.+?)<")),
]
