"""SageMaker Studio, as far as the sessions of its apps go: domains, user profiles, spaces and apps. No app runs.

An app's session is one that SageMaker opens on the execution role, under the name `SageMaker`. Where the domain's
ExecutionRoleIdentityConfig is USER_PROFILE_NAME it carries the user profile's name as its source identity, a shared space's
aside:
https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DomainSettingsForUpdate.html
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.http import Request, Response

from .sagemaker_account import Accounts, operation, tags_in
from .sagemaker_jobs import open_session
from .sagemaker_store import Description, StudioResource, now, page
from .sagemaker_validation import ValidationError

_CONFIG, _SWITCHED_ON = "ExecutionRoleIdentityConfig", "USER_PROFILE_NAME"
_SHOWN_IN_LISTS = {
    "domain": ("DomainArn", "DomainId", "DomainName", "Status", "CreationTime", "LastModifiedTime", "Url"),
    "user-profile": ("DomainId", "UserProfileName", "Status", "CreationTime", "LastModifiedTime"),
    "space": ("DomainId", "SpaceName", "Status", "CreationTime", "LastModifiedTime"),
    "app": ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName", "Status", "CreationTime"),
}
_Key = tuple[str, ...]


class ResourceNotFoundError(CommonServiceException):
    """SageMaker's `ResourceNotFound`."""

    def __init__(self, what: str) -> None:
        super().__init__("ResourceNotFound", f"{what} does not exist.", 400, True)


class ResourceInUseError(CommonServiceException):
    """SageMaker's `ResourceInUse`."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message, 400, True)


class StudioOperations(Accounts):
    """Domains and what is in them; and the sessions of apps."""

    # Domains

    @operation("CreateDomain")
    def create_domain(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a domain, which is in service at once."""
        domain_id = f"d-{secrets.token_hex(6)}"
        url = f"https://{domain_id}.studio.{context.region}.sagemaker.aws"
        created = {"DomainId": domain_id, "Url": url, "HomeEfsFileSystemId": f"fs-{secrets.token_hex(8)}"}
        defaults = {"AppNetworkAccessType": "PublicInternetOnly", "DomainSettings": {}, "TagPropagation": "DISABLED"}
        made = self._make(context, "domain", (domain_id,), {**defaults, **request, **created})
        return {"DomainArn": made["DomainArn"], "DomainId": domain_id, "Url": url}

    @operation("DescribeDomain")
    def describe_domain(self, context: RequestContext, request: dict[str, Any]) -> Description:
        """Describe one."""
        return self._described(context, "domain", (request["DomainId"],))

    @operation("UpdateDomain")
    def update_domain(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Change one. Whose names its sessions carry can be changed only while no app runs."""
        with self.lock:
            description = self._found(context, "domain", (request["DomainId"],)).description
            given = dict(request.get("DomainSettingsForUpdate") or {})
            before = description["DomainSettings"]
            if given.get(_CONFIG, before.get(_CONFIG)) != before.get(_CONFIG) and self._has_apps(context, request):
                raise ValidationError(
                    f"Unable to update {_CONFIG}: the domain {request['DomainId']} has apps that are InService or Pending."
                )
            studio_server = given.pop("RStudioServerProDomainSettingsForUpdate", None)
            given |= {"RStudioServerProDomainSettings": studio_server} if studio_server else {}
            changed = {key: value for key, value in request.items() if key != "DomainSettingsForUpdate"}
            description |= {**changed, "DomainSettings": {**before, **given}, "LastModifiedTime": now()}
            return {"DomainArn": description["DomainArn"]}

    @operation("DeleteDomain")
    def delete_domain(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Delete one that is empty."""
        with self.lock:
            resources = self.store(context).studio
            if any(key[0] == request["DomainId"] for kind, *key in resources if kind != "domain"):
                raise ResourceInUseError(f"The domain {request['DomainId']} still has user profiles, spaces or apps.")
            self._delete(context, "domain", (request["DomainId"],))

    @operation("ListDomains")
    def list_domains(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List them."""
        return self._listed(context, request, "domain", "Domains", "DomainName")

    # User profiles

    @operation("CreateUserProfile")
    def create_user_profile(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a user profile."""
        key = (request["DomainId"], request["UserProfileName"])
        return {"UserProfileArn": self._make(context, "user-profile", key, request)["UserProfileArn"]}

    @operation("DescribeUserProfile")
    def describe_user_profile(self, context: RequestContext, request: dict[str, Any]) -> Description:
        """Describe one."""
        return self._described(context, "user-profile", (request["DomainId"], request["UserProfileName"]))

    @operation("DeleteUserProfile")
    def delete_user_profile(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Delete one."""
        self._delete(context, "user-profile", (request["DomainId"], request["UserProfileName"]))

    @operation("ListUserProfiles")
    def list_user_profiles(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List them."""
        return self._listed(context, request, "user-profile", "UserProfiles", "UserProfileName")

    @operation("CreatePresignedDomainUrl")
    def create_presigned_domain_url(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a URL by which somebody works as a user profile; nothing stands behind it here."""
        domain = self._described(context, "domain", (request["DomainId"],))
        self._described(context, "user-profile", (request["DomainId"], request["UserProfileName"]))
        return {"AuthorizedUrl": f"{domain['Url']}/auth?token={secrets.token_urlsafe(32)}"}

    # Spaces

    @operation("CreateSpace")
    def create_space(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a space: a private one of a user profile, or a shared one."""
        return {
            "SpaceArn": self._make(context, "space", (request["DomainId"], request["SpaceName"]), request)["SpaceArn"]
        }

    @operation("DeleteSpace")
    def delete_space(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Delete one."""
        self._delete(context, "space", (request["DomainId"], request["SpaceName"]))

    # Apps

    @operation("CreateApp")
    def create_app(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create an app of a user profile's or a space's, and open its session."""
        session = self._open(context, request)
        return {"AppArn": self._make(context, "app", _of_app(request), request, session)["AppArn"]}

    @operation("DeleteApp")
    def delete_app(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Delete one."""
        self._delete(context, "app", _of_app(request))

    @operation("ListApps")
    def list_apps(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List them."""
        return self._listed(context, request, "app", "Apps", "AppName")

    def answer_app_session(self, _: Request, account_id: str, region: str, domain: str, name: str) -> Response:
        """Answer what runs in a domain's app of this name with the credentials of its session."""
        with self.lock:
            found = self.stores[account_id, region].studio.items()
            sessions = [
                each.session for (kind, *key), each in found if kind == "app" and (key[0], key[-1]) == (domain, name)
            ]
        if not sessions:
            return Response(json.dumps({"message": f"no app {name}"}), 404)
        return Response(json.dumps(sessions[0], default=lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")), 200)

    def _open(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        domain = self._described(context, "domain", (request["DomainId"],))
        space, profile = request.get("SpaceName"), request.get("UserProfileName")
        settings = domain["DefaultUserSettings"]
        if space:
            made = self._described(context, "space", (request["DomainId"], space))
            if made.get("SpaceSharingSettings", {}).get("SharingType") == "Private":
                profile = made["OwnershipSettings"]["OwnerUserProfileName"]
            else:
                settings = domain.get("DefaultSpaceSettings") or settings
        if profile:
            own = self._described(context, "user-profile", (request["DomainId"], profile)).get("UserSettings") or {}
            settings = settings | own
        is_on = domain["DomainSettings"].get(_CONFIG) == _SWITCHED_ON
        try:
            return open_session(
                context.account_id, context.region, settings["ExecutionRole"], profile if is_on else None
            )
        except ClientError as error:
            raise ValidationError(
                f"Could not assume role {settings['ExecutionRole']}: {error.response['Error']['Message']}"
            ) from error

    def _has_apps(self, context: RequestContext, request: dict[str, Any]) -> bool:
        return any(kind == "app" and key[0] == request["DomainId"] for kind, *key in self.store(context).studio)

    # What all have in common

    def _make(self, context: RequestContext, kind: str, key: _Key, request: dict[str, Any], session: dict[str, Any] | None = None) -> Description:  # fmt: skip
        with self.lock:
            if kind != "domain":
                self._found(context, "domain", key[:1])
            if (kind, *key) in self.store(context).studio:
                raise ResourceInUseError(f"{kind} {'/'.join(key)} already exists.")
            prefix = f"arn:{context.partition}:sagemaker:{context.region}:{context.account_id}:{kind}"
            arn_name = "".join(part.capitalize() for part in kind.split("-")) + "Arn"
            description = {key: value for key, value in request.items() if key != "Tags"} | {
                arn_name: f"{prefix}/{'/'.join(key)}",
                "Status": "InService",
                "CreationTime": now(),
                "LastModifiedTime": now(),
            }
            self.store(context).studio[kind, *key] = StudioResource(description, tags_in(request), session)
            return description

    def _found(self, context: RequestContext, kind: str, key: _Key) -> StudioResource:
        try:
            return self.store(context).studio[kind, *key]
        except KeyError:
            raise ResourceNotFoundError(f"{kind} {'/'.join(key)}") from None

    def _described(self, context: RequestContext, kind: str, key: _Key) -> Description:
        with self.lock:
            return dict(self._found(context, kind, key).description)

    def _delete(self, context: RequestContext, kind: str, key: _Key) -> None:
        with self.lock:
            self._found(context, kind, key)
            del self.store(context).studio[kind, *key]

    def _listed(
        self, context: RequestContext, request: dict[str, Any], kind: str, member: str, name: str
    ) -> dict[str, Any]:
        with self.lock:
            found = [
                dict(each.description) for (of_kind, *_), each in self.store(context).studio.items() if of_kind == kind
            ]
        for asked, key in (("DomainIdEquals", "DomainId"), ("UserProfileNameEquals", "UserProfileName")):
            if value := request.get(asked):
                found = [each for each in found if each.get(key) == value]
        shown, token = page(found, request, name)
        summaries = [{key: each[key] for key in _SHOWN_IN_LISTS[kind] if key in each} for each in shown]
        return {member: summaries} | ({"NextToken": token} if token else {})


def _of_app(request: dict[str, Any]) -> _Key:
    of_whom = request.get("UserProfileName") or request.get("SpaceName")
    if not of_whom:
        raise ValidationError("Either UserProfileName or SpaceName must be given.")
    return request["DomainId"], of_whom, request["AppType"], request["AppName"]
