"""Make the variants of a graph, compare them with the original bit for bit, and measure them. Imports onnx."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import onnx
from onnx import helper

from kittentts.models.cache import sha1
from kittentts.onnxruntime_import import import_onnxruntime
from kittentts.optimize.convolution import FLAVOURS, convolution_rule, largest_pair
from kittentts.optimize.cpu import cpu_identity
from kittentts.optimize.editable_graph import all_nodes
from kittentts.optimize.native_convolution import quantized_convolution_rule
from kittentts.optimize.native_normalization import normalization_rule
from kittentts.optimize.native_selftest import is_native_exact
from kittentts.optimize.native_spectrum import spectrum_rule
from kittentts.optimize.record import (
    MODEL_FILE,
    NATIVE,
    ORIGINAL,
    RULES,
    STANDARD_MODEL_FILE,
    STANDARD_RECORD_FILE,
    Record,
    write_record,
)
from kittentts.optimize.rewrite import Applied, apply
from kittentts.optimize.selftest import LARGEST_PAIR, SAFE_PAIR, is_exact
from kittentts.optimize.session import open_single_threaded
from kittentts.runtime.native_library import native_library
from kittentts.runtime.onnx_graph import RANDOM_OPERATORS, check_interface, onnxruntime_errors, token_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from kittentts.optimize.convolution import Flavour

    Inputs = Mapping[str, NDArray[Any]]

logger = logging.getLogger(__name__)

# a variant must be so many times as fast as the original, more than the noise of a measurement
_LEAST_GAIN = 1.03
_ROUNDS = 2


@dataclass
class Variant:
    """One way to write a graph."""

    name: str
    path: Path
    applied: Applied = field(default_factory=Applied)
    largest_pair: int = 0
    difference: str | None = None
    """Why it cannot be used: where it differs from the original first; None for one that is the same bit for bit."""
    seconds: float = 0.0
    """What the probes take, single-threaded."""
    original_seconds: float = 0.0
    """What they take with the original, run in turn with this one."""

    @property
    def gain(self) -> float:
        """How many times as fast as the original it is; 0 for one that cannot be used."""
        return 0.0 if self.difference else self.original_seconds / self.seconds


def build(
    original: Path,
    folder: Path,
    probes: Callable[[str], Sequence[Inputs]],
    *,
    thorough: bool = False,
    report: Callable[[Variant], object] = lambda _: None,
) -> Record:
    """Write the fastest verified variant, if it is faster than the original, and its record into a folder.

    If it needs kittentts-native and all were measured, the fastest one that does not is written beside it.

    Args:
        original: the ONNX file.
        folder: exists and is empty.
        probes: inputs of different lengths, voices and speeds, for a graph whose tokens have this name.
        thorough: measure all variants; else take the first that is verified and faster.
        report: called with each variant when it is verified and measured.

    Raises:
        ModelError: the graph is none of a voice.
        Whatever onnx and onnxruntime raise for a file that is no graph, or one that does not run.
    """
    found: list[Variant] = []
    seconds: dict[str, float] = {}
    for variant in variants(original, folder, probes):
        report(variant)
        seconds |= {ORIGINAL: variant.original_seconds, variant.name: variant.seconds}
        if variant.gain >= _LEAST_GAIN:
            found.append(variant)
        if found and not thorough:
            break

    def record_of(variant: Variant | None, file: Path) -> Record:
        if variant is not None:
            variant.path.rename(file)
        return Record(
            source=sha1(original),
            variant=variant.name if variant else ORIGINAL,
            file=sha1(file) if variant else "",
            largest_pair=variant.largest_pair if variant else 0,
            rules=RULES,
            onnxruntime=import_onnxruntime().__version__,
            cpu=cpu_identity(),
            thorough=thorough,
            seconds=seconds,
            native=_native_version() if variant and variant.name == NATIVE else "",
        )

    found.sort(key=lambda variant: variant.gain)
    best = found.pop() if found else None
    record = record_of(best, folder / MODEL_FILE)
    write_record(record, folder)
    if thorough and record.native:
        standard = record_of(found.pop() if found else None, folder / STANDARD_MODEL_FILE)
        write_record(standard, folder, STANDARD_RECORD_FILE)
    for other in variant_names():
        (folder / f"{other}.onnx").unlink(missing_ok=True)
    return record


def _native_version() -> str:
    library = native_library()
    return library.version if library else ""


def variant_names() -> tuple[str, ...]:
    """Return those that can be made here, in the order in which they are tried: the fastest, as a rule, comes first."""
    return (NATIVE, *FLAVOURS) if native_library() else FLAVOURS


def variants(original: Path, folder: Path, probes: Callable[[str], Sequence[Inputs]]) -> Iterator[Variant]:
    """Yield the variants, written into a folder, verified and measured, each when it is asked for; see `build`."""
    model = onnx.load(original)
    seeded = with_seeds(model)
    reference = open_single_threaded(original if seeded is None else seeded.SerializeToString())
    check_interface(reference, original)
    inputs = probes(token_input(reference))
    if native_library() is None:
        logger.info("the native variant is not made: there is no kittentts-native that can be used")
    # RuntimeError: the library cannot be loaded
    errors: tuple[type[Exception], ...] = (RuntimeError, *onnxruntime_errors())
    for name in variant_names():
        variant = Variant(name, folder / f"{name}.onnx")
        try:
            written = _written(model, variant)
            if not variant.applied.rewritten:
                logger.info("%s: nothing to rewrite: %s", name, dict(variant.applied.refused))
                continue
            variant.largest_pair = largest_pair(written)
            if name == NATIVE:
                # ONNX Runtime has been through it; stored by it once more, a float32 graph took 17 MB more when open
                onnx.save(written, variant.path)
            else:
                open_single_threaded(written.SerializeToString(), optimized=variant.path)
            if seeded is None:
                session = open_single_threaded(variant.path)
            else:
                session = open_single_threaded(_written(seeded, variant).SerializeToString())
            compare(variant, reference, session, inputs)
            if not is_exact(variant.largest_pair) or (name == NATIVE and not is_native_exact()):
                variant.difference = "this CPU fails the self-test"
        except errors as error:
            variant.difference = f"ONNX Runtime refuses it: {error}"
        if variant.difference:
            logger.warning("the %s variant is thrown away: %s", name, variant.difference)
        yield variant


def _written(model: onnx.ModelProto, variant: Variant) -> onnx.ModelProto:
    """Return a variant of a model, and note in it what the rules did."""
    if variant.name == NATIVE:
        # Which nodes ONNX Runtime fuses depends on the others around them. So it fuses first, in the graph as it was
        # published, and these rules are for what it leaves: else it may round in other places than in the original.
        fused = variant.path.with_suffix(".fused")
        open_single_threaded(model.SerializeToString(), optimized=fused)
        written = onnx.load(fused)
        fused.unlink()
        rules = [normalization_rule(), quantized_convolution_rule(), spectrum_rule()]
    else:
        written = onnx.ModelProto()
        written.CopyFrom(model)
        # what this CPU may take: neighbours of any size, or those that are safe on all
        rules = [convolution_rule(cast("Flavour", variant.name), LARGEST_PAIR if is_exact(LARGEST_PAIR) else SAFE_PAIR)]
    variant.applied = apply(written, rules, before=model)
    return written


def compare(variant: Variant, reference: Any, session: Any, inputs: Sequence[Inputs]) -> None:
    """Run two sessions in turn and note in the variant the first output that differs, and the times."""
    names = [node.name for node in reference.get_outputs()]
    for number, one in enumerate(inputs, 1):
        least = [math.inf, math.inf]
        for _ in range(_ROUNDS):
            outputs = []
            for index, each in enumerate((reference, session)):
                # of this process: what others do does not count
                began = time.process_time()
                outputs.append(each.run(names, dict(one)))
                least[index] = min(least[index], time.process_time() - began)
            for name, wanted, found in zip(names, *outputs, strict=True):
                if (wanted.shape, wanted.dtype, wanted.tobytes()) != (found.shape, found.dtype, found.tobytes()):
                    variant.difference = f"the output {name!r} of probe {number} differs"
                    return
        variant.original_seconds += least[0]
        variant.seconds += least[1]


def with_seeds(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return a copy whose random nodes draw the same numbers in each session; None where there are no such nodes."""
    if not any(map(_is_random, all_nodes(model.graph))):
        return None
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for number, node in enumerate(filter(_is_random, all_nodes(copy.graph)), 1):
        others = [one for one in node.attribute if one.name != "seed"]
        del node.attribute[:]
        node.attribute.extend([*others, helper.make_attribute("seed", float(number))])
    return copy


def _is_random(node: onnx.NodeProto) -> bool:
    return node.op_type.startswith(RANDOM_OPERATORS)
