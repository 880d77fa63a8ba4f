"""The source `cloudtrail:`, against the emulator's LookupEvents: which lookups, and what is said when one fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from emulator.server import Emulator
from history_and_s3 import CANNOT_WORK, change, use
from policy_documents import policy_document

from which_notebook import cli
from which_notebook.aws import forget_clients
from which_notebook.calls.search import Search
from which_notebook.sources.event_history import history_client, lookups

# A region in which no other test calls.
REGION = "eu-west-3"
ROLE = "history-notebooks"
OTHER_ROLE = "history-etl"
CALLS = 120


@dataclass
class Scene:
    """What happened in the account: when it began, and whose keys the sessions have."""

    since: str
    base_key: str
    notebook_key: str


@pytest.fixture(scope="module")
def scene(emulator: Emulator) -> Scene:
    """A notebook that makes many calls, one to a global service, and one in another role's session."""
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    root = emulator.client("sts", region=REGION)
    arns = {role: make_role(emulator, role) for role in (ROLE, OTHER_ROLE)}
    base = root.assume_role(RoleArn=arns[ROLE], RoleSessionName="SageMaker")["Credentials"]
    base_session = emulator.session_client("sts", base, region=REGION)
    base_session.get_caller_identity()
    notebook = base_session.assume_role(RoleArn=arns[ROLE], RoleSessionName="fraud-model")["Credentials"]
    notebook_session = emulator.session_client("sts", notebook, region=REGION)
    for _ in range(CALLS):
        notebook_session.get_caller_identity()
    emulator.session_client("iam", notebook).list_roles()
    # STS's global endpoint is in us-east-1.
    global_sts = emulator.session_client("sts", notebook, region="us-east-1")
    job = global_sts.assume_role(RoleArn=arns[OTHER_ROLE], RoleSessionName="job")["Credentials"]
    emulator.session_client("sts", job, region=REGION).get_caller_identity()
    return Scene(since, base["AccessKeyId"], notebook["AccessKeyId"])


def make_role(emulator: Emulator, name: str, action: str = "*") -> str:
    """Return the ARN of a new role that the account may assume, and that may do something."""
    iam = emulator.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": emulator.account_id}, "Action": "sts:AssumeRole"}
    policy = policy_document(trust)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]
    allow = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = policy_document(allow)
    iam.put_role_policy(RoleName=name, PolicyName="some", PolicyDocument=document)
    return str(role["Arn"])


@pytest.fixture
def configured(emulator: Emulator, scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Emulator]:
    """The emulated account, which the command finds in its environment, with REGION configured."""
    use(emulator, monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    yield emulator
    forget_clients()


Lookups = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def made(configured: Emulator) -> Lookups:
    """The lookups that this process makes: the region, and what is asked."""
    made: Lookups = []

    def watch(region: str) -> None:
        def note(params: dict[str, Any], **event: Any) -> None:
            made.append((region, dict(params)))

        history_client(region).meta.events.register("provide-client-params.cloudtrail", note)

    watch(REGION)
    watch("us-east-1")
    return made


def begun(made: Lookups) -> list[tuple[str, str | None]]:
    """Return each lookup's region and attribute, its further pages aside."""
    attributes = [
        (region, asked.get("LookupAttributes", [None])[0]) for region, asked in made if "NextToken" not in asked
    ]
    return [
        (region, each and f"{each['AttributeKey']}={each['AttributeValue']}") for region, each in attributes
    ]  # fmt: skip


def summary(capfd: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    """Run the command on the event history; return what `summary` says as JSON, and on standard error as `said`."""
    assert cli.main(["summary", "cloudtrail:", *arguments, "--role", ROLE, "--format", "json"]) == status
    said = capfd.readouterr()
    assert "Traceback" not in said.err
    return json.loads(said.out) | {"said": said.err}


def throttled(emulator: Emulator, since: int) -> int:
    return sum(
        record["eventName"] == "LookupEvents" and record.get("errorCode") == "ThrottlingException"
        for record in emulator.records()[since:]
    )


# What is asked


def test_who_made_which_call(
    configured: Emulator, scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]
) -> None:
    before = len(configured.records())
    answer = summary(capfd, "--since", scene.since)
    (notebook,) = answer["notebooks"]
    assert notebook["notebook"] == "fraud-model"
    # In REGION, and in us-east-1 a call to IAM and one to STS's global endpoint.
    assert notebook["event_names"] == {"sts:GetCallerIdentity": CALLS, "iam:ListRoles": 1, "sts:AssumeRole": 1}
    assert (answer["unattributed"]["calls"], answer["handshakes"]) == (1, 1)
    assert (answer["files"], answer["skipped"]) == (0, [])
    assert answer["bytes"] > CALLS * 500
    assert sorted(begun(made), key=str) == [(REGION, None), ("us-east-1", None)]
    # Three pages in REGION at least, and none of them too early.
    assert len(made) >= 4
    assert throttled(configured, before) == 0


def test_a_region_filter_leaves_only_openings_in_us_east_1(
    scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = summary(capfd, "--since", scene.since, "--region", REGION, "--follow")
    assert sorted(begun(made), key=str) == [(REGION, None), ("us-east-1", "EventName=AssumeRole")]
    (notebook,) = answer["notebooks"]
    # The session was opened in us-east-1, the call made in REGION.
    assert (notebook["calls"], notebook["chained"]) == (CALLS + 1, 1)


def test_following_looks_up_once(scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]) -> None:
    answer = summary(capfd, "--since", scene.since, "--follow")
    assert sorted(begun(made), key=str) == [(REGION, None), ("us-east-1", None)]
    (notebook,) = answer["notebooks"]
    assert (notebook["calls"], notebook["chained"]) == (CALLS + 3, 1)
    assert answer["bytes"] > CALLS * 500
    assert answer["said"].count("data events") == 1


def test_looking_for_evidence_looks_up_once(scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]) -> None:
    for options in (["--follow"], ["--until", "now"]):
        made.clear()
        answer = summary(capfd, "--since", scene.since, "--likely", *options)
        assert sorted(begun(made), key=str) == [(REGION, None), ("us-east-1", None)]
        # The test itself opened that base session, which SageMaker opens else.
        (row,) = answer["disputed"]
        assert (row["notebooks"], row["calls"], row["evidence"]) == (
            ["fraud-model"],
            1,
            {"fraud-model": {"handshake": 1}},
        )
        assert [each.endswith(" opened") for each in row["others"]] == [True]


def test_one_event_is_looked_up_by_what_names_it(
    configured: Emulator, scene: Scene, made: Lookups, capfd: pytest.CaptureFixture[str]
) -> None:
    call = next(
        record
        for record in configured.records()
        if record["userIdentity"].get("accessKeyId") == scene.notebook_key and record["awsRegion"] == REGION
    )
    assert cli.main(["event", call["eventID"], "cloudtrail:", "--since", scene.since, "--format", "json"]) == 0
    explained = json.loads(capfd.readouterr().out)
    assert (explained["notebook"], explained["record"]) == ("fraud-model", call)
    assert [each["opened_access_key_id"] for each in explained["opened_by"]] == [scene.notebook_key, scene.base_key]
    asked = [attribute for region, attribute in begun(made) if region == REGION]
    assert asked[:3] == [
        f"EventId={call['eventID']}",
        f"ResourceName={scene.notebook_key}",
        f"ResourceName={scene.base_key}",
    ]
    # What speaks against it is in the role's other calls.
    assert asked[-1] is None


@pytest.mark.parametrize(
    ("search", "attributes"),
    [
        (Search(role_names=("x",)), [None]),
        (Search(role_names=("x",), access_keys=frozenset({"ASIAA"})), [None]),
        (Search(source_identities=frozenset({"x"})), [None]),
        (Search(event_id="e"), [("EventId", "e")]),
        (Search(opened_keys=frozenset({"ASIAB", "ASIAA"})), [("ResourceName", "ASIAA"), ("ResourceName", "ASIAB")]),
        (Search(access_keys=frozenset({"ASIAA"})), [("AccessKeyId", "ASIAA")]),
    ],
)
def test_the_lookups_of_a_question(search: Search, attributes: list[Any]) -> None:
    assert lookups(search) == attributes


def test_as_a_program_of_its_own(configured: Emulator, scene: Scene) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "which_notebook", "calls", "cloudtrail:", "--role", ROLE, "--since", scene.since, "--status", "unattributed,handshake", "--format", "jsonl"],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    calls = [json.loads(line) for line in ran.stdout.splitlines()]
    assert sorted((call["event_name"], call["status"]) for call in calls) == [
        ("AssumeRole", "handshake"),
        ("GetCallerIdentity", "unattributed"),
    ]
    assert "data events" in ran.stderr


def test_a_throttled_question_is_answered_all_the_same(
    new_emulator: Callable[..., Emulator],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with new_emulator(lookups_per_second=1) as slow:
        arn = make_role(slow, ROLE)
        session = slow.client("sts").assume_role(RoleArn=arn, RoleSessionName="fraud-model")["Credentials"]
        notebook = slow.session_client("sts", session)
        for _ in range(CALLS):
            notebook.get_caller_identity()
        use(slow, monkeypatch, tmp_path)
        answer = summary(capfd)
        forget_clients()
        assert [each["calls"] for each in answer["notebooks"]] == [CALLS]
        assert throttled(slow, 0) > 0


# What is said when something fails


def test_a_missing_permission_is_named(
    emulator: Emulator,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    arn = make_role(emulator, "history-reader", "s3:ListBucket")
    session = emulator.client("sts").assume_role(RoleArn=arn, RoleSessionName="auditor")["Credentials"]
    use(emulator, monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", session["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", session["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", session["SessionToken"])
    answer = summary(capfd, "--region", REGION, status=1)
    forget_clients()
    assert {each["file"] for each in answer["skipped"]} == {f"cloudtrail: {REGION}", "cloudtrail: us-east-1"}
    assert all(
        each["reason"].startswith("access denied: cloudtrail:LookupEvents is missing") for each in answer["skipped"]
    )


NO_REGION = {"AWS_REGION": None, "AWS_DEFAULT_REGION": None}, "no AWS region: give --region, or set AWS_REGION"


@pytest.mark.parametrize(("variables", "reason"), [*CANNOT_WORK, NO_REGION])
def test_a_client_that_cannot_work(
    configured: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    variables: dict[str, str | None],
    reason: str,
) -> None:
    change(monkeypatch, variables)
    answer = summary(capfd, status=1)
    assert answer["skipped"]
    assert all(each["reason"].startswith(reason) for each in answer["skipped"]), answer["skipped"]


@pytest.mark.parametrize("region", ["eu-centrl-1", "no-where-1"])
def test_a_region_that_does_not_exist(
    configured: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], region: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_clients()
    said = {each["file"]: each["reason"] for each in summary(capfd, "--region", region, status=1)["skipped"]}
    assert said[f"cloudtrail: {region}"].endswith(f"; boto3 knows no region {region}")


def test_without_boto3(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    forget_clients()
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert cli.main(["summary", "cloudtrail:", "--role", ROLE]) == 2
    assert "pip install boto3" in capfd.readouterr().err
