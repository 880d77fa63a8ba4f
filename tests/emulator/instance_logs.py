"""The logs of a notebook instance in CloudWatch Logs, written as on AWS: in the base session, by the role's permissions.

Group `/aws/sagemaker/NotebookInstances`, streams `NAME/jupyter.log` and, of a lifecycle script,
`NAME/LifecycleConfigOnStart` (SageMaker's developer guide, "Log groups and streams"). Where the role may not write there,
the start goes on and there is no log; that the calls are these three, that a stream which is there is created anew at each
start, and when they are made, is made up.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from emulator.metadata_service import BaseSession

GROUP = "/aws/sagemaker/NotebookInstances"
_MOST_LINES = 1000  # well within what PutLogEvents takes


JUPYTER = "jupyter.log"


def stream(name: str, log: str) -> str:
    """Return the name of a log's stream: of `jupyter.log`, or `LifecycleConfigOnStart`."""
    return f"{name}/{log}"


class Client:
    """Writes the logs of one instance, from its address."""

    def __init__(self, settings: dict[str, Any], base_session: BaseSession, source: str) -> None:
        self._name, self._region = settings["name"], settings["region"]
        self._endpoint = urlsplit(settings["endpoint_url"])
        self._base_session = base_session
        self._source = source

    async def put(self, log: str, text: str) -> None:
        """Write what was printed; where that is refused, say so on standard error."""
        session = json.loads(await self._base_session.document())
        if session["Code"] != "Success":
            return
        credentials = Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["Token"])
        where = {"logGroupName": GROUP, "logStreamName": stream(self._name, log)}
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in text.splitlines() if line][-_MOST_LINES:]
        calls: list[tuple[str, dict[str, Any]]] = [
            ("CreateLogGroup", {"logGroupName": GROUP}),
            ("CreateLogStream", where),
            *([("PutLogEvents", {**where, "logEvents": events})] if events else []),
        ]
        for operation, parameters in calls:
            status, said = await asyncio.to_thread(self._call, credentials, operation, parameters)
            if status != HTTPStatus.OK and "ResourceAlreadyExistsException" not in said:
                print(f"{log} of {self._name}: {operation}: {said}", file=sys.stderr, flush=True)
                if operation != "CreateLogGroup":  # which may be there already
                    return

    def _call(self, credentials: Credentials, operation: str, parameters: dict[str, Any]) -> tuple[int, str]:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Host": f"logs.{self._region}.amazonaws.com",
            "X-Amz-Target": f"Logs_20140328.{operation}",
            "User-Agent": "sagemaker-notebook-instance",
        }
        request = AWSRequest("POST", f"https://{headers['Host']}/", headers, json.dumps(parameters))
        SigV4Auth(credentials, "logs", self._region).add_auth(request)
        connection = http.client.HTTPConnection(
            self._endpoint.hostname or "127.0.0.1", self._endpoint.port, timeout=30, source_address=(self._source, 0)
        )
        try:
            connection.request("POST", "/", request.data, dict(request.headers))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()
