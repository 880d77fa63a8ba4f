"""When something is wrong at boot: one line with the cause and the repair, and no start; or what the docs promise."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from account import Account
from emulator.notebook_instance import NotebookInstance
from failed_start import hide, refusal, show_again
from on_start_script import with_settings

from .caller import caller, session_name

METADATA = "/opt/ml/metadata/resource-metadata.json"
CONFIG = "/home/ec2-user/.aws/config"


def metadata(notebook: NotebookInstance, **changes: object) -> str:
    return json.dumps(json.loads(notebook.read(METADATA)) | changes)


@pytest.fixture(scope="module")
def unstarted_for_all(account: Account) -> Iterator[NotebookInstance]:
    """A booted notebook instance on which the script is refused each time."""
    with account.notebooks_of("profile") as create:
        yield create()


@pytest.fixture
def unstarted(unstarted_for_all: NotebookInstance) -> Iterator[NotebookInstance]:
    """The same one for tests that change nothing but its metadata, and see the script refuse to begin."""
    before = unstarted_for_all.read(METADATA)
    yield unstarted_for_all
    assert not unstarted_for_all.exists("/home/ec2-user/.aws"), "it had begun"
    unstarted_for_all.write(METADATA, before, owner="root")


def test_without_the_metadata_file(unstarted: NotebookInstance) -> None:
    unstarted.root(f"rm {METADATA}")
    assert f"{METADATA} is missing or empty" in refusal(unstarted)


def test_with_an_empty_metadata_file(unstarted: NotebookInstance) -> None:
    unstarted.write(METADATA, "", owner="root")
    assert f"{METADATA} is missing or empty" in refusal(unstarted)


@pytest.mark.parametrize("text", ["not json", '{"ResourceName": "x"', "[]", '"x"', "{}", "null"])
def test_with_metadata_of_another_form(unstarted: NotebookInstance, text: str) -> None:
    unstarted.write(METADATA, text, owner="root")
    assert METADATA in refusal(unstarted)


HOSTILE_NAMES = [
    "$(touch /tmp/pwned)",
    "`touch /tmp/pwned`",
    "'; touch /tmp/pwned; '",
    '"; touch /tmp/pwned; "',
    "name\n[profile other]",
    "name\n",
    "name|arn:aws:sagemaker:us-east-1:111122223333:notebook-instance/name",
    "a" * 64,
    "a",
    "",
    "with_underscore",
    "-hyphen",
    "é",
    "\u001b[2Jname",
    7,
    None,
    ["name"],
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: json.dumps(name)[:30])
def test_with_a_hostile_name(unstarted: NotebookInstance, name: object) -> None:
    unstarted.write(METADATA, metadata(unstarted, ResourceName=name), owner="root")
    line = refusal(unstarted)
    assert METADATA in line
    assert line.isprintable()
    assert not unstarted.exists("/tmp/pwned")
    assert not unstarted.exists(CONFIG)


@pytest.mark.parametrize("name", ["SageMaker", "sagemaker"])
def test_with_the_base_sessions_name(unstarted: NotebookInstance, name: str) -> None:
    unstarted.write(METADATA, metadata(unstarted, ResourceName=name), owner="root")
    assert f"the notebook instance is called {name}" in refusal(unstarted)


def test_with_an_arn_of_something_else(unstarted: NotebookInstance) -> None:
    unstarted.write(METADATA, metadata(unstarted, ResourceArn="arn:aws:s3:::bucket"), owner="root")
    assert "gives no usable ResourceArn" in refusal(unstarted)


def test_the_metadata_is_read_without_jq_and_python3(account: Account, bare_notebook: NotebookInstance) -> None:
    bare_notebook.write(METADATA, json.dumps(json.loads(metadata(bare_notebook)), indent=2), owner="root")
    hide(bare_notebook, "jq", "python3")
    assert bare_notebook.run_on_start().returncode == 0
    show_again(bare_notebook)  # the tests' own Python may be this one
    assert session_name(caller(bare_notebook)) == bare_notebook.name


def test_without_chattr_nothing_is_left_unlocked_in_silence(bare_notebook: NotebookInstance) -> None:
    hide(bare_notebook, "chattr")
    assert "can't lock ~/.aws" in refusal(bare_notebook)


def test_with_a_home_that_is_read_only(bare_notebook: NotebookInstance) -> None:
    bare_notebook.root("mount -o remount,ro /home/ec2-user || mount -o remount,ro,bind /home/ec2-user")
    line = refusal(bare_notebook)
    assert "Read-only file system" in line
    assert "is writable" in line


def fill(notebook: NotebookInstance) -> None:
    notebook.root("cat /dev/zero > /home/ec2-user/full 2>/dev/null; true")


def test_with_a_full_disk(bare_notebook: NotebookInstance) -> None:
    fill(bare_notebook)
    assert "No space left on device" in refusal(bare_notebook)
    bare_notebook.root("rm /home/ec2-user/full")
    assert bare_notebook.run_on_start().returncode == 0
    assert session_name(caller(bare_notebook)) == bare_notebook.name


def test_a_full_disk_leaves_the_config_of_before_whole(notebook: NotebookInstance) -> None:
    before = notebook.read(CONFIG)
    fill(notebook)
    notebook.run_on_start()
    assert notebook.read(CONFIG) == before
    assert session_name(caller(notebook)) == notebook.name


def test_where_the_owner_allowed_it_the_start_goes_on_loudly(account: Account, bare_notebook: NotebookInstance) -> None:
    bare_notebook.root(f"rm {METADATA}")
    script = with_settings(
        account.outputs["profile"]["on_start_script"],
        ALLOW_START_WITHOUT_ATTRIBUTION="true",
        EXTRA_ON_START="echo extra > /tmp/extra",
    )
    done = bare_notebook.run_on_start(script=script)
    assert done.returncode == 0
    failed, loud = done.stderr.splitlines()
    assert "FAILED: " in failed
    assert "STARTING WITHOUT ATTRIBUTION" in loud
    assert bare_notebook.read("/tmp/extra") == "extra\n"
    assert session_name(caller(bare_notebook)) == "SageMaker"


@pytest.mark.parametrize("file", ["config", "credentials"])
def test_a_file_that_was_there_before_is_kept_under_another_name(bare_notebook: NotebookInstance, file: str) -> None:
    bare_notebook.run(["sh", "-c", f"mkdir ~/.aws; printf '[default]\\nregion = x\\n' > ~/.aws/{file}"], check=True)
    done = bare_notebook.run_on_start()
    assert done.returncode == 0, done.stderr
    assert f"moved {file} to {file}.before-attribution" in done.stdout
    assert bare_notebook.read(f"/home/ec2-user/.aws/{file}.before-attribution") == "[default]\nregion = x\n"
    assert session_name(caller(bare_notebook)) == bare_notebook.name


@pytest.mark.parametrize(
    "prepared",
    [
        "ln -s /etc ~/.aws",
        "ln -s /nowhere ~/.aws",
        "echo x > ~/.aws",
        "mkdir ~/.aws; ln -s /etc/passwd ~/.aws/config",
        "mkdir ~/.aws; ln -s /etc/passwd ~/.aws/credentials",
        "mkdir ~/.aws; mkdir ~/.aws/config ~/.aws/credentials",
        "mkdir ~/.aws; ln -s /etc ~/.aws/cli; echo x > ~/.aws/sso",
        "mkdir -p ~/.aws/cli/cache ~/.aws/sso; echo x > ~/.aws/cli/cache/x",
        "mkdir ~/.aws; chmod 0 ~/.aws",
    ],
)
def test_what_a_user_left_in_the_way_does_no_harm(bare_notebook: NotebookInstance, prepared: str) -> None:
    state = (
        "find /etc -maxdepth 1 ! -name profile.d -printf '%p %u %m %s %l\\n' | sort; lsattr -d /etc; cat /etc/passwd"
    )
    before = bare_notebook.root(state).stdout
    bare_notebook.run(["sh", "-c", prepared], check=True)
    done = bare_notebook.run_on_start()
    assert done.returncode == 0, done.stderr
    after = bare_notebook.root(state).stdout
    assert session_name(caller(bare_notebook)) == bare_notebook.name
    assert after == before
    assert bare_notebook.run(["rm", "-rf", "/home/ec2-user/.aws"]).returncode != 0


def test_killed_at_any_step_the_next_start_repairs_it(bare_notebook: NotebookInstance) -> None:
    """Kill the script before its first command, its second, and so on, each time in the state that the last one left."""
    bare_notebook.write(
        "/tmp/kill.sh", "set -T; n=0; trap '((++n == KILL_AT)) && kill -9 $BASHPID $$' DEBUG\n", owner="root"
    )
    killed = 0
    for at in range(1, 400):
        done = bare_notebook.run_on_start(env={"BASH_ENV": "/tmp/kill.sh", "KILL_AT": str(at)})
        if bare_notebook.exists(CONFIG):
            text = bare_notebook.read(CONFIG)
            assert text.endswith("sts_regional_endpoints = regional\n"), f"half a config after {at} commands"
        if done.returncode == 0:
            break
        killed += 1
    assert 20 < killed < 399
    assert bare_notebook.run_on_start().returncode == 0
    assert session_name(caller(bare_notebook)) == bare_notebook.name
    assert bare_notebook.run(["rm", "-f", CONFIG]).returncode != 0
    assert bare_notebook.root("ls -A /home/ec2-user/.aws").stdout.split() == [
        "boto", "cli", "config", "credentials", "login", "models", "sso",
    ]  # fmt: skip
