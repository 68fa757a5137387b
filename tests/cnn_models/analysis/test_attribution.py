"""Saliency maps, corruptions and multi-crop averages, of trained networks on real images."""

import numpy as np
import pytest
import torch
from PIL import Image

from cnn_models import ARCHITECTURES, ModelHub, create_model
from cnn_models.analysis.attribution import LEAST, explain, last_stage
from cnn_models.analysis.robustness import CORRUPTIONS, corrupted, measure_robustness
from cnn_models.analysis.tta import SCALES, crops, multi_crop
from cnn_models.predict import predict


@pytest.fixture(scope="module")
def trained():
    return ModelHub(device="cpu").get("mini_resnet.mnist")


@pytest.fixture(scope="module")
def seven():
    return np.asarray(Image.open("ui/common/samples/mnist.7.png").convert("L"))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_has_a_last_stage_with_places(name):
    model, side = create_model(name).eval(), ARCHITECTURES[name].input_size
    seen = []
    last_stage(model, torch.zeros(1, 1, side, side)).register_forward_hook(lambda *a: seen.append(a[2].shape))
    model(torch.zeros(1, 1, side, side))
    assert seen[0][2] >= LEAST


def test_heat_is_where_the_digit_is_and_the_network_stays_as_it_was(trained, seven):
    before = predict(trained, seven).probabilities
    heat = explain(trained, seven, "7")
    assert heat.cam.shape == heat.occlusion.shape == (28, 28)
    assert heat.cam.min() >= 0 and heat.cam.sum() == pytest.approx(1, abs=1e-4)
    near = torch.nn.functional.max_pool2d(torch.tensor(seven)[None, None].float(), 7, 1, 3)[0, 0].numpy() > 0
    lost = np.clip(heat.occlusion, 0, None)
    assert lost[near].sum() > 0.9 * lost.sum() > 0
    assert predict(trained, seven).probabilities == before
    assert not any(module._forward_hooks for module in trained.model.modules())
    assert not np.allclose(heat.occlusion, explain(trained, seven, "1").occlusion)
    with pytest.raises(ValueError, match="not a class"):
        explain(trained, seven, "Bag")


def test_disturbances_start_from_the_image_itself(seven):
    images, start = corrupted(seven), 0
    for amounts, _ in CORRUPTIONS.values():
        ours = images[start : start + len(amounts)]
        start += len(amounts)
        assert torch.allclose(ours[0], torch.tensor(seven) / 255, atol=1e-6)
        distances = (ours - ours[0]).abs().sum((1, 2))
        assert (distances[1:] > 0).all() and ours.min() >= 0 and ours.max() <= 1
    assert start == len(images) and torch.equal(images, corrupted(seven))


def test_corruptions_are_those_of_torchvision(seven):
    from torchvision.transforms.v2 import functional as oracle

    image = torch.tensor(seven)[None] / 255

    def affine(angle=0.0, shift=0, scale=1.0):
        return oracle.affine(image, angle, [shift, 0], scale, [0.0, 0.0], interpolation="bilinear")

    expected = {
        "shift": lambda pixels: affine(shift=pixels),
        "rotate": lambda degrees: affine(angle=degrees),
        "scale": lambda factor: affine(scale=factor),
        "blur": lambda sigma: oracle.gaussian_blur(image, [25, 25], [sigma]) if sigma else image,
    }
    for name, function in expected.items():
        for severity in CORRUPTIONS[name].severities:
            ours = CORRUPTIONS[name].apply(image, severity)
            assert torch.allclose(ours, function(severity), atol=1e-5), (name, severity)


def test_breaking_is_by_the_networks_own_answers(trained, seven):
    broken = measure_robustness(trained, corrupted(seven))
    assert list(broken) == list(CORRUPTIONS)
    for name, (probabilities, breaks_at) in broken.items():
        assert probabilities[0] == pytest.approx(predict(trained, seven).probabilities["7"], abs=1e-5)
        if breaks_at is not None:
            assert probabilities[CORRUPTIONS[name].severities.index(breaks_at)] <= 0.5
    assert broken["rotate"].changes_at is not None  # no seven lies on its side


def test_crops_are_those_of_torchvision(seven):
    from torchvision.transforms.v2 import functional as oracle

    image, expected = torch.tensor(seven)[None] / 255, []
    for scale in SCALES:
        large = oracle.resize(image, [28 * scale // 224] * 2)
        expected += [*oracle.five_crop(large, [28, 28]), oracle.resize(large, [28, 28])]
    assert torch.equal(crops(torch.tensor(seven)[None], mirror=False)[0], torch.cat(expected))


def test_crops_are_the_papers_without_repetition(trained, seven):
    views = crops(torch.tensor(seven)[None], mirror=True)[0]
    assert views.shape == (48, 28, 28) and torch.equal(views[24:], views[:24].flip(-1))
    answer = multi_crop(trained, seven)
    assert (answer.crops, answer.paper_crops) == (24, 72)
    assert max(answer.probabilities, key=answer.probabilities.get) == "7"
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    bag = np.asarray(Image.open("ui/common/samples/fashion_mnist.8.png").convert("L"))
    assert multi_crop(ModelHub(device="cpu").get("lenet5.fashion_mnist"), bag).paper_crops == 144
