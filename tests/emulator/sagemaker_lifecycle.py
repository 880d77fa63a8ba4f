"""SageMaker's operations on lifecycle configurations."""

from __future__ import annotations

from typing import Any

from localstack.aws.api import RequestContext

from .sagemaker_account import Accounts, operation, tags_in
from .sagemaker_store import Description, LifecycleConfiguration, now, page
from .sagemaker_validation import ValidationError


class LifecycleConfigurationOperations(Accounts):
    """Create, describe, update, delete and list them."""

    keeps_omitted_scripts = True

    @operation("CreateNotebookInstanceLifecycleConfig")
    def create_lifecycle_configuration(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a lifecycle configuration."""
        name = request["NotebookInstanceLifecycleConfigName"]
        arn = self.lifecycle_configuration_arn(context, name)
        with self.lock:
            store = self.store(context)
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
            store.lifecycle_configurations[name] = LifecycleConfiguration(description, tags_in(request))
        return {"NotebookInstanceLifecycleConfigArn": arn}

    @operation("DescribeNotebookInstanceLifecycleConfig")
    def describe_lifecycle_configuration(self, context: RequestContext, request: dict[str, Any]) -> Description:
        """Describe one, with its scripts."""
        with self.lock:
            return dict(self.lifecycle_configuration(context, request, "describe").description)

    @operation("UpdateNotebookInstanceLifecycleConfig")
    def update_lifecycle_configuration(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Replace its scripts; instances have them from their next start."""
        with self.lock:
            description = self.lifecycle_configuration(context, request, "update").description
            if not self.keeps_omitted_scripts:
                for hook in ("OnCreate", "OnStart"):
                    description.pop(hook, None)
            description |= {**request, "LastModifiedTime": now()}
        return {}

    @operation("DeleteNotebookInstanceLifecycleConfig")
    def delete_lifecycle_configuration(self, context: RequestContext, request: dict[str, Any]) -> None:
        """Delete one that no notebook instance uses."""
        with self.lock:
            self.lifecycle_configuration(context, request, "delete")
            store, name = self.store(context), request["NotebookInstanceLifecycleConfigName"]
            users = [
                each.name
                for each in store.notebook_instances.values()
                if each.description.get("NotebookInstanceLifecycleConfigName") == name
            ]
            if users:
                raise ValidationError(
                    f"Unable to delete Notebook Instance Lifecycle Config {self.lifecycle_configuration_arn(context, name)}. "
                    f"(Details: Notebook Instance Lifecycle Config is in use by: {', '.join(users)}.)"
                )
            del store.lifecycle_configurations[name]

    @operation("ListNotebookInstanceLifecycleConfigs")
    def list_lifecycle_configurations(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List them, filtered, sorted and in pages."""
        with self.lock:
            found = [dict(each.description) for each in self.store(context).lifecycle_configurations.values()]
        shown, token = page(found, request, "NotebookInstanceLifecycleConfigName")
        for each in shown:
            each.pop("OnCreate", None)
            each.pop("OnStart", None)
        return {"NotebookInstanceLifecycleConfigs": shown} | ({"NextToken": token} if token else {})
