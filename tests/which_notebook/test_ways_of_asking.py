"""`--resource` takes what people have at hand for a resource."""

from __future__ import annotations

import pytest

from which_notebook.calls.resource_patterns import ResourcePatterns, literal_parts


@pytest.mark.parametrize(
    ("asked", "arn"),
    [
        (
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
        ),
        ("secret:prod/db", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"),
        ("/prod/db/pw", "arn:aws:ssm:eu-west-1:111122223333:parameter/prod/db/pw"),
        ("/prod/", "arn:aws:ssm:eu-west-1:111122223333:parameter/prod/db/pw"),
        ("arn:aws:s3:::b/2026/", "arn:aws:s3:::b/2026/x.csv"),
        ("b/", "arn:aws:s3:::b/2026/x.csv"),
        ("b/2026/", "arn:aws:s3:::b/2026/x.csv"),
        ("log-group:/aws/x:*", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x"),
        (
            "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x:*",
            "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x",
        ),
        ("/aws/x", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x:*"),
        ("alias/prod", "arn:aws:kms:eu-west-1:111122223333:alias/prod"),
        ("s3://bkt--euc1-az1--x-s3", "arn:aws:s3express:eu-west-1:111122223333:bucket/bkt--euc1-az1--x-s3"),
        ("s3://bkt--euc1-az1--x-s3/k", "arn:aws:s3express:eu-west-1:111122223333:bucket/bkt--euc1-az1--x-s3/k"),
        ("my-ap", "arn:aws:s3:eu-west-1:111122223333:accesspoint/my-ap"),
        ("arn:aws:s3:eu-west-1:111122223333:accesspoint/my-ap", "arn:aws:s3:eu-west-1:111122223333:accesspoint/my-ap"),
    ],
)
def test_the_usual_ways_of_asking(asked: str, arn: str) -> None:
    assert ResourcePatterns([asked]).fit([arn])
    # Nor does it take what begins alike.
    assert not ResourcePatterns([asked]).fit(
        [
            arn.replace("/prod", "/product")
            .replace("b/2026", "bb/2026")
            .replace("/x", "/xy")
            .replace("b/", "bb/")
            .replace("bkt--", "bkt2--")
            .replace("my-ap", "my-ap2")
            .replace(":prod/db", ":prod/dbx")
        ]
    ) or asked.endswith("/")
    (literal,) = literal_parts([asked]) or ("",)
    assert literal in arn.replace("log-group", "").replace("secret:", "")
