"""The AWS SDK: its clients, and its errors in words."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from .errors import MissingPackageError, ServiceError, uncapitalized


def client(service: str, region: str | None = None, *, connections: int = 10, attempts: int | None = None) -> Any:
    """Return this process's client of a service: made when it is first asked for, the same one from then on.

    `region` None stands for the configured one; `connections` is how many threads may use the client at once; `attempts`
    is how often a request is sent at most, unless the user set that (AWS_MAX_ATTEMPTS, or the profile). Raises
    MissingPackageError where boto3 isn't installed, and ServiceError where no region is configured or a setting is wrong.
    """
    with named_errors(""):
        # A forked worker inherits this module's state; a client's connections mustn't be used by two processes.
        return _client(os.getpid(), service, region, connections, attempts)


def regions_asked(regions: Sequence[str]) -> list[str]:
    """Return these regions, or else the one that the environment or the profile names.

    Raises ServiceError where there is none, and what `client` does.
    """
    names = list(regions) or [name for name in [_session().region_name] if name]
    if not names:
        raise ServiceError("no AWS region: give --region, or set AWS_REGION or AWS_DEFAULT_REGION")
    return names


def partition(region: str) -> str | None:
    """Return the partition that a region is in, such as `aws`; None where no region can have that name."""
    session = _session()
    from botocore.exceptions import UnknownRegionError

    try:
        return str(session.get_partition_for_region(region))
    except UnknownRegionError:
        return None


def is_known_region(region: str, service: str) -> bool:
    """Return whether the installed SDK knows the region; it needn't know the newest ones."""
    name = partition(region)
    return name is not None and region in _session().get_available_regions(service, name)


@contextmanager
def named_errors(permission: str) -> Iterator[None]:
    """Turn whatever the SDK raises within the block into a ServiceError.

    `permission` is the IAM action that the block needs, such as `s3:GetObject`: a refusal names it.
    """
    _require_boto3()
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ServiceError(_reason(error, permission)) from None


def _require_boto3() -> None:
    try:
        import boto3  # noqa: F401
    except ImportError:
        raise MissingPackageError("asking AWS needs boto3: pip install boto3") from None


@lru_cache
def _session() -> Any:
    # A worker does inherit this: it holds no connections, but what was read of the services, and the credentials, which
    # may have asked for an MFA code.
    _require_boto3()
    import boto3

    # As AWS's newer SDKs do, which prefer it; botocore reads the second alone.
    # https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    return boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None, botocore_session=_core_session())


@lru_cache
def _core_session() -> Any:
    from botocore.session import get_session

    return get_session()


@lru_cache
def _client(process: int, service: str, region: str | None, connections: int, attempts: int | None) -> Any:
    session = _session()
    from botocore.config import Config

    # https://docs.aws.amazon.com/boto3/latest/guide/retries.html
    config = Config(retries={"mode": "standard"}, max_pool_connections=connections)
    if attempts and _core_session().get_config_variable("max_attempts") is None:
        config = config.merge(Config(retries={"mode": "standard", "total_max_attempts": attempts}))
    return session.client(service, region_name=region, config=config)


def forget_clients() -> None:
    """Have new clients made from now on, with the configuration and credentials that the environment has then."""
    for made in (_core_session, _session, _client):
        made.cache_clear()


# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/CommonErrors.html
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation", "403"})
_BAD_CREDENTIALS = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
_ELSEWHERE = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "301"}
)
_NO_REGION = "no AWS region: set AWS_REGION or AWS_DEFAULT_REGION"
NO_SUCH_ENTITY = "there is no such role or policy"
_REASONS = {
    "NoSuchEntity": NO_SUCH_ENTITY,
    "NoSuchBucket": "there is no such bucket",
    "NoSuchKey": "there is no such object (it may have been deleted meanwhile)",
    "PreconditionFailed": "the object was changed while it was read",
    "InvalidBucketName": "no bucket can have that name",
}


def _reason(error: Exception, permission: str) -> str:
    from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

    if isinstance(error, NoCredentialsError):
        return "no AWS credentials: set AWS_PROFILE, or sign in (`aws sso login`, `aws configure`)"
    if isinstance(error, NoRegionError):
        return _NO_REGION
    if not isinstance(error, ClientError):
        return uncapitalized(str(error))
    answered: Any = error.response
    described: Any = answered.get("Error", {})
    code, message = str(described.get("Code", "")), str(described.get("Message", ""))
    if code in _REASONS:
        return _REASONS[code]
    if code in _DENIED:
        # What AWS says, where it says more than that, tells whose policy it is, and whether the KMS key's.
        return f"access denied: {permission} is missing" + (
            f" ({message})" if permission.split(":")[0] + ":" in message or "kms:" in message else ""
        )
    if code in _EXPIRED:
        return "the AWS credentials have expired: sign in again"
    if code in _BAD_CREDENTIALS:
        return (
            f"AWS doesn't accept the credentials ({code}: {message}); in a region that isn't enabled, it accepts none"
        )
    if code == "InvalidObjectState":
        return f"the object is archived ({answered.get('StorageClass') or 'Glacier'}): restore it first"
    if code in _ELSEWHERE:
        region = answered.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
        return f"the bucket is in another region ({region or message})"
    return f"{code}: {message}" if code else uncapitalized(str(error))
