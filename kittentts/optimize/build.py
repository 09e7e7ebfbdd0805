"""Make the variants of a graph, compare them with the original bit for bit, and measure them. Imports onnx."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import onnx
from onnx import helper

from kittentts.models.cache import sha1
from kittentts.onnxruntime_import import import_onnxruntime
from kittentts.optimize.convolution import FLAVOURS, convolution_rule, largest_pair
from kittentts.optimize.cpu import cpu_identity
from kittentts.optimize.editable_graph import all_nodes
from kittentts.optimize.record import MODEL_FILE, ORIGINAL, RULES, Record, write_record
from kittentts.optimize.rewrite import Applied, apply
from kittentts.optimize.selftest import LARGEST_PAIR, SAFE_PAIR, is_exact
from kittentts.optimize.session import open_single_threaded
from kittentts.runtime.onnx_graph import RANDOM_OPERATORS, check_interface, token_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

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
    best = None
    seconds: dict[str, float] = {}
    for variant in variants(original, folder, probes):
        report(variant)
        seconds |= {ORIGINAL: variant.original_seconds, variant.name: variant.seconds}
        if variant.gain >= _LEAST_GAIN and (best is None or variant.gain > best.gain):
            best = variant
        if best and not thorough:
            break
    if best:
        best.path.rename(folder / MODEL_FILE)
    for other in FLAVOURS:
        (folder / f"{other}.onnx").unlink(missing_ok=True)
    record = Record(
        source=sha1(original),
        variant=best.name if best else ORIGINAL,
        file=sha1(folder / MODEL_FILE) if best else "",
        largest_pair=best.largest_pair if best else 0,
        rules=RULES,
        onnxruntime=import_onnxruntime().__version__,
        cpu=cpu_identity(),
        thorough=thorough,
        seconds=seconds,
    )
    write_record(record, folder)
    return record


def variants(original: Path, folder: Path, probes: Callable[[str], Sequence[Inputs]]) -> Iterator[Variant]:
    """Yield the variants, written into a folder, verified and measured, each when it is asked for; see `build`."""
    model = onnx.load(original)
    seeded = with_seeds(model)
    reference = open_single_threaded(original if seeded is None else seeded.SerializeToString())
    check_interface(reference, original)
    inputs = probes(token_input(reference))
    # what this CPU may take: neighbours of any size, or those that are safe on all
    limit = LARGEST_PAIR if is_exact(LARGEST_PAIR) else SAFE_PAIR
    for flavour in FLAVOURS:
        variant = Variant(flavour, folder / f"{flavour}.onnx")
        written, variant.applied = _rewritten(model, flavour, limit)
        if not variant.applied.rewritten:
            logger.info("%s: nothing to rewrite: %s", flavour, dict(variant.applied.refused))
            continue
        variant.largest_pair = largest_pair(written)
        open_single_threaded(written.SerializeToString(), optimized=variant.path)
        if seeded is None:
            session = open_single_threaded(variant.path)
        else:
            session = open_single_threaded(_rewritten(seeded, flavour, limit)[0].SerializeToString())
        compare(variant, reference, session, inputs)
        if not is_exact(variant.largest_pair):
            variant.difference = "this CPU fails the self-test"
        if variant.difference:
            logger.warning("the %s variant is thrown away: %s", flavour, variant.difference)
        yield variant


def _rewritten(model: onnx.ModelProto, flavour: Any, limit: int) -> tuple[onnx.ModelProto, Applied]:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy, apply(copy, [convolution_rule(flavour, limit)])


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
