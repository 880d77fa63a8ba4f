"""How a service that LocalStack lacks is added to it."""

from __future__ import annotations

from typing import Any

from localstack.services.plugins import SERVICE_PLUGINS, Service
from localstack.utils.bootstrap import get_enabled_apis


def provide(provider: Any) -> None:
    """Have a provider answer for its service; call this before LocalStack's `main`."""
    SERVICE_PLUGINS.api_provider_specs[provider.service] = ["default"]
    # It was cached, without this service, when the one before was added.
    get_enabled_apis.cache_clear()
    SERVICE_PLUGINS.add_service(Service.for_provider(provider))
