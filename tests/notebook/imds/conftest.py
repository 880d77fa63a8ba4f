"""What tests of the imds mode share."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from workspace import CHECKOUT


@pytest.fixture(scope="module")
def proxy() -> ModuleType:
    """The proxy's program, as a module."""
    spec = importlib.util.spec_from_file_location("imds_proxy", CHECKOUT / "scripts" / "imds-proxy.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
