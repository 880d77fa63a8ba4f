"""The process that becomes LocalStack: registers this project's parts, then runs LocalStack's own main.

It ends when its standard input does, so that it never outlives the process that started it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time

from emulator import cloudtrail, enforcement, from_moto, sagemaker
from localstack.aws import handlers
from localstack.aws.api import RequestContext
from localstack.aws.handlers.region import DefaultRegionRewriterStrategy
from localstack.runtime.main import main
from localstack.utils.aws.arns import get_partition

_STOP_SECONDS = 10.0
# Python's own would look through all of LocalStack for garbage again and again, of which there is little.
_GARBAGE = (50_000, 50, 1000)


class _AnyPartition(DefaultRegionRewriterStrategy):
    """Leaves the regions of China and GovCloud as they are."""

    def apply(self, context: RequestContext) -> None:
        if get_partition(context.region) == "aws":
            super().apply(context)


def _end_with_standard_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    # LocalStack 4.13 can miss its own word to its reactor, and would then stay.
    time.sleep(_STOP_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    gc.set_threshold(*_GARBAGE)
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    handlers.rewrite_region.region_rewriter_strategy = _AnyPartition()
    enforcement.register()
    cloudtrail.register()
    sagemaker.register()
    from_moto.register()
    main()  # type: ignore[no-untyped-call]
