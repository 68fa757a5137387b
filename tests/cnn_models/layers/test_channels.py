"""What an image becomes in a network, held against the network's own answer, and how the page shows it."""

import base64
import copy
import io
import re

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from cnn_models import ARCHITECTURES
from cnn_models.images.preprocess import to_input
from cnn_models.layers import architecture_layers
from cnn_models.layers import channels as module
from cnn_models.layers.channels import activations, channels, dead_channels, filters
from cnn_models.layers.run import outputs
from ui.common.strips import strip, strips
from ui.layers.page import flows, page
from ui.layers.rows import rows
from ui.layers.tab import columns_of, layers_tab

IMAGE = np.asarray(Image.open("ui/common/samples/mnist.7.png"))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_flow_ends_in_the_answer_and_every_layer_has_its_strip(name, checkpoint, hub):
    checkpoint(f"{name}.mnist")
    net, layers = hub.get(f"{name}.mnist"), architecture_layers(name)
    found = activations(net.model, net.card, IMAGE, net.card.input_size)
    with torch.inference_mode():
        logits = net.model(to_input(torch.tensor(IMAGE)[None], net.card.input_size, net.card.mean, net.card.std))
    torch.testing.assert_close(found[-1], logits[0])
    shown = strips(net.model, net.card, layers, found)
    wanted = [step for step in layers.steps() if step.index is not None and step.kind not in ("flatten", "dropout")]
    assert list(shown) == [step.index for step in wanted]
    first = next(step for step in wanted if step.macs)
    assert shown[first.index].count("<img") == 2, "its filters too"
    assert f"{first.output[0]} of {first.output[0]} filters" in shown[first.index]
    for step in wanted:
        is_map = len(step.output) == 3 and step.output[-1] > 1
        text = f"{min(16, step.output[0])} of {step.output[0]:,} channels" if is_map else "values"
        assert text in shown[step.index]


def test_the_strongest_come_first_and_the_silent_are_counted():
    output = torch.zeros(5, 2, 2)
    output[1], output[3, 0, 0], output[4] = -1.0, 2.0, 3.0
    found = channels(output, shown=3)
    assert (found.numbers, found.count, found.inactive) == ([4, 1, 3], 5, 2)
    assert np.array_equal(found.values, output[[4, 1, 3]].numpy())


def test_dead_channels_are_counted_on_few_images_at_once_where_they_take_much(checkpoint, hub, monkeypatch):
    checkpoint("mini_resnet.mnist")
    net, layers = hub.get("mini_resnet.mnist"), architecture_layers("mini_resnet")
    seen = []

    def watched(model, x):
        seen.append(len(x))
        return outputs(model, x)

    monkeypatch.setattr(module, "outputs", watched)
    whole = dead_channels(net.model, net.card, layers)
    assert sum(seen) == 200 and max(seen) * layers.memory <= module.BATCH_MEMORY
    seen.clear()
    monkeypatch.setattr(module, "BATCH_MEMORY", 7 * layers.memory)
    assert dead_channels(copy.deepcopy(net.model), net.card, layers) == whole
    assert max(seen) == 7 and sum(seen) == 200
    big = architecture_layers("googlenet", 224)
    assert 1 <= 10**8 // big.memory < 20


def test_dead_channels_are_counted_over_test_images(checkpoint, hub):
    checkpoint("mini_resnet.mnist")
    net, layers = hub.get("mini_resnet.mnist"), architecture_layers("mini_resnet")
    with torch.no_grad():  # a bias that nothing outweighs
        net.model.conv1.bias[:3] = -1000
    assert next(iter(dead_channels(net.model, net.card, layers).values())) >= 3
    net.model.conv1.bias.data[:] = 1000
    assert next(iter(dead_channels(net.model, net.card, layers).values())) >= 3, "counted once"
    other = copy.deepcopy(net.model)
    assert next(iter(dead_channels(other, net.card, layers).values())) == 0


def test_filters_are_those_of_the_first_layer_only(checkpoint, hub):
    checkpoint()
    model, steps = hub.get("lenet5.mnist").model, list(architecture_layers("lenet5").steps())
    found = filters(model, steps[0])
    assert np.array_equal(found.values, model.c1.weight[found.numbers, 0].numpy())
    assert not any(filters(model, step) for step in steps[1:])


def test_a_strip_is_white_where_positive_and_blue_where_negative():
    output = torch.tensor([[[0.0, 4.0], [-4.0, 1.0]]])
    html = strip(channels(output), "channels", architecture_layers("lenet5").children[0])
    image = Image.open(io.BytesIO(base64.b64decode(re.search(r'base64,([^"]+)', html)[1])))
    pixels = np.asarray(image.convert("RGBA"))
    assert pixels.shape == (2, 3, 4) and (pixels[:, 2, 3] == 0).all(), "one clear pixel between tiles"
    assert pixels[0, 0].tolist() == [0, 0, 0, 255] and pixels[0, 1].tolist() == [255] * 4
    red, _, blue, _ = pixels[1, 0].tolist()
    assert blue == 255 and red < 120


def test_without_weights_or_a_drawing_the_page_says_so(checkpoint, hub):
    checkpoint("lenet5.mnist")
    columns = columns_of(["lenet5", "mini_resnet"], 96)
    found, text = flows(columns, "", "mnist", hub)
    assert found[0] and not found[1]
    assert "Nothing is drawn" in text and "train mini_<wbr>resnet.<wbr>mnist" in text
    strips = sum(html.count('class="strip"') for html in found[0].values())
    assert page(columns, found, text).count('class="strip"') == strips > 0
    assert flows(columns, "nonsense", "mnist", hub)[0] == [{}, {}]
    assert rows(columns, [{}, {}]).count("<ol>") > 10


def test_what_is_shown_already_is_not_sent_again(checkpoint, hub):
    checkpoint("lenet5.mnist")
    with gr.Blocks() as blocks, gr.Tabs(), gr.Tab("Layers") as tab:
        layers_tab(hub, tab)
    (event,) = blocks.fns.values()

    def show(names, seen, dataset="mnist"):
        _, html, seen = event.fn(names, 96, seen, "", dataset)
        return html != gr.skip(), seen

    made, seen = show(["lenet5"], None)
    assert made and show(["lenet5"], seen) == (False, seen)
    assert show(["mini_resnet"], seen)[0] and show([], seen)[0]
    checkpoint("lenet5.mnist")
    assert show(["lenet5"], seen)[0], "other weights"
    missing = show(["lenet5"], None, "fashion_mnist")
    assert missing == (True, None) == show(["lenet5"], missing[1], "fashion_mnist"), "it may be there the next time"
