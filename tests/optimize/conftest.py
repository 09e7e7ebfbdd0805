"""kittentts-native, where it is installed, can be hidden."""

import pytest

from kittentts.runtime import native_library


@pytest.fixture
def no_native_library(monkeypatch):
    """As if it were not installed, in this process."""
    monkeypatch.setattr(native_library, "search", lambda: native_library.NOT_INSTALLED)
