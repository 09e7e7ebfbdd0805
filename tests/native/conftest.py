"""The library of `kittentts-native`; its tests are skipped where it is not installed."""

import pytest


@pytest.fixture(scope="session")
def library():
    native = pytest.importorskip("kittentts_native", reason="kittentts-native is not installed: pip install ./native")
    return native.library_path()
