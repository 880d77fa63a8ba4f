"""What all of SageMaker's operations share: the accounts' stores, and how an operation finds what it names."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from localstack.aws.api import RequestContext, handler
from localstack.utils.aws.arns import get_partition

from .sagemaker_store import LifecycleConfiguration, Store, StoredNotebook
from .sagemaker_validation import ValidationError, validate

Operation = Callable[[Any, RequestContext, dict[str, Any]], Any]


def operation(name: str) -> Callable[[Operation], Operation]:
    """Have a method answer for an operation, once the request has passed the constraints of the service's model."""

    def decorate(method: Operation) -> Operation:
        @handler(name, expand=False)
        @wraps(method)
        def checked(self: Any, context: RequestContext, request: dict[str, Any]) -> Any:
            validate(context.operation.input_shape if context.operation else None, request)
            return method(self, context, request)

        return checked

    return decorate


class Accounts:
    """The notebook instances and lifecycle configurations of all accounts and regions."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.stores: dict[tuple[str, str], Store] = defaultdict(Store)

    def store(self, context: RequestContext) -> Store:
        """Return the store of the request's account and region."""
        return self.stores[context.account_id, context.region]

    def notebook(self, context: RequestContext, request: dict[str, Any]) -> StoredNotebook:
        """Return the notebook instance that a request names; ValidationError where there is none."""
        try:
            return self.store(context).notebook_instances[request["NotebookInstanceName"]]
        except KeyError:
            raise ValidationError("RecordNotFound") from None

    def require(self, notebook: StoredNotebook, statuses: tuple[str, ...], target: str) -> None:
        """Raise the service's refusal unless the notebook instance has one of these statuses."""
        if notebook.status not in statuses:
            raise ValidationError(
                f"Status ({notebook.status}) not in ([{', '.join(statuses)}]). Unable to transition to ({target}) for "
                f"Notebook Instance ({notebook.description['NotebookInstanceArn']})"
            )

    def lifecycle_configuration(
        self, context: RequestContext, request: dict[str, Any], verb: str
    ) -> LifecycleConfiguration:
        """Return the lifecycle configuration that a request names; ValidationError where there is none."""
        name = request["NotebookInstanceLifecycleConfigName"]
        try:
            return self.store(context).lifecycle_configurations[name]
        except KeyError:
            raise ValidationError(
                f"Unable to {verb} Notebook Instance Lifecycle Config {self.lifecycle_configuration_arn(context, name)}. "
                "(Details: Notebook Instance Lifecycle Config does not exist.)"
            ) from None

    def check_lifecycle_configuration(self, store: Store, context: RequestContext, name: str | None) -> None:
        """Raise ValidationError where a lifecycle configuration is named that isn't there."""
        if name is not None and name not in store.lifecycle_configurations:
            raise ValidationError(
                f"Notebook Instance Lifecycle Config {self.lifecycle_configuration_arn(context, name)} does not exist."
            )

    def tags_of(self, context: RequestContext, arn: str) -> dict[str, str]:
        """Return the tags, to be read or changed, of what has this ARN; ValidationError where nothing has."""
        store = self.store(context)
        for notebook in store.notebook_instances.values():
            if notebook.description["NotebookInstanceArn"] == arn:
                return notebook.tags
        for configuration in store.lifecycle_configurations.values():
            if configuration.description["NotebookInstanceLifecycleConfigArn"] == arn:
                return configuration.tags
        for (kind, *_), each in store.studio.items():
            if arn in each.description.values() and arn.split(":")[5].startswith(f"{kind}/"):
                return each.tags
        raise ValidationError(f"The resource {arn} does not exist.")

    def notebook_arn(self, context: RequestContext, name: str) -> str:
        """Return a notebook instance's ARN, which has its name in lower case."""
        prefix = f"arn:{get_partition(context.region)}:sagemaker:{context.region}:{context.account_id}"
        return f"{prefix}:notebook-instance/{name.lower()}"

    def lifecycle_configuration_arn(self, context: RequestContext, name: str) -> str:
        """Return a lifecycle configuration's ARN, which has its name in lower case."""
        prefix = f"arn:{get_partition(context.region)}:sagemaker:{context.region}:{context.account_id}"
        return f"{prefix}:notebook-instance-lifecycle-config/{name.lower()}"


def tags_in(request: dict[str, Any]) -> dict[str, str]:
    """Return the tags that a request gives, by key."""
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as the API lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
