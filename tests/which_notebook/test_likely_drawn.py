"""Drawn logs: whatever their order, duplicates and losses, `likely` names only what some evidence names."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from base_sessions import about, call, interface, interface_deleted, notebook_arn, refused, stream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_files import write
from records import ROLE, Record, handshake, record, session

from which_notebook.cli import main
from which_notebook.limits import Limits

KEYS = ("K1", "K2", "K3")
NAMES = ("alpha", "beta", "Gamma")
ADDRESSES = ("10.9.0.10", "10.9.0.11", "203.0.113.7")

keys, names, addresses = map(st.sampled_from, (KEYS, NAMES, ADDRESSES))
times = st.integers(0, 6 * 60).map(lambda minute: f"2026-03-01T{8 + minute // 60:02}:{minute % 60:02}:00Z")


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Draw a record that tells something or nothing, and say in `tells` what: of a key or an address, a name."""
    key, name, address, time = draw(keys), draw(names), draw(addresses), draw(times)
    where = {"time": time, "sourceIPAddress": address, "vpcEndpointId": "vpce-1"}
    made: dict[str, Record] = {
        "call": call(key, **where),
        "handshake": handshake(name, base_key=key, **where),
        "describe": about(key, name, **where),
        "tags": about(key, name, "ListTags", **where),
        "refused": refused(about(key, name, **where), notebook_arn(name)),
        "stream": stream(key, f"{name}/x", **where),
        "job": stream(key, f"{name}/x", "/aws/sagemaker/TrainingJobs", **where),
        "attributed": record(session(name), **where),
        "interface": interface(name, address, time=time),
        "deleted": interface_deleted(time=time),
    }
    kind = draw(st.sampled_from(list(made)))
    return made[kind] | {"tells": [kind, key, name, address]}


def named(found: list[Record]) -> dict[str, set[str]]:
    """Return which names some record names for a session or for an address that it used, by key: more than can be likely."""
    of_key, of_address, used = (
        defaultdict[str, set[str]](set),
        defaultdict[str, set[str]](set),
        defaultdict[str, set[str]](set),
    )
    for kind, key, name, address in (each["tells"] for each in found):
        if kind in ("handshake", "describe", "tags", "refused", "stream"):
            of_key[key].add(name)
        if kind in ("attributed", "interface"):
            of_address[address].add(name)
        if kind not in ("attributed", "interface", "deleted"):
            used[key].add(address)
    for key, at in used.items():
        for address in at:
            of_address[address] |= of_key[key]
    return {key: of_key[key] | set().union(*(of_address[address] for address in used[key])) for key in used}


def likely(
    folder: Path, *files: list[Record], capsys: pytest.CaptureFixture[str], limits: Limits | None = None
) -> dict[str, Any]:
    for number, found in enumerate(files):
        plain = [{name: value for name, value in each.items() if name != "tells"} for each in found]
        write(folder / f"{number}.json", *plain)
    capsys.readouterr()
    main(["calls", *(str(folder / f"{number}.json") for number in range(len(files))), "--role", ROLE, "--likely", "--no-cache",
          "--status", "unattributed", "--format", "jsonl"], limits=limits or Limits())  # fmt: skip
    calls = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {
        each["event_id"]: (each["access_key_id"], each["likely_notebook"], each["likely_evidence"]) for each in calls
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(records(), min_size=1, max_size=14), seed=st.integers(0, 2**32), data=st.data())
def test_no_order_duplication_or_loss_makes_it_name_what_no_evidence_names(
    found: list[Record], seed: int, data: st.DataObject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)  # noqa: S311 - an order, no secret
    whole = likely(tmp_path, found, capsys=capsys)
    # One answer for each session, and a name only of what is told of it.
    assert len({(key, name, kinds) for key, name, kinds in whole.values()}) == len(
        {key for key, _, _ in whole.values()}
    )
    allowed = named(found)
    for key, name, _ in whole.values():
        assert name is None or name in allowed[key]
    # Order, and records that lie twice, in one file and in two, change nothing; nor does less memory.
    mixed = found + chance.choices(found, k=len(found))
    chance.shuffle(mixed)
    at = chance.randrange(len(mixed))
    assert likely(tmp_path, mixed[:at], mixed[at:], capsys=capsys) == whole
    assert likely(tmp_path, mixed, capsys=capsys, limits=Limits(sorted_calls=2, judged_calls=2, found_calls=1)) == whole
    # With less room than it needs it names less, and nothing else.
    sessions, uses, spans = (chance.randrange(1, 4) for _ in range(3))
    few = Limits(
        evidence_sessions=sessions, evidence_addresses=uses, evidence_spans=spans, judged_calls=2, found_calls=1
    )
    for event, (key, name, _) in likely(tmp_path, mixed, capsys=capsys, limits=few).items():
        assert (key, name) in (whole[event][:2], (key, None))
    # What is left of a log names what its own records name.
    left = data.draw(st.lists(st.sampled_from(found), unique_by=lambda each: each["eventID"]))
    allowed = named(left)
    for key, name, _ in likely(tmp_path, left, capsys=capsys).values():
        assert name is None or name in allowed[key]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(records(), min_size=1, max_size=14))
def test_direct_evidence_for_another_name_is_never_passed_over(
    found: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = defaultdict[str, set[str]](set)
    for kind, key, name, _ in (each["tells"] for each in found):
        if kind in ("handshake", "describe", "tags", "refused", "stream"):
            told[key].add(name)
        if kind == "job":
            told[key].add(f"job {name}")
    for key, name, kinds in likely(tmp_path, found, capsys=capsys).values():
        assert name is None or told[key] <= {name}
        if len(told[key]) == 1 and kinds and "address" not in kinds:
            assert name in told[key] | {None}
            assert (name is None) == any(each.startswith("job ") for each in told[key])
