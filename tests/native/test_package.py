"""The Python package `kittentts_native`, and the choice of the kernels."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kittentts.runtime import native_library

HERE = Path(__file__).parent
native = pytest.importorskip("kittentts_native", reason="kittentts-native is not installed: pip install ./native")


def test_what_the_package_says():
    assert native.library_path().is_file()
    assert re.fullmatch(r"\d+\.\d+\.\d+", native.version())
    assert native.kernel() == native.available_kernels()[0]
    assert native.available_kernels()[-1] == "portable"


def test_this_kittentts_uses_it():
    """Of another series it would not, and tests of graphs with its operators would be skipped."""
    assert isinstance(native_library.search(), native_library.NativeLibrary)


@pytest.mark.parametrize("kernel", native.available_kernels()[1:])
def test_every_kernel_of_this_cpu_gives_the_same_bits(kernel):
    """The kernels are chosen when the library is first used: in a process of their own."""
    environment = os.environ | {"KITTENTTS_NATIVE_KERNEL": kernel}
    code = "import kittentts_native; print(kittentts_native.kernel())"
    chosen = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert chosen.stdout.strip() == kernel
    tests = [HERE / f"test_{name}.py" for name in ("convolution", "norm", "stft")]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests],
        cwd=HERE.parent.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
