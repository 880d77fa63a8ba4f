"""Records of base sessions that tell, or seem to tell, whose they are."""

from __future__ import annotations

from typing import Any

from records import ACCOUNT, BASE, Record, record, session

ATHENA = "athena.amazonaws.com"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/jane"


PUBLIC = "203.0.113.7"
ON_AN_INSTANCE: Record = {"sourceIPAddress": "10.9.0.10", "vpcEndpointId": "vpce-1"}
"""Whence calls come that a notebook instance makes through an endpoint."""


def base(key: str, *, started: str | None = None, **fields: Any) -> Record:
    """Return the identity of a base session with this access key."""
    return session(BASE, key=key, started=started) | fields


def call(key: str, event: str = "s3:GetObject", *, started: str | None = None, **fields: Any) -> Record:
    """Return a call in a base session that tells nothing."""
    return record(base(key, started=started), event, **({"sourceIPAddress": PUBLIC} | fields))


def call_at(key: str, time: str, **fields: Any) -> Record:
    """Return such a call that comes from a notebook instance's private address."""
    return call(key, time=time, **(ON_AN_INSTANCE | fields))


def attributed_at(time: str, name: str = "fraud-model", **fields: Any) -> Record:
    """Return a notebook session's call that comes from there."""
    return record(session(name), time=time, **(ON_AN_INSTANCE | fields))


def keyless(found: Record) -> Record:
    """Return the same call as a service makes it for its caller: without the access key."""
    identity = {name: value for name, value in found["userIdentity"].items() if name != "accessKeyId"}
    return found | {"userIdentity": identity | {"invokedBy": ATHENA}, "sourceIPAddress": ATHENA}


def notebook_arn(name: str, kind: str = "notebook-instance") -> str:
    """Return the ARN of a notebook instance, or of another thing of SageMaker's."""
    return f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:{kind}/{name}"


def about(key: str, name: str, event: str = "DescribeNotebookInstance", **fields: Any) -> Record:
    """Return a call in a base session that names a notebook instance."""
    parameters = {"resourceArn": notebook_arn(name)} if event == "ListTags" else {"notebookInstanceName": name}
    return call(key, f"sagemaker:{event}", **({"requestParameters": parameters} | fields))


def stream(key: str, name: str, group: str = "/aws/sagemaker/NotebookInstances", **fields: Any) -> Record:
    """Return the call in a base session that created a log stream."""
    asked = {"logGroupName": group, "logStreamName": name}
    return call(key, "logs:CreateLogStream", **({"requestParameters": asked} | fields))


def refused(found: Record, resource: str, *, message: str | None = None) -> Record:
    """Return the same call as IAM refuses it: without its parameters."""
    action = f"{found['eventSource'].split('.')[0]}:{found['eventName']}"
    said = (
        f"User: {found['userIdentity']['arn']} is not authorized to perform: {action} on resource: {resource} because no "
        f"identity-based policy allows the {action} action"
    )
    left = {name: value for name, value in found.items() if name not in ("requestParameters", "responseElements")}
    return left | {"errorCode": "AccessDeniedException", "errorMessage": message or said}


def interface(name: str, address: str, *, by: Record | None = None, **fields: Any) -> Record:
    """Return the call by which SageMaker made a notebook instance's network interface, for whoever created that."""
    description = (
        "[Do not delete] Network Interface created to access resources in your VPC for SageMaker Notebook Instance "
        f"{name} [dzd-1]"
    )
    caller = session("apply", role="ci") | {"invokedBy": "sagemaker.amazonaws.com"}
    del caller["accessKeyId"]
    answer = {"networkInterfaceId": "eni-1", "privateIpAddress": address, "description": description}
    made: Record = {
        "sourceIPAddress": "sagemaker.amazonaws.com",
        "requestParameters": {"description": description, "subnetId": "subnet-1"},
        "responseElements": {"requestId": "r", "networkInterface": answer},
    }
    return record(by or caller, "ec2:CreateNetworkInterface", **(made | fields))


def interface_deleted(**fields: Any) -> Record:
    """Return the call that deleted that network interface."""
    by = {"type": "IAMUser", "arn": USER_ARN, "accountId": ACCOUNT, "accessKeyId": "AKIA1"}
    made: Record = {
        "requestParameters": {"networkInterfaceId": "eni-1"},
        "responseElements": {"requestId": "r", "_return": True},
    }
    return record(by, "ec2:DeleteNetworkInterface", **(made | fields))
