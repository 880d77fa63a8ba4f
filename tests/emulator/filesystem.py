"""The file system of one notebook instance: this machine's, with everything written kept in memory.

The instance's root is an overlay over this machine's root, its upper layer a tmpfs in the instance's own mount
namespace. Root in the instance can write anywhere, and nothing of it reaches the real files. The one exception is
/home/ec2-user/SageMaker, a folder of the emulator's, as the real one is a volume that outlasts a stop.
"""

import fcntl
import json
import os
import shlex
import shutil
import stat
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emulator import agent, kernel
from emulator.network import RESOLVER, Addresses

USER = "ec2-user"
USER_ID = 1000
HOME = f"/home/{USER}"
CLONE = Path(__file__).resolve().parents[2]

# On Amazon Linux 2023, and where Debian keeps it.
CA_BUNDLES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")

_ASSEMBLY = "/proc"  # nothing that the instance is made from lies in it
_ROOT = f"{_ASSEMBLY}/root"
_HOME_SIZE = "64m"  # small enough for a test to fill

# What an instance has for itself, empty; and what programs expect of each directory's mode.
_EMPTY = {
    "/home": "0755",
    HOME: "0700",
    "/root": "0700",
    "/tmp": "1777",
    "/var/tmp": "1777",
    "/var/log": "0755",
    "/run": "0755",
    "/opt/ml": "0755",
    "/etc/profile.d": "0755",
}

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_SEPARATE_FILE_SYSTEMS = ("/usr", "/usr/local", "/etc", "/var", "/opt", "/lib", "/lib64", "/bin", "/sbin")

_FS_IOC_GETFLAGS = 0x80086601

_PROFILE = """\
if [ "${EUID:-$(id -u)}" = 0 ]; then
  PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
else
  PATH=/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin:/bin:/sbin
fi
export PATH
for file in /etc/profile.d/*.sh; do
  if [ -r "$file" ]; then . "$file"; fi
done
unset file
"""

# What the emulator's own packages bring along. boto3 has neither by itself, but loads both where they are, which takes a
# third of a client's time.
_NOT_BOTO3S = ("awscrt", "OpenSSL")


class UnsuitableMachineError(OSError):
    """The machine lacks something that an instance needs."""


@dataclass(frozen=True)
class Instance:
    """What of a notebook instance shows in its files."""

    name: str
    arn: str
    volume: Path
    root_access: bool
    addresses: Addresses
    ca_certificate: str


def programs() -> list[str]:
    """The folders of the clone, this Python and Node: an instance sees them at their own paths, read-only."""
    folders = {str(CLONE), sys.prefix, sys.base_prefix}
    if node := shutil.which("node"):
        folders.add(str(Path(node).resolve().parents[1]))
    folders = {os.path.realpath(folder) for folder in folders}
    return [
        folder
        for folder in sorted(folders)
        if folder not in ("/", "/usr", "/usr/local") and not any(folder.startswith(f"{other}/") for other in folders)
    ]


def enter(instance: Instance) -> None:
    """Make this process' root the instance's. Its mount namespace has to be new, as its PID and network namespaces."""
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _ASSEMBLY, "tmpfs", options="mode=0755")
    _overlay("/")
    for directory in _SEPARATE_FILE_SYSTEMS:
        if os.path.ismount(directory) and not os.path.islink(directory):
            _overlay(directory)
    for directory, mode in _EMPTY.items():
        size = f",size={_HOME_SIZE}" if directory == HOME else ""
        _mount_new("tmpfs", directory, options=f"mode={mode}{size}", flags=kernel.MS_NODEV)
    _show(programs())
    _hide(CLONE / ".cache")  # where the demo and the tests keep the emulated account
    for package in _NOT_BOTO3S:
        _hide(Path(sysconfig.get_path("platlib"), package))
    _mount_devices()
    _mount_volume(instance.volume)
    _mount_new("proc", "/proc")
    _mount_new("sysfs", "/sys", flags=kernel.MS_RDONLY)
    kernel.switch_root(_ROOT)

    _protect_kernel_settings()
    _require_immutable_files()
    _add_user(instance.root_access)
    _describe_network(instance.addresses)
    _trust(instance.ca_certificate)
    _write("/etc/profile", _PROFILE)
    # Not the clone's own script, whose first line breaks where its path has a space.
    _write("/usr/local/bin/aws", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m awscli "$@"\n', 0o755)
    _write(
        "/opt/ml/metadata/resource-metadata.json",
        json.dumps({"ResourceArn": instance.arn, "ResourceName": instance.name}),
    )


def _overlay(directory: str) -> None:
    layers = f"{_ASSEMBLY}/layers{directory.replace('/', '-')}"
    upper, work, target = f"{layers}/upper", f"{layers}/work", f"{_ROOT}{directory}".rstrip("/")
    for folder in (upper, work, target):
        os.makedirs(folder, exist_ok=True)
    os.chmod(upper, 0o755)  # noqa: S103 - as a root directory is
    kernel.mount("overlay", target, "overlay", options=f"lowerdir={directory},upperdir={upper},workdir={work}")


def _mount_new(kind: str, directory: str, options: str | None = None, flags: int = 0) -> None:
    os.makedirs(_ROOT + directory, exist_ok=True)
    kernel.mount(kind, _ROOT + directory, kind, flags | kernel.MS_NOSUID, options)


def _show(folders: Iterable[str]) -> None:
    for folder in folders:
        os.makedirs(_ROOT + folder, exist_ok=True)
        for parent in Path(folder).parents:
            mode = os.stat(f"{_ROOT}{parent}").st_mode
            if not mode & 0o001:
                os.chmod(f"{_ROOT}{parent}", mode & 0o7777 | 0o011)  # noqa: S103 - to be passed through, not listed
        kernel.mount(folder, _ROOT + folder, flags=kernel.MS_BIND | kernel.MS_REC)
        kernel.make_read_only(_ROOT + folder)


def _hide(folder: Path) -> None:
    if folder.is_dir():
        _mount_new("tmpfs", str(folder), options="mode=0755")


def _mount_devices() -> None:
    _mount_new("tmpfs", "/dev", options="mode=0755")
    dev = Path(_ROOT, "dev")
    # Nodes of its own: this machine's would change with what the instance's root does to their mode and owner.
    for name in _DEVICES:
        os.mknod(dev / name, stat.S_IFCHR, os.stat(f"/dev/{name}").st_rdev)
        os.chmod(dev / name, 0o666)  # noqa: S103 - as they are everywhere
    _mount_new("devpts", "/dev/pts", options="newinstance,ptmxmode=0666,mode=0620,gid=5")
    _mount_new("tmpfs", "/dev/shm", options="mode=1777")
    (dev / "ptmx").symlink_to("pts/ptmx")
    (dev / "fd").symlink_to("/proc/self/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (dev / name).symlink_to(f"/proc/self/fd/{number}")


def _mount_volume(volume: Path) -> None:
    target = f"{_ROOT}{HOME}/SageMaker"
    os.mkdir(target)
    kernel.mount(str(volume), target, flags=kernel.MS_BIND)


def _protect_kernel_settings() -> None:
    """Keep what isn't the instance's own from its root: all of the kernel's settings but the network's."""
    protected = [path for path in ("/proc/sys", "/proc/sysrq-trigger") if os.path.exists(path)]
    for path in (*protected, "/proc/sys/net"):
        kernel.mount(path, path, flags=kernel.MS_BIND)
    for path in protected:
        kernel.mount("none", path, flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY)


def _require_immutable_files() -> None:
    descriptor = os.open(HOME, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, bytes(8))
    except OSError as error:
        raise UnsuitableMachineError(
            f"Linux {os.uname().release} has no immutable files (chattr +i) on a tmpfs: a notebook instance needs Linux 6.0 or newer"
        ) from error
    finally:
        os.close(descriptor)


def _write(path: str, text: str, mode: int = 0o644) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(path).unlink(missing_ok=True)
    Path(path).write_text(text)
    os.chmod(path, mode)


def _replace_entry(path: str, entry: str, number: int | None, mode: int = 0o644) -> None:
    """Add a user's or a group's line, in the place of any with its name or number."""
    name = entry.partition(":")[0]
    others = [
        line
        for line in Path(path).read_text().splitlines()
        if line.split(":")[0] != name and (number is None or line.split(":")[2] != str(number))
    ]
    _write(path, "\n".join([*others, entry, ""]), mode)


def _add_user(root_access: bool) -> None:
    _replace_entry("/etc/passwd", f"{USER}:x:{USER_ID}:{USER_ID}:EC2 Default User:{HOME}:/bin/bash", USER_ID)
    _replace_entry("/etc/group", f"{USER}:x:{USER_ID}:", USER_ID)
    _replace_entry("/etc/shadow", f"{USER}:!:20000:0:99999:7:::", None, 0o640)
    os.chown(HOME, USER_ID, USER_ID)
    os.chown(f"{HOME}/SageMaker", USER_ID, USER_ID)
    sudoers = f"/etc/sudoers.d/90-{USER}"
    Path(sudoers).unlink(missing_ok=True)
    if root_access and shutil.which("sudo"):
        _write(sudoers, f"{USER} ALL=(ALL) NOPASSWD:ALL\n", 0o440)


def _describe_network(addresses: Addresses) -> None:
    kernel.sethostname(addresses.hostname)
    _write("/etc/hostname", f"{addresses.hostname}\n")
    _write("/etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n{addresses.address} {addresses.hostname}\n")
    _write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")
    _write("/etc/iproute2/rt_tables.d/agent.conf", f"{agent.ROUTING_TABLE_NUMBER} {agent.ROUTING_TABLE}\n")


def ca_environment() -> dict[str, str]:
    """The variables by which clients that bring a bundle of their own use the instance's."""
    names = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
    return dict.fromkeys(names, CA_BUNDLES[0])


def _trust(certificate: str) -> None:
    for bundle in CA_BUNDLES:
        _write(bundle, certificate)
    _write("/etc/environment", "".join(f"{name}={value}\n" for name, value in ca_environment().items()))
