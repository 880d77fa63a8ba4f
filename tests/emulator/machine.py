"""The processes of one notebook instance: its first one, and the way into it for others."""

import os
import signal
import traceback
from typing import NoReturn

from emulator import filesystem, kernel
from emulator.network import Network

# What root may do on an instance but not here, where it would be this machine's kernel that root does it to.
_WITHHELD = "sys_admin sys_module sys_rawio sys_boot sys_time mknod mac_admin mac_override syslog audit_control"


class Machine:
    """A running instance. Its processes and mounts end with it, and it ends with the process that started it."""

    def __init__(self, instance: filesystem.Instance, network: Network) -> None:
        ready, tell = os.pipe()
        wait, go = os.pipe()
        own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        kernel.unshare(kernel.CLONE_NEWPID)  # the next child is the first process of a new namespace
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _be_first_process(instance, network, tell, wait)
        finally:
            kernel.setns(own, kernel.CLONE_NEWPID)
            os.close(own)
        os.close(tell)
        os.close(wait)
        os.write(go, b"1")
        os.close(go)
        with os.fdopen(ready) as answer:
            problem = answer.read()
        if problem != "ready":
            self.end()
            raise filesystem.UnsuitableMachineError(problem.strip() or "the instance's first process ended at once")

    def end(self) -> None:
        """End it at once, as a power cut does; the kernel ends all that ran in it."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def _be_first_process(instance: filesystem.Instance, network: Network, tell: int, wait: int) -> NoReturn:
    """Become the instance's process 1; never returns."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if os.read(wait, 1) != b"1":  # the parent ended before the kernel knew of the wish
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGCHLD})
        kernel.setns(network.instance, kernel.CLONE_NEWNET)
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC)
        os.umask(0o022)
        filesystem.enter(instance)
        os.setsid()
        _close_all_but(tell)
        os.write(tell, b"ready")
        os.close(tell)
    except filesystem.UnsuitableMachineError as error:
        os.write(tell, str(error).encode())
        os._exit(1)
    except BaseException:  # a forked copy must not go on as its original
        os.write(tell, traceback.format_exc().encode())
        os._exit(1)
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def _close_all_but(kept: int) -> None:
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))


def entry(pid: int, user: str = "root", *, withhold: bool = True) -> list[str]:
    """The command, to put before another, that runs it in the instance whose first process is given."""
    enter = ["nsenter", f"--target={pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--"]
    become = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user != "root" else []
    withheld = ",".join(f"-{capability}" for capability in _WITHHELD.split())
    bound = [f"--bounding-set={withheld}"] if withhold else []
    # The command ends when whoever asked for it has given up and ended nsenter.
    return [*enter, "setpriv", *become, *bound, "--pdeathsig=KILL", "--"]
