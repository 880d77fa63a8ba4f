"""Makes a CloudTrail record of an answered request, in the shape that real records have.

The fields: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html.
What isn't said there, such as which errors keep their parameters, is as in real records.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from localstack.aws.api import RequestContext
from rolo import Response

from . import emulated_account
from .addresses import source_ip_address
from .callers import Caller, RoleSession, Root, Service, User

Record = dict[str, Any]

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def records_of(context: RequestContext, response: Response, caller: Caller) -> list[Record]:
    """Return a record for each account that sees the request: the caller's, and the one whose resource was used."""
    if not context.service or not context.operation:
        return []
    service = context.service.service_name
    seen_from_caller = _record(context, response, caller)
    owner = _resource_account(context, service, seen_from_caller.get("errorCode"))
    if isinstance(caller, Service):
        # The service's own account isn't ours to see: the shared id remains.
        return [seen_from_caller | {"recipientAccountId": owner or context.account_id, "sharedEventID": _new_id()}]
    if owner is None or owner == caller.account_id:
        return [seen_from_caller]
    shared = {"sharedEventID": _new_id()}
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    stranger = {"type": "AWSAccount", "principalId": _principal_id(caller), "accountId": caller.account_id}
    seen_from_owner = {"eventID": _new_id(), "userIdentity": stranger, "recipientAccountId": owner}
    return [seen_from_caller | shared, {**seen_from_caller, **seen_from_owner, **shared}]


def user_identity(caller: Caller) -> Record:
    """Return the record's `userIdentity`."""
    if isinstance(caller, Service):
        return {"type": "AWSService", "invokedBy": caller.principal}
    identity: Record = {
        "type": _IDENTITY_TYPES[type(caller)],
        "principalId": _principal_id(caller),
        "arn": caller.arn,
        "accountId": caller.account_id,
        "accessKeyId": caller.access_key_id,
    }
    if isinstance(caller, User):
        return identity | {"userName": caller.name}
    if isinstance(caller, Root):
        return identity
    context: Record = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": caller.role_id,
            "arn": caller.role_arn,
            "accountId": caller.account_id,
            "userName": caller.role_name,
        },
        "attributes": {"creationDate": iso(caller.created), "mfaAuthenticated": "false"},
    }
    if caller.source_identity:
        context["sourceIdentity"] = caller.source_identity
    return identity | {"sessionContext": context}


def is_read_only(event_name: str) -> bool:
    """Return whether an event changes nothing, as CloudTrail counts it: opening a session doesn't."""
    return bool(_READ_ONLY.match(event_name))


def iso(moment: datetime) -> str:
    """Return a moment as records write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(shape: Shape | None, value: Any) -> Any:
    """Return a request's or an answer's value as records show it: names begin in lower case, secrets are left out.

    What the service's own model calls sensitive is hidden; a secret access key isn't even hinted at; contents that
    are streamed or binary don't appear.
    """
    if shape is None or value is None:
        return None
    if shape.metadata.get("sensitive") or shape.name in _HIDDEN_SHAPES:
        return HIDDEN
    if isinstance(shape, StructureShape):
        members = {
            name: plain(shape.members[name], given)
            for name, given in value.items()
            if name in shape.members and name not in _NEVER_SHOWN and shape.members[name].type_name != "blob"
        }
        return {name[0].lower() + name[1:]: shown for name, shown in members.items() if shown is not None}
    if isinstance(shape, ListShape):
        return [plain(shape.member, each) for each in value]
    if isinstance(shape, MapShape):
        return {key: plain(shape.value, each) for key, each in value.items() if shape.value.type_name != "blob"}
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%b %-d, %Y, %-I:%M:%S %p")
    return value if isinstance(value, str | int | float | bool) else None


_READ_ONLY = re.compile(
    "Get(?!FederationToken)|List|Describe|Head|Lookup|Query|Scan|Search|BatchGet|Select|Filter|View|Simulate"
    "|AssumeRole|Decrypt|Encrypt|GenerateDataKey|Verify|Validate|InvokeModel"
)
_IDENTITY_TYPES: dict[type, str] = {Root: "Root", User: "IAMUser", RoleSession: "AssumedRole"}
_NEVER_SHOWN = frozenset({"SecretAccessKey", "Body"})
# Secrets that botocore's models don't mark.
_HIDDEN_SHAPES = frozenset(
    {"SecretStringType", "PresignedDomainUrl", "NotebookInstanceUrlWithToken", "AuthorizedUrl", "accessKeySecretType"}
)

# Recorded as data events, which a trail must ask for: the services' pages under
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
_DATA_EVENTS: dict[str, re.Pattern[str]] = {
    "s3": re.compile(
        r"(Get|Put|Head|Delete|Copy|Restore)Object(s|Acl|Tagging|Attributes|Retention|LegalHold)?$|SelectObjectContent$"
        r"|(Create|Complete|Abort)MultipartUpload$|UploadPart(Copy)?$|ListParts$|ListMultipartUploads$"
        r"|ListObjects$|ListObjectVersions$|HeadBucket$"
    ),
    "dynamodb": re.compile(r"(Batch)?(Get|Write|Put|Update|Delete)Item$|Query$|Scan$|Transact|ExecuteStatement$"),
    "lambda": re.compile("Invoke"),
    "logs": re.compile("PutLogEvents$"),
    "sqs": re.compile("(Send|Receive|Delete)Message|ChangeMessageVisibility"),
    "sns": re.compile("Publish"),
    "cloudwatch": re.compile("(Put|Get)Metric(Data|Statistics|WidgetImage)$|ListMetrics$"),
    "sagemaker-runtime": re.compile("Invoke"),
}

# Events whose names aren't their operations': seen in real records.
_EVENT_NAMES: dict[tuple[str, str], str] = {
    ("s3", "ListObjectsV2"): "ListObjects",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "DeleteBucketPublicAccessBlock",
    ("s3", "GetBucketLifecycleConfiguration"): "GetBucketLifecycle",
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
    ("s3", "GetBucketNotificationConfiguration"): "GetBucketNotification",
    ("s3", "PutBucketNotificationConfiguration"): "PutBucketNotification",
}

_GLOBAL_SERVICES = frozenset({"iam", "organizations", "route53", "cloudfront"})


def _record(context: RequestContext, response: Response, caller: Caller) -> Record:
    assert context.service
    assert context.operation
    service, operation = context.service.service_name, context.operation.name
    event_name = _EVENT_NAMES.get((service, operation), operation)
    is_data = bool((pattern := _DATA_EVENTS.get(service)) and pattern.match(event_name))
    read_only = is_read_only(event_name)
    error = _error(context)
    address, agent = _origin(context, caller)
    resources = _resources(context, service)
    additional = _additional(context, response, caller, service, error)
    return {
        "eventVersion": "1.10",
        "userIdentity": user_identity(caller),
        "eventTime": iso(datetime.now(UTC)),
        "eventSource": f"{context.service.signing_name}.amazonaws.com",
        "eventName": event_name,
        "awsRegion": "us-east-1" if service in _GLOBAL_SERVICES else context.region,
        "sourceIPAddress": address,
        "userAgent": f"[{agent}]" if service == "s3" else agent,
        **error,
        "requestParameters": _request_parameters(context, service, error),
        "responseElements": None if error or is_data else _response_elements(context, event_name, read_only),
        **({"additionalEventData": additional} if additional else {}),
        "requestID": context.request_id,
        "eventID": _new_id(),
        "readOnly": read_only,
        **({"resources": resources} if resources else {}),
        "eventType": "AwsApiCall",
        "managementEvent": not is_data,
        "recipientAccountId": context.account_id if isinstance(caller, Service) else caller.account_id,
        "eventCategory": "Data" if is_data else "Management",
    }


def _new_id() -> str:
    return str(uuid.uuid4())


def _principal_id(caller: Root | User | RoleSession) -> str:
    return caller.account_id if isinstance(caller, Root) else caller.user_id


def _origin(context: RequestContext, caller: Caller) -> tuple[str, str]:
    """Return the source address and the user agent."""
    if isinstance(caller, Service):
        return caller.principal, caller.principal
    return source_ip_address(context.request.remote_addr), context.request.headers.get("User-Agent", "")


def _error(context: RequestContext) -> Record:
    refused = context.service_exception
    if refused is None:
        return {}
    code = str(getattr(refused, "code", "InternalFailure"))
    message = str(getattr(refused, "message", "") or refused)
    # Real records have AccessDenied also of services whose clients get AccessDeniedException.
    return {"errorCode": code.replace("AccessDeniedException", "AccessDenied"), "errorMessage": message}


def _request_parameters(context: RequestContext, service: str, error: Record) -> Record | None:
    """Return the parameters; real records of a refused call have none, S3's and EC2's aside."""
    if error.get("errorCode") == "AccessDenied" and service not in ("s3", "ec2"):
        return None
    assert context.operation
    given: Mapping[str, Any] = context.service_request or {}
    shown: Record = plain(context.operation.input_shape, given) or {}
    if service == "s3":
        shown["Host"] = context.request.headers.get("Host", "")
        if "bucket" in shown:
            shown = {"bucketName": shown.pop("bucket"), **shown}
    if service in ("dynamodb", "sqs", "logs"):
        # Of data events the contents don't appear, only where they went.
        contents = ("item", "requestItems", "messageBody", "entries", "logEvents", "expressionAttributeValues")
        shown = {name: HIDDEN if name in contents else value for name, value in shown.items()}
    return shown or None


def _response_elements(context: RequestContext, event_name: str, read_only: bool) -> Record | None:
    if read_only and not event_name.startswith("AssumeRole"):
        return None
    assert context.operation
    answered: Mapping[str, Any] = context.service_response or {}
    return plain(context.operation.output_shape, answered) or None


def _assumed_role(context: RequestContext) -> str | None:
    given: Mapping[str, Any] = context.service_request or {}
    is_assume = context.operation is not None and context.operation.name == "AssumeRole"
    return str(given["RoleArn"]) if is_assume else None


def _resource_account(context: RequestContext, service: str, error_code: str | None) -> str | None:
    given: Mapping[str, Any] = context.service_request or {}
    if (role := _assumed_role(context)) and not error_code:
        return role.split(":")[4]
    if service == "s3" and given.get("Bucket"):
        return emulated_account.bucket_owner(given["Bucket"])
    return None


def _resources(context: RequestContext, service: str) -> list[Record]:
    given: Mapping[str, Any] = context.service_request or {}
    if (role := _assumed_role(context)) and context.service_exception is None:
        return [{"accountId": role.split(":")[4], "type": "AWS::IAM::Role", "ARN": role}]
    if service == "s3" and given.get("Bucket"):
        return list(_s3_resources(given, context.partition, context.account_id))
    if service == "kms" and str(given.get("KeyId", "")).startswith("arn:"):
        return [{"accountId": given["KeyId"].split(":")[4], "type": "AWS::KMS::Key", "ARN": given["KeyId"]}]
    return []


def _s3_resources(given: Mapping[str, Any], partition: str, account_id: str) -> Iterator[Record]:
    bucket = f"arn:{partition}:s3:::{given['Bucket']}"
    if given.get("Key"):
        yield {"type": "AWS::S3::Object", "ARN": f"{bucket}/{given['Key']}"}
    owner = emulated_account.bucket_owner(given["Bucket"]) or account_id
    yield {"accountId": owner, "type": "AWS::S3::Bucket", "ARN": bucket}


def _additional(context: RequestContext, response: Response, caller: Caller, service: str, error: Record) -> Record:
    role = _assumed_role(context)
    if role and not error and isinstance(caller, RoleSession) and caller.role_arn == role:
        # https://aws.amazon.com/blogs/security/announcing-an-update-to-iam-role-trust-policy-behavior/
        return {"explicitTrustGrant": True}
    if service == "s3":
        return {
            "SignatureVersion": "SigV4",
            "bytesTransferredIn": context.request.content_length or 0,
            "AuthenticationMethod": "QueryString" if "X-Amz-Credential" in context.request.args else "AuthHeader",
            "bytesTransferredOut": response.content_length or 0,
        }
    return {}
