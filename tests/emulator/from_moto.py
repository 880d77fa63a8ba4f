"""Services that LocalStack lacks and moto has, as moto has them: the Glue Data Catalog and Athena.

moto runs no queries; tests/which_notebook/engines has a real engine.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from localstack.aws.api import CommonServiceException, RequestContext, ServiceRequest, ServiceResponse
from localstack.aws.skeleton import DispatchTable
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import SERVICE_PLUGINS, Service
from localstack.utils.bootstrap import get_enabled_apis
from moto.athena.models import athena_backends

_SERVICES = ("athena", "glue")


def register() -> None:
    """Let moto answer for these services."""
    for name in _SERVICES:
        SERVICE_PLUGINS.api_provider_specs[name] = ["default"]
        get_enabled_apis.cache_clear()
        SERVICE_PLUGINS.add_service(Service.for_provider(cast(Any, SimpleNamespace(service=name)), _all_operations))


def _all_operations(provider: Any) -> DispatchTable:
    table: DispatchTable = dict.fromkeys(load_service(provider.service).operation_names, _answer)
    return table | (_MENDED if provider.service == "athena" else {})


def _answer(context: RequestContext, request: ServiceRequest) -> ServiceResponse:
    return call_moto(context)


def _list_tags(context: RequestContext, request: ServiceRequest) -> ServiceResponse:
    try:
        return call_moto(context)
    except CommonServiceException:  # it knows no resource without tags
        return cast(ServiceResponse, {"Tags": []})


def _delete_named_query(context: RequestContext, request: ServiceRequest) -> ServiceResponse:
    athena_backends[context.account_id][context.region].named_queries.pop(cast(Any, request)["NamedQueryId"], None)
    return cast(ServiceResponse, {})


_MENDED: DispatchTable = {"ListTagsForResource": _list_tags, "DeleteNamedQuery": _delete_named_query}
