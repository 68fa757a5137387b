"""The arithmetic of a layer with its own numbers in it, such as `⌊(28 + 2·2 − 5) / 1⌋ + 1 = 28`."""

from __future__ import annotations

import math

from cnn_models.layers.trace import Layer


def formulas(layer: Layer) -> dict[str, str]:
    """Formulas for `output`, `receptive_field`, `parameters`, `macs` and `memory` of a layer, where they need one.

    `output` is the side of the map for a window, the channels for a concatenation, the length for flattened maps;
    `receptive_field` its side for a window. The numbers of a layer with children are sums over them.
    """
    found = {"output": _output(layer), "receptive_field": _receptive_field(layer)}
    if layer.children:
        for key in ("parameters", "macs", "memory"):
            parts = [f"{value:,}" for child in layer.children if (value := getattr(child, key))]
            found[key] = _equation(" + ".join(parts), layer, key) if len(parts) > 1 else ""
        return {key: text for key, text in found.items() if text}
    if layer.macs:
        fan_in = layer.macs // math.prod(layer.output)  # products of one output value
        window = math.prod(layer.kernel or (1, 1))
        weights = _product(fan_in // window, *(layer.kernel or ()))
        bias = " + 1" if layer.parameters > fan_in * layer.output[0] else ""
        found["parameters"] = _equation(f"{layer.output[0]:,}·({weights}{bias})", layer, "parameters")
        found["macs"] = _equation(f"{_product(*layer.output)}·{weights}", layer, "macs")
    found["memory"] = _equation(f"{_product(*layer.output)}·4", layer, "memory")
    return {key: text for key, text in found.items() if text}


def _output(layer: Layer) -> str:
    if layer.kernel:
        size, kernel, stride, padding, dilation = (
            pair[-1] for pair in (layer.inputs[0], layer.kernel, layer.stride, layer.padding, layer.dilation) if pair
        )
        reach = f"{kernel}" if dilation == 1 else f"{dilation}·({kernel} − 1) − 1"
        return f"⌊({size} + 2·{padding} − {reach}) / {stride}⌋ + 1 = {layer.output[-1]}"
    if layer.kind == "concatenate":
        return f"{' + '.join(f'{shape[0]}' for shape in layer.inputs)} = {layer.output[0]}"
    if layer.kind == "flatten":
        return f"{_product(*layer.inputs[0])} = {layer.output[0]:,}"
    return ""


def _receptive_field(layer: Layer) -> str:
    """After Araujo et al. 2019; empty where the window changes nothing."""
    if not (layer.kernel and layer.dilation and layer.stride) or layer.kernel[0] == 1:
        return ""
    before = layer.field.jump / layer.stride[0]  # between units of the input map
    reach = before * layer.dilation[0]
    size = layer.field.size - (layer.kernel[0] - 1) * reach
    return f"{size:.0f} + ({layer.kernel[0]} − 1)·{reach:.0f} = {layer.field.size:.0f}"


def _equation(left: str, layer: Layer, key: str) -> str:
    value = getattr(layer, key)
    return f"{left} = {value:,}" if value else ""


def _product(*factors: int) -> str:
    return "·".join(f"{factor:,}" for factor in factors)
