"""The few Linux system calls that Python 3.11 has no function for."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
# The same number on every architecture, as for each system call since Linux 5.1; glibc has a function only since 2.36.
_SYS_MOUNT_SETATTR = 442
_SYS_OPENAT2 = 437
_RESOLVE_IN_ROOT = 0x10

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> int:
    answer: int = getattr(_libc, name)(*arguments)
    if answer == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return answer


def unshare(flags: int) -> None:
    """Leave the namespaces that the flags name for new ones."""
    _call("unshare", flags)


def setns(descriptor: int, kind: int) -> None:
    """Enter the namespace that the descriptor stands for."""
    _call("setns", descriptor, kind)


@contextmanager
def as_file_user(user: int) -> Iterator[None]:
    """Let what this thread opens meanwhile, sockets too, belong to a user."""
    _libc.setfsuid(user)
    try:
        yield
    finally:
        _libc.setfsuid(0)


def sethostname(name: str) -> None:
    """Set the host's name in the present UTS namespace."""
    encoded = name.encode()
    _call("sethostname", encoded, ctypes.c_size_t(len(encoded)))


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this process a signal when the thread that forked it ends."""
    _call("prctl", _PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0)


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """Mount, or change a mount."""
    try:
        _call(
            "mount",
            source.encode(),
            target.encode(),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            options.encode() if options else None,
        )
    except OSError as error:
        raise OSError(error.errno, f"mount {kind or source} on {target}: {os.strerror(error.errno or 0)}") from error


def make_read_only(target: str) -> None:
    """Let nobody write to a mount and what is mounted below it, nor gain rights from it; mount_setattr(2)."""
    attributes = struct.pack("4Q", MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    _call(
        "syscall",
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        _AT_FDCWD,
        target.encode(),
        _AT_RECURSIVE,
        attributes,
        ctypes.c_size_t(len(attributes)),
    )


def open_below(root: str, path: str, flags: int) -> int:
    """Open a path as a process with that root would, whatever links are on the way; openat2(2).

    Not what hangs on who asks, such as /proc/self.
    """
    folder = os.open(root, os.O_PATH | os.O_CLOEXEC)
    how = struct.pack("3Q", flags | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
    try:
        while True:
            try:
                return _call(
                    "syscall", ctypes.c_long(_SYS_OPENAT2), folder, path.encode(), how, ctypes.c_size_t(len(how))
                )
            except BlockingIOError:
                continue  # a folder on the way was renamed meanwhile
            except OSError as error:
                raise OSError(error.errno, os.strerror(error.errno or 0), path) from error
    finally:
        os.close(folder)


def switch_root(new_root: str) -> None:
    """Make a mount the root of this mount namespace and let go of the old root; pivot_root(2), the part on "."."""
    os.chdir(new_root)
    _call("pivot_root", b".", b".")
    _call("umount2", b".", _MNT_DETACH)
    os.chdir("/")
