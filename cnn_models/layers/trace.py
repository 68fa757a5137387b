"""Shapes, windows, parameters and MACs of each layer of a network, traced by running it.

`run.Operations` intercepts every tensor operation of the run; hooks on the modules assign it to its block.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from cnn_models.architectures import ARCHITECTURES, create_model
from cnn_models.layers.operations import Pair, Shape, read
from cnn_models.layers.receptive_field import INPUT, ReceptiveField, joined
from cnn_models.layers.run import Operations, milliseconds
from cnn_models.runtime import best_device, place


@dataclass(frozen=True)
class Layer:
    """One step of a network, or a block, a branch or the whole network with its steps as `children`.

    `name` is the dotted path of the module, or the name of the function or branch. Shapes are C x H x W, or C once
    flat, without the batch; kernel, stride, padding and dilation are (height, width), None without a window. `macs` are
    the multiply-accumulates of convolutions and linear layers for one image; parameters that are used twice count once;
    `memory` is the bytes of the outputs in float32, 0 where they share the storage of an input. `receptive_field` is
    its side in pixels of the input, and `field` where it is, beyond the input too. `index` counts the steps in the
    order of execution; None for layers with children.
    """

    name: str
    kind: str
    inputs: tuple[Shape, ...]
    output: Shape
    receptive_field: int
    kernel: Pair | None = None
    stride: Pair | None = None
    padding: Pair | None = None
    dilation: Pair | None = None
    parameters: int = 0
    macs: int = 0
    memory: int = 0
    index: int | None = None
    field: ReceptiveField = INPUT
    children: tuple[Layer, ...] = ()

    @property
    def is_identity(self) -> bool:
        """Whether it pools single values, and so returns its input: AlexNet's adaptive pool at 224 pixels."""
        return self.kernel == self.stride == (1, 1) and self.padding == (0, 0) and not self.macs

    @property
    def central_field(self) -> tuple[int, int]:
        """The first pixel of the central unit's receptive field along a side, and the first after it."""
        return self.field.span(self.output[-1] // 2 if len(self.output) == 3 else 0)

    @property
    def depth(self) -> int:
        """The convolutions and linear layers in series, along the longest branch."""
        if not self.children:
            return int(self.macs > 0)
        depth = 0
        for are_branches, group in groupby(self.children, lambda child: child.kind in ("branch", "shortcut")):
            depth += (max if are_branches else sum)(child.depth for child in group)
        return depth

    def steps(self) -> Iterator[Layer]:
        """The steps without children, in order, through all blocks and branches."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.steps()


def describe(model: nn.Module, size: int) -> Layer:
    """The network as one Layer, traced on a 1 x 1 x size x size image of zeros, on its device and in its mode.

    No other thread may run this module meanwhile. A size that the network does not allow raises its own error.
    """
    image = torch.zeros(1, 1, size, size, device=next(model.parameters()).device)
    recorder = _Recorder(image)
    hooks = [hook for path, module in model.named_modules() for hook in recorder.watch(path, module)]
    try:
        with torch.no_grad(), recorder:
            model(image)
    finally:
        for hook in hooks:
            hook.remove()
    return recorder.group(type(model).__name__, "network", recorder.levels[0])


def architecture_layers(name: str, size: int | None = None) -> Layer:
    """The layers of an architecture, at its own or another input size.

    Raises UnknownName, and ValueError for a size that the network does not allow.
    """
    return _layers(name, ARCHITECTURES[name].input_size if size is None else size)


def architecture_milliseconds(name: str, size: int | None = None) -> list[float]:
    """The time of each step of `architecture_layers`, by index: one image, weights of zero, on the best device."""
    return _milliseconds(name, ARCHITECTURES[name].input_size if size is None else size)


@functools.cache
def _layers(name: str, size: int) -> Layer:
    sizes = ARCHITECTURES[name].sizes
    if size not in sizes:
        raise ValueError(f"{name} takes images of {sizes[0]} to {sizes[-1]} pixels a side, not {size}")
    # A run on "meta" would import sympy, which takes 1.6 s.
    return describe(_uninitialised(name, torch.device("cpu")), size)


def _uninitialised(name: str, device: torch.device) -> nn.Module:
    """The network in evaluation mode; to draw the initial weights of AlexNet takes longer than to run it."""
    with torch.device("meta"):
        return create_model(name).eval().to_empty(device=device)


@functools.cache
def _milliseconds(name: str, size: int) -> list[float]:
    device = best_device()
    model = place(_uninitialised(name, device), device)
    for tensor in model.state_dict().values():
        tensor.zero_()  # numbers of any bits could be denormal, and slow
    return milliseconds(model, torch.randn(1, 1, size, size, device=device))


class _Row(NamedTuple):
    """A layer with the numbers of its input tensors, in their order, and of its outputs."""

    layer: Layer
    reads: tuple[int, ...]
    makes: tuple[int, ...]


class _Recorder(Operations):
    """The operations of one run as rows: a stack of lists, for the network and each block that is running."""

    def __init__(self, image: Tensor):
        super().__init__(image)
        self.size = image.shape[-1]
        self.levels: list[list[_Row]] = [[]]
        self.fields = [INPUT]  # by the number of the tensor
        self.counted: set[int] = set()  # ids of parameters
        self.steps = 0

    def watch(self, path: str, module: nn.Module) -> list:
        """The hooks that make one row of a module; none for a Sequential, whose children are rows of their own."""
        if not path or isinstance(module, nn.Sequential):
            return []
        return [
            module.register_forward_pre_hook(lambda *_: self.levels.append([])),
            module.register_forward_hook(lambda *_: self.leave(path, module)),
        ]

    def leave(self, path: str, module: nn.Module) -> None:
        rows = self.levels.pop()
        if len(rows) == 1 and type(module).__module__.startswith("torch.nn."):
            rows = [rows[0]._replace(layer=replace(rows[0].layer, name=path))]
        elif rows:
            makes = tuple(number for row in rows for number in row.makes)
            reads = tuple(dict.fromkeys(n for row in rows for n in row.reads if n not in makes))
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(module).__name__)
            rows = [_Row(self.group(path, kind, rows), reads, makes)]
        self.levels[-1] += rows

    def record(self, function, args, kwargs, reads, made, seconds):
        """Append an operation as a row to the block that is running."""
        read_from = [self.tensors[n] for n in reads]
        inputs, output = tuple(map(_shape, read_from)), _shape(made[0])
        operation = read(function, args, kwargs, inputs[0], output)
        before, after = (shape[1] if len(shape) == 3 else 1 for shape in (inputs[0], output))
        # Without windows of equal size, the receptive field is that of an adaptive pool; of a flat value, the whole.
        tiles = (-(-(i + 1) * before // after) - i * before // after for i in range(after))
        kernel, dilation = operation.kernel, operation.dilation
        reach = (kernel[0] - 1) * dilation[0] if kernel and dilation else max(tiles) - 1
        stride = operation.stride[0] if operation.stride else before / after
        padding = operation.padding[0] if operation.padding else 0
        field = joined(self.fields[n] for n in reads).after(reach, stride, padding)
        weights = [t for t in tree_leaves((args, kwargs)) if isinstance(t, nn.Parameter)]
        fresh = {id(weight): weight.numel() for weight in weights if id(weight) not in self.counted}
        self.counted |= fresh.keys()
        shared = {t.untyped_storage().data_ptr() for t in read_from}
        memory = sum(t.nbytes for t in made if t.untyped_storage().data_ptr() not in shared)
        layer = Layer(
            function, operation.kind, inputs, output, self.visible(field),
            operation.kernel, operation.stride, operation.padding, operation.dilation,
            sum(fresh.values()), operation.macs, memory, self.steps, field,
        )  # fmt: skip
        self.steps += 1
        makes = tuple(range(len(self.tensors), len(self.tensors) + len(made)))
        self.fields += [field] * len(made)
        self.levels[-1].append(_Row(layer, reads, makes))

    def group(self, name: str, kind: str, rows: list[_Row]) -> Layer:
        """The rows as the children of one layer, parallel ones grouped into branches."""
        maker = {number: i for i, row in enumerate(rows) for number in row.makes}
        sources = [{maker.get(n, -1): n for n in row.reads} for row in rows]  # -1 for the inputs of the layer
        readers = Counter(source for found in sources for source in found)
        children: dict[int | tuple, Layer] = {}
        for i, row in enumerate(rows):
            branches = []
            for source, number in sources[i].items() if len(sources[i]) > 1 else ():
                chain = []
                while source in children and readers[source] == 1 and len(sources[source]) == 1:
                    chain.insert(0, children.pop(source))
                    (source,) = sources[source]
                branches.append(self.branch(chain, number))
            branches.sort(key=lambda branch: branch.kind == "shortcut")
            children |= {(i, b): branch for b, branch in enumerate(branches)} | {i: row.layer}
        return _total(name, kind, list(children.values()))

    def visible(self, field: ReceptiveField) -> int:
        """The side of a receptive field, at most that of the input."""
        return min(round(field.size), self.size)

    def branch(self, chain: list[Layer], number: int) -> Layer:
        if not chain:
            shape, field = _shape(self.tensors[number]), self.fields[number]
            return Layer("shortcut", "shortcut", (shape,), shape, self.visible(field), field=field)
        windows = [f"{s.kernel[0]}×{s.kernel[1]}" if s.macs else "pool" for s in chain if s.kernel]
        return _total(" → ".join(windows or [step.kind for step in chain]), "branch", chain)


def _total(name: str, kind: str, children: list[Layer]) -> Layer:
    first, last = children[0], children[-1]
    return Layer(
        name, kind, first.inputs, last.output, last.receptive_field, field=last.field, children=tuple(children),
        parameters=sum(child.parameters for child in children), macs=sum(child.macs for child in children),
        memory=sum(child.memory for child in children),
    )  # fmt: skip


def _shape(tensor: Tensor) -> Shape:
    return tuple(tensor.shape[1:])
