"""A log of an organization, by account, region and day: every kind of call that an answer tells, and names made to break a query."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from base_sessions import about, interface, refused, stream
from log_files import log_key, write
from records import ACCOUNT, BASE, OTHER_ACCOUNT, ROLE, Record, handshake, opening, others, profile, record, session

ACCOUNTS = (ACCOUNT, OTHER_ACCOUNT)
REGIONS = ("eu-central-1", "us-east-1")
FIRST, DAYS = date(2026, 3, 1), 4
OTHER_ROLE = "etl"
# One stands for any letter in SQL's LIKE, and one is a name of its own.
LIKE_ROLES = ("data_science", "data-science", "a+b=c,d.e@f")
HOSTILE = (
    "' OR '1'='1", "x'; DROP TABLE cloudtrail_logs; --", "100%", "under_score", "back\\slash", '"quoted"', "?", "line\nfeed", "tab\tend",
    "zero-width\u200b", "Ünïcödé", "\U0001f600", "{{x}}", "${x}", "-- comment", "/* */", "a" * 64, "sagemaker",
)  # fmt: skip


def write_corpus(folder: Path) -> None:
    """Write the files as CloudTrail lays them out, one for each account, region and day."""
    for account, region, day in places():
        write_log(folder, account, region, day, records(account, region, day))


def places() -> list[tuple[str, str, date]]:
    """Return all accounts, regions and days."""
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    return list(itertools.product(ACCOUNTS, REGIONS, days))


def write_log(folder: Path, account: str, region: str, day: date, found: list[Record]) -> None:
    """Write a file with these records."""
    write(folder / log_key(str(day), account=account, region=region), *found)


def records(account: str, region: str, day: date) -> list[Record]:
    """Return what was recorded there."""
    # Roles of one name in two accounts have ids of their own.
    return [_with_own_ids(each, account) for each in _records(account, region, day)]


def _with_own_ids(found: Record, account: str) -> Record:
    text = json.dumps(found).replace("AROAEXAMPLEROLE", f"AROAEXAMPLE{account[:4]}")
    own: Record = json.loads(text)
    return own


def _records(account: str, region: str, day: date) -> list[Record]:
    def at(hour: int, minute: int = 0) -> str:
        return f"{day}T{hour:02}:{minute:02}:00Z"

    here: dict[str, Any] = {"awsRegion": region, "recipientAccountId": account}
    suffix = f"{account[:4]}{region[:2]}{day:%d}".upper()
    notebook, base = f"ASIANOTEBOOK{suffix}", f"ASIABASE{suffix}"
    chained = f"ASIACHAIN{suffix}"
    fraud = session("fraud-model", account=account, key=notebook)
    identified = session("churn-model", account=account, key=f"ASIACH{suffix}", source_identity="churn-model")
    found = [
        handshake("fraud-model", base_key=base, key=notebook, account=account, time=at(8), **here),
        *(record(fraud, time=at(9, minute), **here) for minute in range(5)),
        record(
            fraud, "dynamodb:GetItem", time=at(10), requestParameters={"tableName": "orders"}, errorCode="AccessDenied",
            errorMessage="no", vpcEndpointId="vpce-1", resources=None, **here,
        ),
        record(session(BASE, account=account, key=base), "s3:ListBuckets", time=at(11), managementEvent=True, eventCategory="Management", **here),
        *_evidence(account, suffix, at(11, 30), here),
        record(identified, time=at(12), userAgent="", **here),
        record(identified, time=at(12, 1), userAgent="-", requestID=None, sharedEventID="s", **here),
        opening(fraud, "one", role=OTHER_ROLE, account=account, key=chained, time=at(13), **here),
        record(session("one", role=OTHER_ROLE, account=account, key=chained), time=at(13, 30), **here),
        record(
            session("two", role=OTHER_ROLE, account=account, key=f"ASIATWO{suffix}", source_identity="churn-model"), time=at(14), **here
        ),
        *(
            # Of Studio's user profiles; what comes after them can be no user profile's name.
            record(
                profile(name, account=account, key=f"ASIASTUDIO{suffix}", on_behalf_of=f"u-{name}"),
                time=at(14, minute), **here,
            )
            for minute, name in enumerate(("anna", "A" * 63, "SageMaker", "A" * 64, "anna@x", "-anna", "churn-model\n", "'"), 10)
        ),
        opening(profile(account=account, key=f"ASIASTUDIO{suffix}"), "fraud-model", account=account,
                key=f"ASIABYANNA{suffix}", time=at(14, 30), **here),
        others(time=at(15), **here),
        # Who isn't a base session opens one in a notebook's name.
        opening(session("i-0abc", role="web-server", key="ASIAWEB"), "churn-model", account=account, key=f"ASIAODD{suffix}", time=at(15, 1), **here),
        record(_nameless(fraud), time=at(16), **here),
        record({"type": "AWSService", "invokedBy": "sagemaker.amazonaws.com"}, "sts:AssumeRole", time=at(17), requestParameters={"roleArn": f"arn:aws:iam::{account}:role/{ROLE}", "roleSessionName": BASE},
               responseElements={"credentials": {"accessKeyId": base}}, **here),
        record(session("i-0abc", role="web-server", key="ASIAWEB"), time=at(18), requestParameters={"note": f"arn:aws:sts::{account}:assumed-role/{ROLE}/x"}, **here),
    ]  # fmt: skip
    if (account, region, day) == (ACCOUNT, REGIONS[0], FIRST):
        for number, name in enumerate(HOSTILE):
            # The key and the identity that a query would ask for next.
            hostile = session(name, key=f"KEY {name}", source_identity=name)
            found.append(record(hostile, time=at(19, number), errorMessage=name, userAgent=name, **here))
            found.append(
                opening(
                    fraud,
                    name,
                    role=OTHER_ROLE,
                    key=f"NEXT {name}",
                    asked={"policy": name},
                    time=at(20, number),
                    **here,
                )
            )
            found.append(record(session("x", role=OTHER_ROLE, key=f"NEXT {name}"), time=at(21, number), **here))
        found += [record(session("nb", role=role, key="ASIALIKE"), time=at(22), **here) for role in LIKE_ROLES]
    return found


def _evidence(account: str, suffix: str, time: str, here: dict[str, Any]) -> list[Record]:
    """Return what names base sessions: of each kind one, and a call that it is about."""
    keys = [f"ASIA{kind}{suffix}" for kind in ("SCOPE", "STREAM", "NAMES", "ADDRESS")]
    scope, streamed, names, at_address = (session(BASE, account=account, key=key) for key in keys)
    arn = f"arn:aws:sagemaker:{here['awsRegion']}:{account}:notebook-instance/fraud-model"
    scope["inScopeOf"] = {"issuerType": "AWS::SageMaker", "credentialsIssuedTo": arn}
    asked = about("", "x", time=time, **here) | {"userIdentity": names}
    address = {"sourceIPAddress": "10.8.0.9", "vpcEndpointId": "vpce-8"}
    return [
        record(scope, time=time, **here),
        stream("", "fraud-model/LifecycleConfigOnStart", time=time, **here) | {"userIdentity": streamed},
        refused(asked, arn),
        interface("fraud-model", "10.8.0.9", time=time, **here),
        *(record(each, time=time, **(here | address)) for each in (streamed, names, at_address)),
    ]


def _nameless(identity: Record) -> Record:
    """Return the identity as another account's trail has it, or Lake Formation: without an ARN."""
    return {"type": "AWSAccount", "principalId": identity["principalId"], "accountId": identity["accountId"]}
