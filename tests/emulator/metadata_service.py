"""The instance metadata service (IMDS) of a notebook instance, versions 1 and 2.

Paths, statuses and limits follow the EC2 user guide, "Use instance metadata to manage your EC2 instance". On a notebook
instance the machine belongs to an account of AWS's own; only the credentials under the role's name are the customer's,
those of the session that SageMaker opened on the execution role.
"""

import asyncio
import hashlib
import json
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Any

from emulator.faults import Faults
from emulator.network import Addresses, Network

ROLE = "BaseNotebookInstanceEc2InstanceRole"
MACHINE_ACCOUNT = "999999999999"  # made up, as every identifier of the machine itself

# In the instance's folder: a wish for new credentials, and the access key ids of all that were given out.
RENEW = "renew-base-session"
BASE_SESSIONS = "base-sessions"

_TOKEN = "x-aws-ec2-metadata-token"
_TOKEN_LIFETIME = "x-aws-ec2-metadata-token-ttl-seconds"
_LONGEST_TOKEN_LIFETIME = 21600
# fmt: off
_VERSIONS = [
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01",
    "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05",
    "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24",
    "2019-10-01", "2020-10-27", "2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24", "latest",
]
# fmt: on

# A leaf is a text, or what makes it when it is asked for; a directory is the leaves and directories in it.
Leaf = str | Callable[[], Awaitable[str]]
Tree = dict[str, "Leaf | Tree"]


def _timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class _RefusedError(Exception):
    """The execution role doesn't let SageMaker open a session."""


class BaseSession:
    """The credentials of the session that SageMaker opens on the execution role, renewed half way to their end."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._renew, self._given = folder / RENEW, folder / BASE_SESSIONS
        self._lock = asyncio.Lock()
        self._document = ""
        self._renew_at = 0.0

    async def document(self) -> str:
        """The answer for the role's name. A refusal is an answer too, as the IAM user guide has it ("Troubleshoot IAM and Amazon EC2")."""
        async with self._lock:
            if time.time() >= self._renew_at or self._renew.exists():
                self._renew.unlink(missing_ok=True)
                try:
                    await self._open()
                except _RefusedError:
                    return _json(
                        Code="AssumeRoleUnauthorizedAccess",
                        Message=f"EC2 cannot assume the role {ROLE}. Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.",
                        LastUpdated=_timestamp(datetime.now(UTC)),
                    )
            return self._document

    async def _open(self) -> None:
        answer = await asyncio.to_thread(self._fetch)
        expiration = datetime.fromisoformat(answer["Expiration"])
        with self._given.open("a") as given:
            given.write(answer["AccessKeyId"] + "\n")
        now = datetime.now(UTC)
        self._document = _json(
            Code="Success",
            LastUpdated=_timestamp(now),
            Type="AWS-HMAC",
            AccessKeyId=answer["AccessKeyId"],
            SecretAccessKey=answer["SecretAccessKey"],
            Token=answer["SessionToken"],
            Expiration=_timestamp(expiration.astimezone(UTC)),
        )
        self._renew_at = (now.timestamp() + expiration.timestamp()) / 2

    def _fetch(self) -> dict[str, str]:
        # No proxy that this process' environment may name lies between the parts of the emulator.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self._url, timeout=30) as response:
                answer: dict[str, str] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.FORBIDDEN:
                raise _RefusedError(error.read().decode()) from error
            raise


def _json(**values: str | list[str] | None) -> str:
    return json.dumps(values, indent=2)


def tree(settings: dict[str, Any], addresses: Addresses, base_session: BaseSession) -> Tree:
    """All that the service of one instance knows."""
    region, arn = settings["region"], settings["arn"]
    digest = hashlib.sha256(arn.encode()).hexdigest()
    partition = arn.split(":")[1]
    started = datetime.now(UTC)
    instance_id, image_id = f"i-0{digest[:16]}", "ami-0a1b2c3d4e5f60718"
    hostname = f"{addresses.hostname}.{'ec2' if region == 'us-east-1' else f'{region}.compute'}.internal"

    async def machine_credentials() -> str:
        now = datetime.now(UTC)
        return _json(
            Code="Success",
            LastUpdated=_timestamp(now),
            Type="AWS-HMAC",
            AccessKeyId=f"ASIA{digest[:16].upper()}",
            SecretAccessKey=digest[:40],
            Token=digest,
            Expiration=_timestamp(datetime.fromtimestamp(now.timestamp() + 6 * 3600, UTC)),
        )

    return {
        "dynamic": {
            "instance-identity": {
                "document": _json(
                    accountId=MACHINE_ACCOUNT,
                    architecture="x86_64",
                    availabilityZone=f"{region}a",
                    billingProducts=None,
                    devpayProductCodes=None,
                    marketplaceProductCodes=None,
                    imageId=image_id,
                    instanceId=instance_id,
                    instanceType="t3.medium",
                    kernelId=None,
                    pendingTime=_timestamp(started),
                    privateIp=addresses.address,
                    ramdiskId=None,
                    region=region,
                    version="2017-09-30",
                )
            }
        },
        "meta-data": {
            "ami-id": image_id,
            "hostname": hostname,
            "iam": {
                "info": _json(
                    Code="Success",
                    LastUpdated=_timestamp(started),
                    InstanceProfileArn=f"arn:{partition}:iam::{MACHINE_ACCOUNT}:instance-profile/{ROLE}",
                    InstanceProfileId=f"AIPA{digest[16:33].upper()}",
                ),
                "security-credentials": {ROLE: base_session.document},
            },
            "identity-credentials": {
                "ec2": {
                    "info": _json(Code="Success", LastUpdated=_timestamp(started), AccountId=MACHINE_ACCOUNT),
                    "security-credentials": {"ec2-instance": machine_credentials},
                }
            },
            "instance-id": instance_id,
            "instance-type": "t3.medium",
            "local-hostname": hostname,
            "local-ipv4": addresses.address,
            "mac": addresses.mac,
            "network": {
                "interfaces": {
                    "macs": {
                        addresses.mac: {"device-number": "0", "local-ipv4s": addresses.address, "mac": addresses.mac}
                    }
                }
            },
            "placement": {"availability-zone": f"{region}a", "region": region},
            "services": {
                "domain": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
                "partition": partition,
            },
        },
    }


@dataclass
class Request:
    """What a client asks; its headers' names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Response:
    """What the service answers."""

    status: HTTPStatus
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def error(cls, status: HTTPStatus) -> "Response":
        """The page that goes with an error."""
        title = f"{status.value} - {status.phrase}"
        return cls(
            status,
            f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>",
            {"Content-Type": "text/html"},
        )


class MetadataService:
    """Answers one instance's requests."""

    def __init__(self, tree: Tree, *, token_required: bool, faults: Faults | None = None) -> None:
        self._tree = tree
        self._faults = faults
        self._token_required = token_required
        self._tokens: dict[str, float] = {}

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.method == "PUT":
            return self._give_token(request)
        if request.method not in ("GET", "HEAD"):
            return Response.error(HTTPStatus.METHOD_NOT_ALLOWED)
        token = request.headers.get(_TOKEN)
        if (token is None and self._token_required) or (token is not None and not self._is_valid(token)):
            return Response.error(HTTPStatus.UNAUTHORIZED)
        return await self._look_up(request.path)

    def _give_token(self, request: Request) -> Response:
        if request.path != "/latest/api/token" or "x-forwarded-for" in request.headers:
            return Response.error(HTTPStatus.FORBIDDEN)
        lifetime = request.headers.get(_TOKEN_LIFETIME, "")
        if not re.fullmatch(r"[0-9]{1,9}", lifetime) or not 1 <= int(lifetime) <= _LONGEST_TOKEN_LIFETIME:
            return Response.error(HTTPStatus.BAD_REQUEST)
        token = secrets.token_urlsafe(40) + "=="
        self._tokens[token] = time.monotonic() + int(lifetime)
        return Response(HTTPStatus.OK, token, {_TOKEN_LIFETIME: lifetime})

    def _is_valid(self, token: str) -> bool:
        return self._tokens.get(token, 0) > time.monotonic()

    async def _look_up(self, path: str) -> Response:
        version, _, rest = path.lstrip("/").partition("/")
        if not version:
            return Response(HTTPStatus.OK, "\n".join(_VERSIONS))
        if version not in _VERSIONS:
            return Response.error(HTTPStatus.NOT_FOUND)
        found: Leaf | Tree | None = self._tree
        for part in rest.rstrip("/").split("/") if rest else []:
            found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, dict):
            names = (name + "/" if isinstance(what, dict) else name for name, what in found.items())
            # The topmost list names its directories without a slash.
            return Response(HTTPStatus.OK, "\n".join(names if rest else found))
        if found is None or path.endswith("/"):
            return Response.error(HTTPStatus.NOT_FOUND)
        return Response(HTTPStatus.OK, found if isinstance(found, str) else await found())

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, request after request."""
        try:
            while request := await _read(reader):
                fault = self._faults.of("metadata") if self._faults else None
                if fault and re.match(fault.path, request.path):
                    await asyncio.sleep(fault.wait)
                    if fault.answer is not None:
                        await fault.write(writer)
                        break
                response = await self.answer(request)
                _write(writer, request, response)
                await writer.drain()
                if request.headers.get("connection", "").lower() == "close":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client's own fault, and it is gone or not to be understood
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target.partition("?")[0], headers)


def _write(writer: asyncio.StreamWriter, request: Request, response: Response) -> None:
    body = response.body.encode()
    headers = {
        "Content-Type": "text/plain",
        "Accept-Ranges": "none",
        "Content-Length": str(len(body)),
        "Date": formatdate(usegmt=True),
        "Server": "EC2ws",
    } | response.headers
    lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if request.method == "HEAD" else body))


async def serve(network: Network, settings: dict[str, Any], base_session: BaseSession, faults: Faults) -> None:
    """Start to answer on the instance's network, wherever its layout has the service."""
    service = MetadataService(
        tree(settings, network.addresses, base_session),
        token_required=settings["minimum_instance_metadata_service_version"] == "2",
        faults=faults,
    )
    for listener in network.metadata_listeners():
        await asyncio.start_server(service.handle, sock=listener)
