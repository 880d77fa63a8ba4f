"""What an attack is, and on which notebook instances it is tried.

An attack is what ec2-user runs, on the tools of tools.sh. Credentials that it prints are then used, and the calls judged
(outcome.py). Where an attack is no way to credentials, it prints WENT THROUGH if it got what it should not.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.needs import skip_or_fail
from notebooks import OwnNotebook

from .outcome import NO_PROXY, Trial

Attack = Callable[[Trial], str]


def script(text: str) -> Attack:
    """Let the user run it."""
    return lambda trial: trial.outcome(trial.scene.run(text))


def on_the_proxy(attack: Attack) -> Attack:
    """Try it only where there is a proxy."""
    return lambda trial: NO_PROXY if trial.scene.mode == "profile" else attack(trial)


def with_user_namespaces(attack: Attack) -> Attack:
    """Try it where the kernel lets users have namespaces, which rootless Docker needs."""

    def with_them(trial: Trial) -> str:
        if trial.scene.notebook.run(["unshare", "--user", "--map-root-user", "--net", "true"]).returncode:
            skip_or_fail("needs user namespaces without root (sysctl kernel.apparmor_restrict_unprivileged_userns=0)")
        return attack(trial)

    return with_them


def on_a_new_instance(attack: Callable[[Trial, OwnNotebook], str]) -> Attack:
    """Try it on a notebook instance that hasn't run the script yet."""

    def on_new(trial: Trial) -> str:
        with trial.scene.own_notebook() as notebook:
            return attack(trial, notebook)

    return on_new


def start(notebook: OwnNotebook) -> None:
    """Run the on-start script, which has to succeed."""
    done = notebook.run_on_start()
    assert done.returncode == 0, done.stderr
