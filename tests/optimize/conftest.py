"""Fixtures: a small quantized voice, a cache of its own, and no kittentts-native where it is installed."""

import pytest
import quantized_model

from kittentts.optimize import build
from kittentts.runtime import native_library


@pytest.fixture(scope="session")
def voice(tmp_path_factory):
    return quantized_model.voice_directory(tmp_path_factory.mktemp("voice"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KITTENTTS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "optimized"


@pytest.fixture
def any_gain(monkeypatch):
    """The graphs here are too small for a time to mean anything."""
    monkeypatch.setattr(build, "_LEAST_GAIN", 0.0001)


@pytest.fixture
def no_native_library(monkeypatch):
    """As if it were not installed, in this process."""
    monkeypatch.setattr(native_library, "search", lambda: native_library.NOT_INSTALLED)
