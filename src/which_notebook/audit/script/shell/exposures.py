"""What exposes a notebook instance to its user: rights of root, and the imds mode's proxy and firewall.

These make findings of their own. What isn't among them is no less doubted.
"""

from __future__ import annotations

import re

from .words import Word

_ROOT_GROUPS = "root|wheel|sudo|admin|docker|lxd|libvirt|disk|shadow|kmem"
_PROXY = "imds-proxy|notebook-attribution"
_FILES = (
    ("sudoers", r"/etc/sudoers(\.d/.*)?", "it changes what sudo lets users do"),
    ("root-group", "/etc/(group|gshadow|passwd|shadow)", "it changes the users and groups"),
    ("proxy", rf"/usr/local/lib/notebook-attribution.*|/etc/systemd/system/.*({_PROXY}).*", "it changes the proxy"),
    (
        "firewall",
        "/etc/(nftables.*|iptables.*|firewalld/.*|sysconfig/(ip6?tables|nftables).*)",
        "it changes the firewall",
    ),
    ("firewall", "/proc/sys/net/.*|/etc/sysctl.*", "it changes the kernel's network settings"),
)
_COMMANDS = (
    ("sudoers", r"visudo\b.*|.*\s/etc/sudoers(\.d/\S*)?(\s.*)?", "it changes what sudo lets users do"),
    ("root-group", rf"(usermod|gpasswd|adduser|addgroup|groupmems|useradd)\b.*\b({_ROOT_GROUPS})\b.*", "it makes a user one of a group that gives root"),
    ("root-group", "(passwd|chpasswd|usermod -o|newusers|vipw|vigr)\\b.*", "it changes the users and groups"),
    ("setuid", r"chmod\b.*\s([ugoa]*[+=][rwxXt]*s\S*|0?[2-7][0-7]{3})(\s.*)?|chmod [2-7][0-7]{3} .*|setcap\b.*|install\b.*\s(-m|--mode=?)\s*[ugoa+=rwx]*(s|0?[2-7][0-7]{3}).*", "it gives a program rights of root"),
    ("proxy", rf"(pkill|kill|killall|systemctl|service|rm|mv|chmod|chown|cp|sed|perl|truncate|mount|umount)\b.*({_PROXY}).*", "it changes or ends the proxy"),
    ("proxy", r"(pkill|killall)\b.*\bpython.*", "it may end the proxy"),
    ("firewall", r"(iptables|ip6tables|iptables-\w+|ip6tables-\w+|nft|ebtables|ipset|firewall-cmd|ufw|tc|route|sysctl)\b.*", "it changes the firewall or the network"),
    ("firewall", r"ip\s+(-\S+\s+)*(rule|r|ro|route|a|addr|address|l|link|n|neigh|netns|tunnel|tuntap|xfrm|vrf)\b.*", "it changes the network"),
    ("firewall", r"(systemctl|service|chkconfig)\b.*\b(nftables|iptables|ip6tables|firewalld|ufw)\b.*", "it starts or stops what changes the firewall"),
)  # fmt: skip


# Where root finds the base session's credentials in imds mode: the metadata service under any of its names, and the
# memory and environment of processes.
_OF_CREDENTIALS = re.compile(
    r"169\.254|a9fea9fe|2852039166|0251\.0376|fd00:0?ec2|security-credentials|instance-data|meta-data|latest/api/token"
    r"|\benviron\b|/proc/(?!cpuinfo|meminfo|loadavg|uptime|version|mounts|sys/)|(?:^|\s)/[^/\s]*[*?\[{]",
    re.IGNORECASE,
)
_ADVISED = "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.255.254:254"


def names_credentials(text: str) -> bool:
    """Return whether a text names where the base session's credentials can be found."""
    return bool(_OF_CREDENTIALS.search(text.replace(_ADVISED, "")))


def exposed_by_file(path: str) -> tuple[str, str] | None:
    """Return what writing a file exposes: a code and the words for it."""
    return next(((code, f"{what}: {path}") for code, form, what in _FILES if re.fullmatch(form, path)), None)


def exposed_by_command(words: list[Word]) -> tuple[str, str] | None:
    """Return what a command that isn't known to be harmless exposes: a code and the words for it."""
    line = " ".join(word.text for word in words)
    shown = re.sub("\x01([a-z]+)\x01", r"<\1>", line)[:80]
    return next(
        ((code, f"{what}: {shown}") for code, form, what in _COMMANDS if re.fullmatch(form, line, re.DOTALL)), None
    )
