"""The metadata service as a client on a notebook instance sees it, through curl."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator import agent
from emulator.notebook_instance import NotebookInstance

IPV4, IPV6 = "http://169.254.169.254", "http://[fd00:ec2::254]"
AGENT = tuple(f"http://{address}:{agent.PORT}" for address in (agent.ADDRESS, agent.OTHER_ADDRESS))
CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
LISTED_ROLE = "BaseNotebookInstanceEc2InstanceRole"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"


@dataclass(frozen=True)
class Answer:
    """What curl got: the status, or 0 where there was no answer, and the body."""

    status: int
    body: str


def services(notebook: NotebookInstance) -> tuple[str, ...]:
    """Return where root finds the metadata service: in SageMaker's layout there is none over IPv6.

    In the imds mode all others get an answer over IPv4 alone, the proxy's.
    """
    return (IPV4,) if notebook.layout == "agent" else (IPV4, IPV6)


def ways_around(notebook: NotebookInstance) -> tuple[str, ...]:
    """Return where the base session is to be had beside the metadata service's address."""
    return AGENT if notebook.layout == "agent" else ()


def ask(
    notebook: NotebookInstance,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    service: str = IPV4,
    options: tuple[str, ...] = (),
    user: str = "ec2-user",
    timeout: int = 5,
) -> Answer:
    """Make one request, with the path as it stands."""
    lines = [part for name, value in (headers or {}).items() for part in ("--header", f"{name}: {value}")]
    curl = ["curl", "--silent", "--globoff", "--path-as-is", "--noproxy", "*", "--write-out", "\n%{http_code}"]
    asked = ["--max-time", str(timeout), "--request", method, *lines, *options, service + path]
    done = notebook.run([*curl, *asked], user=user)
    body, _, status = done.stdout.rpartition("\n")
    return Answer(int(status), body)


def token(notebook: NotebookInstance, *, user: str = "ec2-user", service: str = IPV4, ttl: int = 60) -> str:
    """Get a token."""
    answer = ask(notebook, "/latest/api/token", method="PUT", headers={TTL: str(ttl)}, user=user, service=service)
    assert answer.status == 200, answer
    return answer.body


def get(
    notebook: NotebookInstance, path: str, *, user: str = "ec2-user", service: str = IPV4, **options: Any
) -> Answer:
    """Ask with a token."""
    given = token(notebook, user=user, service=service)
    return ask(notebook, path, headers={TOKEN: given}, user=user, service=service, **options)


def credentials(notebook: NotebookInstance, *, user: str = "ec2-user", service: str = IPV4) -> dict[str, str]:
    """Take the credentials that the service hands out, as clients do."""
    role = get(notebook, CREDENTIALS, user=user, service=service)
    assert role.status == 200, role
    answer = get(notebook, CREDENTIALS + role.body, user=user, service=service)
    assert answer.status == 200, answer
    document: dict[str, str] = json.loads(answer.body)
    return document


def session_of(notebook: NotebookInstance, document: Mapping[str, str]) -> str:
    """Return the name of the session that the credentials are of, as STS tells it."""
    given = {
        "AccessKeyId": document["AccessKeyId"],
        "SecretAccessKey": document["SecretAccessKey"],
        "SessionToken": document["Token"],
    }
    arn = notebook.emulator.session_client("sts", given).get_caller_identity()["Arn"]
    return str(arn).rpartition("/")[2]
