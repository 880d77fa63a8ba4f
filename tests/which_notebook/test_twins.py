"""A call counts once that both the service and a VPC endpoint tell of; a call that the endpoint refused counts, too."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from log_files import write
from records import ACCOUNT, ROLE, Record, record, session

from which_notebook.calls.call import Call
from which_notebook.calls.twins import ACCESS_LOG, Twins
from which_notebook.limits import Limits

FOLDER = f"AWSLogs/{ACCOUNT}/%s/eu-central-1/2026/03/01/{ACCOUNT}_%s_eu-central-1_20260301T0905Z_%s.json.gz"


def pair(name: str, time: str, apart: str | None = None) -> tuple[Record, Record]:
    """Return a call as the service tells of it, and as the endpoint does."""
    plain = record(session(name), time=time)
    other = record(
        session(name), time=apart or time, requestID=plain["requestID"], eventType="AwsVpceEvent",
        eventCategory="NetworkActivity", vpcEndpointId="vpce-1",
    )  # fmt: skip
    return plain, other


def refused(name: str, time: str) -> Record:
    return pair(name, time)[1] | {"errorCode": "VpceAccessDenied"}


def write_logs(root: Path, plain: list[Record], network: list[Record]) -> None:
    for folder, found in (("CloudTrail", plain), ("CloudTrail-NetworkActivity", network)):
        write(root / (FOLDER % (folder, folder, "aaaa")), *found)


@pytest.mark.parametrize(
    ("time", "apart"),
    [
        ("2026-03-01T09:00:30Z", "2026-03-01T09:00:30Z"),
        ("2026-03-01T09:00:30Z", "2026-03-01T09:00:28Z"),
        ("2026-03-01T09:00:30Z", "2026-03-01T09:01:20Z"),
    ],
)
@pytest.mark.parametrize("held", [50_000, 3])
@pytest.mark.parametrize("options", [[], ["--follow"]])
def test_a_call_counts_once(ask: Any, tmp_path: Path, time: str, apart: str, held: int, options: list[str]) -> None:
    limits = Limits(sorted_calls=held, judged_calls=held)
    plain, other = pair("fraud-model", time, apart)
    around = [record(session("churn-model"), time=f"2026-03-01T09:{minute:02}:00Z") for minute in range(5)]
    write_logs(tmp_path, [plain, *around], [other, refused("fraud-model", "2026-03-01T09:00:31Z")])
    for _ in ("read", "remembered"):
        calls = ask("calls", tmp_path, "--role", ROLE, *options, limits=limits).calls
        assert len(calls) == 7
        found = [(call["event_category"], call["error_code"]) for call in calls if call["notebook"] == "fraud-model"]
        assert sorted(found, key=repr) == [("Data", None), ("NetworkActivity", "VpceAccessDenied")]
        assert [call["event_time"] for call in calls] == sorted(call["event_time"] for call in calls)


@pytest.mark.parametrize("held", [1, 2, 5, 50_000])
def test_of_many_calls_each_counts_once(ask: Any, tmp_path: Path, held: int) -> None:
    limits = Limits(sorted_calls=held, judged_calls=held)
    chance = random.Random(held)  # noqa: S311 - times, no secret
    pairs, alone = [], []
    for _ in range(120):
        minute, second = chance.randrange(59), chance.randrange(60)
        time = f"2026-03-01T09:{minute:02}:{second:02}Z"
        pairs.append(pair("a", time, f"2026-03-01T09:{minute:02}:{min(59, second + chance.randrange(3)):02}Z"))
        alone.append(refused("a", time))
    write_logs(tmp_path, [plain for plain, _ in pairs], [*(other for _, other in pairs), *alone])
    calls = ask("calls", tmp_path, "--role", ROLE, limits=limits).calls
    expected = [*(plain for plain, _ in pairs), *alone]
    assert sorted(call["event_id"] for call in calls) == sorted(each["eventID"] for each in expected)


def test_its_folder_is_a_trails(ask: Any, tmp_path: Path) -> None:
    plain, other = pair("fraud-model", "2026-03-01T09:00:30Z")
    write_logs(tmp_path, [plain], [other, refused("fraud-model", "2026-03-01T09:00:31Z")])
    for options, calls, files in (([], 2, 2), (["--since", "2026-03-03"], 0, 0), (["--region", "us-east-1"], 0, 0)):
        found = ask("summary", tmp_path, "--role", ROLE, *options).json
        assert (found["calls"], found["files"]) == (calls, files)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0500-01-01T00:00:00Z"])
def test_a_call_counts_once_at_the_ends_of_time_too(ask: Any, tmp_path: Path, time: str) -> None:
    plain, other = pair("fraud-model", time)
    write_logs(tmp_path, [plain, record(session("churn-model"))], [other])
    assert len(ask("calls", tmp_path, "--role", ROLE).calls) == 2


def events_and_lines(seed: int) -> list[Call]:
    """Return deletions of several objects and lines of the access log, of a few requests, in the order of time."""
    chance = random.Random(seed)  # noqa: S311 - times, no secrets
    calls = []
    for number in range(40):
        minutes, seconds = divmod(chance.randrange(400), 60)
        is_line = chance.random() < 0.5
        calls.append(
            Call(
                f"{number:02}", f"2026-03-01T09:{minutes:02}:{seconds:02}Z", "s3.amazonaws.com", "DeleteObjects",
                request_id=chance.choice("abc"), event_category=ACCESS_LOG if is_line else "Data",
                resources=(f"arn:aws:s3:::figures/{number}",) if is_line else ("arn:aws:s3:::figures",),
            )
        )  # fmt: skip
    return sorted(calls, key=lambda call: (call.event_time, call.event_id))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_line_is_for_the_first_event_that_it_is_near_whatever_lists_they_come_in(seed: int, size: int) -> None:
    def resources(size: int) -> dict[str, tuple[str, ...]]:
        twins, calls = Twins(), events_and_lines(seed)
        twins.seen(calls)
        lists = [calls[at : at + size] for at in range(0, len(calls), size)]
        return {call.event_id: call.resources for decided in twins.left_out(lists) for call in decided}

    whole = resources(40)
    assert resources(size) == whole
    keys = [key for found in whole.values() for key in found if key != "arn:aws:s3:::figures"]
    assert len(keys) == len(set(keys))
    # No line that is near an event is lost.
    assert len(keys) == sum(call.event_category == ACCESS_LOG for call in events_and_lines(seed))
