"""SageMaker for LocalStack, as far as notebook instances go.

Operations, statuses and refusals follow the service's API reference:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Service.html
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import RequestContext, handler
from localstack.aws.connect import connect_to
from localstack.http import Request, Response
from localstack.services.edge import ROUTER
from localstack.services.plugins import ServiceLifecycleHook
from localstack.utils.aws.arns import get_partition

from .providers import provide
from .sagemaker_machine import BootingMachine, Machine, PretendedMachine
from .sagemaker_store import Description, LifecycleConfiguration, NotebookInstance, Store, now, page
from .sagemaker_validation import ValidationError, validate

_SERVICE = "sagemaker"
_DEFAULTS = {
    "DirectInternetAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "RootAccess": "Enabled",
    "PlatformIdentifier": "notebook-al2023-v1",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
}
# Request attributes that the description has under another name.
_DESCRIBED_AS = {
    "SecurityGroupIds": "SecurityGroups",
    "LifecycleConfigName": "NotebookInstanceLifecycleConfigName",
}
_DISASSOCIATED_BY = {
    "DisassociateLifecycleConfig": "NotebookInstanceLifecycleConfigName",
    "DisassociateAcceleratorTypes": "AcceleratorTypes",
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
}
_SUMMARY = (
    "NotebookInstanceName",
    "NotebookInstanceArn",
    "NotebookInstanceStatus",
    "Url",
    "InstanceType",
    "CreationTime",
    "LastModifiedTime",
    "NotebookInstanceLifecycleConfigName",
    "DefaultCodeRepository",
    "AdditionalCodeRepositories",
)


def register() -> None:
    """Let LocalStack answer for SageMaker, and hand out base sessions to the machines."""
    provider = SageMakerProvider(
        Path(os.environ["EMULATOR_FOLDER"]),
        boot=os.environ.get("EMULATOR_BOOT") == "1",
        endpoint_url=f"http://{os.environ['GATEWAY_LISTEN']}",
        step_seconds=float(os.environ.get("EMULATOR_STEP_SECONDS", "0.2")),
    )
    provide(provider)
    ROUTER.add(
        "/_emulator/notebook-instances/<account_id>/<region>/<name>/base-session",
        provider.answer_base_session,
        methods=["GET"],
    )


class SageMakerProvider(ServiceLifecycleHook):  # type: ignore[misc]
    """Notebook instances, their lifecycle configurations, and the tags of both."""

    service = _SERVICE

    def __init__(self, folder: Path, *, boot: bool, endpoint_url: str, step_seconds: float) -> None:
        self._folder = folder
        self._boot = boot
        self._endpoint_url = endpoint_url
        self._step_seconds = step_seconds
        self._lock = threading.RLock()
        self._stores: dict[tuple[str, str], Store] = defaultdict(Store)

    def on_before_stop(self) -> None:
        """Stop every machine with LocalStack."""
        for store in list(self._stores.values()):
            for notebook in list(store.notebook_instances.values()):
                if notebook.machine:
                    notebook.machine.stop()

    # Notebook instances

    @handler("CreateNotebookInstance", expand=False)
    def create_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a notebook instance and start it."""
        validate(context.operation.input_shape, request)
        name = request["NotebookInstanceName"]
        # The role has to let SageMaker in; on AWS, too, that is seen here.
        try:
            self._open_base_session(context.account_id, context.region, request["RoleArn"])
        except ClientError as error:
            raise ValidationError(
                f"Could not assume role {request['RoleArn']}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            ) from error
        with self._lock:
            store = self._store(context)
            if name in store.notebook_instances:
                raise ValidationError(f"Cannot create a duplicate Notebook Instance ({self._arn(context, name)})")
            self._check_lifecycle_configuration(store, context, request.get("LifecycleConfigName"))
            description: Description = {
                "NotebookInstanceArn": self._arn(context, name),
                "Url": f"{name.lower()}-{secrets.token_hex(2)}.notebook.{context.region}.sagemaker.aws",
                "CreationTime": now(),
                **_DEFAULTS,
                **{_DESCRIBED_AS.get(key, key): value for key, value in request.items() if key != "Tags"},
            }
            if request.get("SubnetId"):
                description["NetworkInterfaceId"] = f"eni-{secrets.token_hex(8)}"
            notebook = NotebookInstance(description, _tags(request))
            store.notebook_instances[name] = notebook
            self._start(context.account_id, context.region, notebook)
        return {"NotebookInstanceArn": description["NotebookInstanceArn"]}

    @handler("DescribeNotebookInstance", expand=False)
    def describe_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> Description:
        """Describe one."""
        validate(context.operation.input_shape, request)
        with self._lock:
            return dict(self._notebook(context, request).description)

    @handler("UpdateNotebookInstance", expand=False)
    def update_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Change one that is stopped or has failed; afterwards it is stopped."""
        validate(context.operation.input_shape, request)
        with self._lock:
            notebook = self._notebook(context, request)
            self._require(notebook, ("Stopped", "Failed"), "Updating")
            self._check_lifecycle_configuration(self._store(context), context, request.get("LifecycleConfigName"))
            size = request.get("VolumeSizeInGB", notebook.description["VolumeSizeInGB"])
            if size < notebook.description["VolumeSizeInGB"]:
                raise ValidationError("VolumeSizeInGB can't be smaller than the size that the volume has.")
            for flag, attribute in _DISASSOCIATED_BY.items():
                if request.get(flag):
                    notebook.description.pop(attribute, None)
            notebook.description |= {
                _DESCRIBED_AS.get(key, key): value for key, value in request.items() if key not in _DISASSOCIATED_BY
            }
            notebook.description.pop("FailureReason", None)
            notebook.status = "Updating"
            self._later(lambda: setattr(notebook, "status", "Stopped"))
        return {}

    @handler("StartNotebookInstance", expand=False)
    def start_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Start one that is stopped or has failed."""
        validate(context.operation.input_shape, request)
        with self._lock:
            notebook = self._notebook(context, request)
            self._require(notebook, ("Stopped", "Failed"), "Pending")
            self._start(context.account_id, context.region, notebook)

    @handler("StopNotebookInstance", expand=False)
    def stop_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Stop one that is in service."""
        validate(context.operation.input_shape, request)
        with self._lock:
            notebook = self._notebook(context, request)
            self._require(notebook, ("InService",), "Stopping")
            notebook.status = "Stopping"
            machine, notebook.machine = notebook.machine, None

        def stop() -> None:
            if machine:
                machine.stop()
            notebook.status = "Stopped"

        self._later(stop)

    @handler("DeleteNotebookInstance", expand=False)
    def delete_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Delete one that is stopped or has failed, and its volume."""
        validate(context.operation.input_shape, request)
        with self._lock:
            notebook = self._notebook(context, request)
            self._require(notebook, ("Stopped", "Failed"), "Deleting")
            notebook.status = "Deleting"
            store = self._store(context)
            folder = self._machine_folder(context.account_id, context.region, notebook.name)

        def delete() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            del store.notebook_instances[notebook.name]

        self._later(delete)

    @handler("ListNotebookInstances", expand=False)
    def list_notebook_instances(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List them, filtered, sorted and in pages."""
        validate(context.operation.input_shape, request)
        with self._lock:
            found = [dict(each.description) for each in self._store(context).notebook_instances.values()]
        if status := request.get("StatusEquals"):
            found = [each for each in found if each["NotebookInstanceStatus"] == status]
        if name := request.get("NotebookInstanceLifecycleConfigNameContains"):
            found = [each for each in found if name in each.get("NotebookInstanceLifecycleConfigName", "")]
        if repository := request.get("DefaultCodeRepositoryContains"):
            found = [each for each in found if repository in each.get("DefaultCodeRepository", "")]
        if repository := request.get("AdditionalCodeRepositoryEquals"):
            found = [each for each in found if repository in each.get("AdditionalCodeRepositories", [])]
        shown, token = page(found, request, "NotebookInstanceName")
        summaries = [{key: each[key] for key in _SUMMARY if key in each} for each in shown]
        return {"NotebookInstances": summaries} | ({"NextToken": token} if token else {})

    @handler("CreatePresignedNotebookInstanceUrl", expand=False)
    def create_presigned_notebook_instance_url(
        self, context: RequestContext, request: dict[str, Any]
    ) -> dict[str, Any]:
        """Answer a URL, behind which nothing stands here."""
        validate(context.operation.input_shape, request)
        with self._lock:
            notebook = self._notebook(context, request)
            self._require(notebook, ("InService",), "InService")
            return {"AuthorizedUrl": f"https://{notebook.description['Url']}?authToken={secrets.token_urlsafe(32)}"}

    # Lifecycle configurations

    @handler("CreateNotebookInstanceLifecycleConfig", expand=False)
    def create_lifecycle_configuration(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a lifecycle configuration."""
        validate(context.operation.input_shape, request)
        name = request["NotebookInstanceLifecycleConfigName"]
        arn = self._lifecycle_configuration_arn(context, name)
        with self._lock:
            store = self._store(context)
            if name in store.lifecycle_configurations:
                raise ValidationError(
                    f"Unable to create Notebook Instance Lifecycle Config {arn}. "
                    "(Details: Notebook Instance Lifecycle Config already exists.)"
                )
            description = {
                "NotebookInstanceLifecycleConfigArn": arn,
                "CreationTime": now(),
                "LastModifiedTime": now(),
                **{key: value for key, value in request.items() if key != "Tags"},
            }
            store.lifecycle_configurations[name] = LifecycleConfiguration(description, _tags(request))
        return {"NotebookInstanceLifecycleConfigArn": arn}

    @handler("DescribeNotebookInstanceLifecycleConfig", expand=False)
    def describe_lifecycle_configuration(self, context: RequestContext, request: dict[str, Any]) -> Description:
        """Describe one, with its scripts."""
        validate(context.operation.input_shape, request)
        with self._lock:
            return dict(self._lifecycle_configuration(context, request, "describe").description)

    @handler("UpdateNotebookInstanceLifecycleConfig", expand=False)
    def update_lifecycle_configuration(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Replace its scripts; instances have them from their next start."""
        validate(context.operation.input_shape, request)
        with self._lock:
            configuration = self._lifecycle_configuration(context, request, "update")
            configuration.description |= {**request, "LastModifiedTime": now()}
        return {}

    @handler("DeleteNotebookInstanceLifecycleConfig", expand=False)
    def delete_lifecycle_configuration(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Delete one that no notebook instance uses."""
        validate(context.operation.input_shape, request)
        with self._lock:
            self._lifecycle_configuration(context, request, "delete")
            store, name = self._store(context), request["NotebookInstanceLifecycleConfigName"]
            users = [
                each.name
                for each in store.notebook_instances.values()
                if each.description.get("NotebookInstanceLifecycleConfigName") == name
            ]
            if users:
                raise ValidationError(
                    f"Unable to delete Notebook Instance Lifecycle Config {self._lifecycle_configuration_arn(context, name)}. "
                    f"(Details: Notebook Instance Lifecycle Config is in use by: {', '.join(users)}.)"
                )
            del store.lifecycle_configurations[name]

    @handler("ListNotebookInstanceLifecycleConfigs", expand=False)
    def list_lifecycle_configurations(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List them, filtered, sorted and in pages."""
        validate(context.operation.input_shape, request)
        with self._lock:
            found = [dict(each.description) for each in self._store(context).lifecycle_configurations.values()]
        shown, token = page(found, request, "NotebookInstanceLifecycleConfigName")
        for each in shown:
            each.pop("OnCreate", None)
            each.pop("OnStart", None)
        return {"NotebookInstanceLifecycleConfigs": shown} | ({"NextToken": token} if token else {})

    # Tags

    @handler("AddTags", expand=False)
    def add_tags(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Add tags, or change them; answers all of them."""
        validate(context.operation.input_shape, request)
        with self._lock:
            tags = self._tags_of(context, request["ResourceArn"])
            tags |= _tags(request)
            return {"Tags": _tag_list(tags)}

    @handler("ListTags", expand=False)
    def list_tags(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List a resource's tags."""
        validate(context.operation.input_shape, request)
        with self._lock:
            return {"Tags": _tag_list(self._tags_of(context, request["ResourceArn"]))}

    @handler("DeleteTags", expand=False)
    def delete_tags(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Remove tags."""
        validate(context.operation.input_shape, request)
        with self._lock:
            tags = self._tags_of(context, request["ResourceArn"])
            for key in request["TagKeys"]:
                tags.pop(key, None)
        return {}

    # Base sessions

    def answer_base_session(self, _: Request, account_id: str, region: str, name: str) -> Response:
        """Answer an instance's metadata service with the credentials of the session that SageMaker opens for it."""
        with self._lock:
            notebook = self._stores[account_id, region].notebook_instances.get(name)
        if notebook is None:
            return Response(json.dumps({"message": f"no notebook instance {name}"}), 404)
        try:
            credentials = self._open_base_session(account_id, region, notebook.description["RoleArn"])
        except ClientError as error:
            return Response(json.dumps({"message": error.response["Error"]["Message"]}), 403)
        return Response(json.dumps(credentials, default=lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")), 200)

    def _open_base_session(self, account_id: str, region: str, role_arn: str) -> dict[str, Any]:
        sts = connect_to(aws_access_key_id=account_id, region_name=region).sts
        opened = sts.request_metadata(service_principal="sagemaker").assume_role(
            RoleArn=role_arn, RoleSessionName="SageMaker"
        )
        return dict(opened["Credentials"])

    # What the operations share

    def _store(self, context: RequestContext) -> Store:
        return self._stores[context.account_id, context.region]

    def _notebook(self, context: RequestContext, request: dict[str, Any]) -> NotebookInstance:
        try:
            return self._store(context).notebook_instances[request["NotebookInstanceName"]]
        except KeyError:
            raise ValidationError("RecordNotFound") from None

    def _require(self, notebook: NotebookInstance, statuses: tuple[str, ...], target: str) -> None:
        if notebook.status not in statuses:
            raise ValidationError(
                f"Status ({notebook.status}) not in ([{', '.join(statuses)}]). Unable to transition to ({target}) for "
                f"Notebook Instance ({notebook.description['NotebookInstanceArn']})"
            )

    def _lifecycle_configuration(
        self, context: RequestContext, request: dict[str, Any], verb: str
    ) -> LifecycleConfiguration:
        name = request["NotebookInstanceLifecycleConfigName"]
        try:
            return self._store(context).lifecycle_configurations[name]
        except KeyError:
            raise ValidationError(
                f"Unable to {verb} Notebook Instance Lifecycle Config {self._lifecycle_configuration_arn(context, name)}. "
                "(Details: Notebook Instance Lifecycle Config does not exist.)"
            ) from None

    def _check_lifecycle_configuration(self, store: Store, context: RequestContext, name: str | None) -> None:
        if name is not None and name not in store.lifecycle_configurations:
            raise ValidationError(
                f"Notebook Instance Lifecycle Config {self._lifecycle_configuration_arn(context, name)} does not exist."
            )

    def _tags_of(self, context: RequestContext, arn: str) -> dict[str, str]:
        store = self._store(context)
        for notebook in store.notebook_instances.values():
            if notebook.description["NotebookInstanceArn"] == arn:
                return notebook.tags
        for configuration in store.lifecycle_configurations.values():
            if configuration.description["NotebookInstanceLifecycleConfigArn"] == arn:
                return configuration.tags
        raise ValidationError(f"The resource {arn} does not exist.")

    def _arn(self, context: RequestContext, name: str) -> str:
        prefix = f"arn:{get_partition(context.region)}:sagemaker:{context.region}:{context.account_id}"
        return f"{prefix}:notebook-instance/{name.lower()}"

    def _lifecycle_configuration_arn(self, context: RequestContext, name: str) -> str:
        prefix = f"arn:{get_partition(context.region)}:sagemaker:{context.region}:{context.account_id}"
        return f"{prefix}:notebook-instance-lifecycle-config/{name.lower()}"

    def _machine_folder(self, account_id: str, region: str, name: str) -> Path:
        return self._folder / "notebook-instances" / account_id / region / name

    def _later(self, act: Callable[[], None]) -> None:
        def locked() -> None:
            with self._lock:
                act()

        timer = threading.Timer(self._step_seconds, locked)
        timer.daemon = True
        timer.start()

    def _start(self, account_id: str, region: str, notebook: NotebookInstance) -> None:
        notebook.status = "Pending"
        notebook.description.pop("FailureReason", None)

        def in_service() -> None:
            with self._lock:
                notebook.status = "InService"

        def failed(reason: str) -> None:
            with self._lock:
                notebook.description["FailureReason"] = reason
                notebook.status = "Failed"
                notebook.machine = None

        notebook.machine = self._machine(account_id, region, notebook, in_service, failed)
        notebook.booted_before = True

    def _machine(
        self,
        account_id: str,
        region: str,
        notebook: NotebookInstance,
        in_service: Callable[[], None],
        failed: Callable[[str], None],
    ) -> Machine:
        if not self._boot:
            return PretendedMachine(self._step_seconds, in_service)
        folder = self._machine_folder(account_id, region, notebook.name)
        folder.mkdir(parents=True, exist_ok=True)
        scripts: Description = {}
        if name := notebook.description.get("NotebookInstanceLifecycleConfigName"):
            scripts = self._stores[account_id, region].lifecycle_configurations[name].description
        metadata = notebook.description["InstanceMetadataServiceConfiguration"]
        base_session = f"_emulator/notebook-instances/{account_id}/{region}/{notebook.name}/base-session"
        return BootingMachine(
            {
                "name": notebook.name,
                "arn": notebook.description["NotebookInstanceArn"],
                "account_id": account_id,
                "region": region,
                "folder": str(folder),
                "endpoint_url": self._endpoint_url,
                "base_session_url": f"{self._endpoint_url}/{base_session}",
                "minimum_instance_metadata_service_version": metadata["MinimumInstanceMetadataServiceVersion"],
                "root_access": notebook.description["RootAccess"],
                "on_create": None if notebook.booted_before else _content(scripts, "OnCreate"),
                "on_start": _content(scripts, "OnStart"),
            },
            in_service,
            failed,
        )


def _content(lifecycle_configuration: Description, hook: str) -> str | None:
    hooks = lifecycle_configuration.get(hook) or [{}]
    return hooks[0].get("Content")


def _tags(request: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
