"""Services that LocalStack lacks and moto has, as moto has them: the Glue Data Catalog and Athena.

moto runs no queries; tests/which_notebook/engines has a real engine.
"""

from __future__ import annotations

from types import SimpleNamespace

from localstack.aws.api import RequestContext, ServiceRequest, ServiceResponse
from localstack.aws.skeleton import DispatchTable
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import SERVICE_PLUGINS, Service
from localstack.utils.bootstrap import get_enabled_apis

_SERVICES = ("athena", "glue")


def register() -> None:
    """Let moto answer for these services."""
    for name in _SERVICES:
        SERVICE_PLUGINS.api_provider_specs[name] = ["default"]
        get_enabled_apis.cache_clear()
        SERVICE_PLUGINS.add_service(Service.for_provider(SimpleNamespace(service=name), _all_operations))


def _all_operations(provider: SimpleNamespace) -> DispatchTable:
    return dict.fromkeys(load_service(provider.service).operation_names, _answer)


def _answer(context: RequestContext, request: ServiceRequest) -> ServiceResponse:
    if (
        context.operation is not None
        and context.operation.name == "ListTagsForResource"
        and context.service.service_name == "athena"
    ):
        return _tags_of(context)
    return call_moto(context)


def _tags_of(context: RequestContext) -> ServiceResponse:
    """Moto knows no resource without tags."""
    from localstack.aws.api import CommonServiceException

    try:
        return call_moto(context)
    except CommonServiceException:
        return {"Tags": []}
