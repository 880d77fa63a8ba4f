"""SageMaker for LocalStack, as far as notebook instances and the sessions of jobs and Studio's apps go.

Operations, statuses and refusals follow the service's API reference:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Service.html
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from botocore.exceptions import ClientError
from localstack.aws.api import RequestContext
from localstack.http import Request, Response
from localstack.services.edge import ROUTER
from localstack.services.plugins import ServiceLifecycleHook

from .network import LAYOUT_TAG, LAYOUTS
from .providers import provide
from .sagemaker_account import operation, tags_in
from .sagemaker_jobs import JobOperations, open_session
from .sagemaker_lifecycle import LifecycleConfigurationOperations
from .sagemaker_machine import BootingMachine, Machine, PretendedMachine
from .sagemaker_store import Description, StoredNotebook, now, page
from .sagemaker_studio import StudioOperations
from .sagemaker_tags import TagOperations
from .sagemaker_validation import ValidationError

_SERVICE = "sagemaker"
_DEFAULTS = {
    "DirectInternetAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "RootAccess": "Enabled",
    "PlatformIdentifier": "notebook-al2023-v1",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
}
_ON_THE_WAY = ("Pending", "Stopping", "Updating", "Deleting")
_LONGEST_ANSWER = 10.0  # seconds
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
    provider.keeps_omitted_scripts = os.environ.get("EMULATOR_KEEPS_OMITTED_SCRIPTS") != "0"
    provide(provider)
    ROUTER.add(
        "/_emulator/notebook-instances/<account_id>/<region>/<name>/base-session",
        cast(Any, provider.answer_base_session),
        methods=["GET"],
    )
    ROUTER.add(
        "/_emulator/notebook-instances/<account_id>/<region>/<name>/settled",
        cast(Any, provider.answer_when_settled),
        methods=["GET"],
    )
    ROUTER.add(
        "/_emulator/jobs/<account_id>/<region>/<name>/session", cast(Any, provider.answer_job_session), methods=["GET"]
    )
    ROUTER.add(
        "/_emulator/apps/<account_id>/<region>/<domain>/<name>/session",
        cast(Any, provider.answer_app_session),
        methods=["GET"],
    )


class SageMakerProvider(
    JobOperations, LifecycleConfigurationOperations, StudioOperations, TagOperations, ServiceLifecycleHook
):
    """Notebook instances, their lifecycle configurations, jobs, Studio's domains, and the tags of all."""

    service = _SERVICE

    def __init__(self, folder: Path, *, boot: bool, endpoint_url: str, step_seconds: float) -> None:
        super().__init__()
        self._folder = folder
        self._boot = boot
        self._endpoint_url = endpoint_url
        self._step_seconds = step_seconds
        self._changed = threading.Condition(self.lock)

    def on_before_stop(self) -> None:
        """Stop every machine with LocalStack."""
        for store in list(self.stores.values()):
            for notebook in list(store.notebook_instances.values()):
                if notebook.machine:
                    notebook.machine.stop()

    # Notebook instances

    @operation("CreateNotebookInstance")
    def create_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a notebook instance and start it."""
        name = request["NotebookInstanceName"]
        # The role has to let SageMaker in; on AWS, too, that is seen here.
        try:
            open_session(context.account_id, context.region, request["RoleArn"])
        except ClientError as error:
            raise ValidationError(
                f"Could not assume role {request['RoleArn']}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            ) from error
        with self.lock:
            store = self.store(context)
            if name in store.notebook_instances:
                raise ValidationError(
                    f"Cannot create a duplicate Notebook Instance ({self.notebook_arn(context, name)})"
                )
            self.check_lifecycle_configuration(store, context, request.get("LifecycleConfigName"))
            description: Description = {
                "NotebookInstanceArn": self.notebook_arn(context, name),
                "Url": f"{name.lower()}-{secrets.token_hex(2)}.notebook.{context.region}.sagemaker.aws",
                "CreationTime": now(),
                **_DEFAULTS,
                **{_DESCRIBED_AS.get(key, key): value for key, value in request.items() if key != "Tags"},
            }
            if request.get("SubnetId"):
                description["NetworkInterfaceId"] = f"eni-{secrets.token_hex(8)}"
            notebook = StoredNotebook(description, tags_in(request))
            store.notebook_instances[name] = notebook
            self._start(context.account_id, context.region, notebook)
        return {"NotebookInstanceArn": description["NotebookInstanceArn"]}

    @operation("DescribeNotebookInstance")
    def describe_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> Description:
        """Describe one."""
        with self.lock:
            return dict(self.notebook(context, request).description)

    @operation("UpdateNotebookInstance")
    def update_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Change one that is stopped or has failed; afterwards it is stopped."""
        with self.lock:
            notebook = self.notebook(context, request)
            self.require(notebook, ("Stopped", "Failed"), "Updating")
            self.check_lifecycle_configuration(self.store(context), context, request.get("LifecycleConfigName"))
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

    @operation("StartNotebookInstance")
    def start_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Start one that is stopped or has failed."""
        with self.lock:
            notebook = self.notebook(context, request)
            self.require(notebook, ("Stopped", "Failed"), "Pending")
            self._start(context.account_id, context.region, notebook)

    @operation("StopNotebookInstance")
    def stop_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Stop one that is in service."""
        with self.lock:
            notebook = self.notebook(context, request)
            self.require(notebook, ("InService",), "Stopping")
            notebook.status = "Stopping"
            machine, notebook.machine = notebook.machine, None

        def stop() -> None:
            if machine:
                machine.stop()
            notebook.status = "Stopped"

        self._later(stop)

    @operation("DeleteNotebookInstance")
    def delete_notebook_instance(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Delete one that is stopped or has failed, and its volume."""
        with self.lock:
            notebook = self.notebook(context, request)
            self.require(notebook, ("Stopped", "Failed"), "Deleting")
            notebook.status = "Deleting"
            store = self.store(context)
            folder = self._machine_folder(context.account_id, context.region, notebook.name)

        def delete() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            del store.notebook_instances[notebook.name]

        self._later(delete)

    @operation("ListNotebookInstances")
    def list_notebook_instances(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List them, filtered, sorted and in pages."""
        with self.lock:
            found = [dict(each.description) for each in self.store(context).notebook_instances.values()]
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

    @operation("CreatePresignedNotebookInstanceUrl")
    def create_presigned_notebook_instance_url(
        self, context: RequestContext, request: dict[str, Any]
    ) -> dict[str, Any]:
        """Answer a URL, behind which nothing stands here."""
        with self.lock:
            notebook = self.notebook(context, request)
            self.require(notebook, ("InService",), "InService")
            return {"AuthorizedUrl": f"https://{notebook.description['Url']}?authToken={secrets.token_urlsafe(32)}"}

    def answer_when_settled(self, _: Request, account_id: str, region: str, name: str) -> Response:
        """Answer as soon as an instance is no longer starting or stopping, or after some seconds."""

        def settled() -> bool:
            notebook = self.stores[account_id, region].notebook_instances.get(name)
            return notebook is None or notebook.status not in _ON_THE_WAY

        with self._changed:
            return Response(status=200 if self._changed.wait_for(settled, _LONGEST_ANSWER) else 202)

    # Base sessions

    def answer_base_session(self, _: Request, account_id: str, region: str, name: str) -> Response:
        """Answer an instance's metadata service with the credentials of the session that SageMaker opens for it."""
        with self.lock:
            notebook = self.stores[account_id, region].notebook_instances.get(name)
        if notebook is None:
            return Response(json.dumps({"message": f"no notebook instance {name}"}), 404)
        try:
            credentials = open_session(account_id, region, notebook.description["RoleArn"])
        except ClientError as error:
            return Response(json.dumps({"message": error.response["Error"]["Message"]}), 403)
        return Response(json.dumps(credentials, default=lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")), 200)

    # Machines

    def _machine_folder(self, account_id: str, region: str, name: str) -> Path:
        return self._folder / "notebook-instances" / account_id / region / name

    def _later(self, act: Callable[[], None]) -> None:
        def locked() -> None:
            with self._changed:
                act()
                self._changed.notify_all()

        timer = threading.Timer(self._step_seconds, locked)
        timer.daemon = True
        timer.start()

    def _start(self, account_id: str, region: str, notebook: StoredNotebook) -> None:
        notebook.status = "Pending"
        notebook.description.pop("FailureReason", None)

        def in_service() -> None:
            with self._changed:
                notebook.status = "InService"
                self._changed.notify_all()

        def failed(reason: str) -> None:
            with self._changed:
                notebook.description["FailureReason"] = reason
                notebook.status = "Failed"
                notebook.machine = None
                self._changed.notify_all()

        notebook.machine = self._machine(account_id, region, notebook, in_service, failed)
        notebook.booted_before = True

    def _machine(
        self,
        account_id: str,
        region: str,
        notebook: StoredNotebook,
        in_service: Callable[[], None],
        failed: Callable[[str], None],
    ) -> Machine:
        if not self._boot:
            return PretendedMachine(self._step_seconds, in_service)
        folder = self._machine_folder(account_id, region, notebook.name)
        folder.mkdir(parents=True, exist_ok=True)
        scripts: Description = {}
        if name := notebook.description.get("NotebookInstanceLifecycleConfigName"):
            scripts = self.stores[account_id, region].lifecycle_configurations[name].description
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
                "layout": notebook.tags.get(LAYOUT_TAG, LAYOUTS[0]),
                "root_access": notebook.description["RootAccess"],
                "lifecycle_config_arn": scripts.get("NotebookInstanceLifecycleConfigArn", ""),
                "on_create": None if notebook.booted_before else _content(scripts, "OnCreate"),
                "on_start": _content(scripts, "OnStart"),
            },
            in_service,
            failed,
        )


def _content(lifecycle_configuration: Description, hook: str) -> str | None:
    content: str | None = (lifecycle_configuration.get(hook) or [{}])[0].get("Content")
    return content
