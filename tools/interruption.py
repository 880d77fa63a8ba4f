"""Has signals end a tool as Ctrl-C does, so that what it started is stopped."""

from __future__ import annotations

import signal
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_on_signals() -> None:
    """Make each of them a KeyboardInterrupt, once: what comes while all is being stopped changes nothing."""
    for each in _SIGNALS:
        signal.signal(each, _interrupted)


def _interrupted(*_: object) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
