"""The recorder: every call that LocalStack answers becomes a CloudTrail record."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any, cast

from localstack.aws import handlers
from localstack.aws.api import RequestContext
from localstack.runtime.shutdown import SHUTDOWN_HANDLERS
from localstack.services.edge import ROUTER
from rolo import Response
from rolo.gateway import HandlerChain

from .cloudtrail_log import CloudTrailLog
from .cloudtrail_records import records_of
from .enforcement import caller_of
from .lookup_events import CloudTrailProvider
from .providers import provide

_SECONDS_BETWEEN_FILES = 5.0
_LOG = logging.getLogger(__name__)


def register() -> None:
    """Have LocalStack record its calls, and answer for CloudTrail; call this before its `main`."""
    log = CloudTrailLog(Path(os.environ["EMULATOR_FOLDER"]) / "cloudtrail")
    handlers.run_custom_finalizers.append(Recorder(log))
    provider = CloudTrailProvider(
        log, requests_per_second=int(os.environ.get("EMULATOR_LOOKUP_EVENTS_PER_SECOND", "2"))
    )
    provide(provider)

    def flush(request: Any) -> Response:
        log.flush()
        return Response(status=204)

    ROUTER.add("/_emulator/cloudtrail/flush", cast(Any, flush), methods=["POST"])
    ended = threading.Event()

    def end() -> None:
        ended.set()
        log.flush()

    def flush_now_and_then() -> None:
        while not ended.wait(_SECONDS_BETWEEN_FILES):
            log.flush()

    threading.Thread(target=flush_now_and_then, daemon=True).start()
    SHUTDOWN_HANDLERS.register(end)


def _was_broken_off(context: RequestContext) -> bool:
    """Return whether the client ended before its request was read, as with an instance that is stopped: no service got it."""
    error = context.service_exception
    return error is not None and error.message.endswith(": I/O operation on closed file.")


class Recorder:
    """The handler that comes last, whatever the answer was."""

    def __init__(self, log: CloudTrailLog) -> None:
        self._log = log

    def __call__(self, chain: HandlerChain[Any], context: RequestContext, response: Response) -> None:
        """Record the call, unless LocalStack called itself, or nobody knows who called, as on AWS."""
        caller = caller_of(context)
        if caller is None or not context.operation or _was_broken_off(context):
            return
        try:
            self._log.append(records_of(context, response, caller))
        except Exception:
            # The client has its answer by now: all that is left is to say so where a developer looks.
            _LOG.exception("no record was made of %s", context.operation.name)
