"""Every network of the line-up; a new one is tested here without a change."""

import pytest
import torch
from torch.nn import functional as F

from cnn_models import ARCHITECTURES, create_model
from cnn_models.architectures import NAMES
from cnn_models.specs import registry

PARAMETERS = {
    "lenet5": 61_706,
    "alexnet": 46_764_746,
    "googlenet": 5_977_530,
    "mini_inception": 97_298,
    "mini_resnet": 41_514,
}
every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


@every_architecture
def test_every_parameter_learns(name):
    """At the smallest size the network takes, where it is quickest."""
    torch.manual_seed(0)
    model = create_model(name).train()
    size = ARCHITECTURES[name].sizes[0]
    logits = model(torch.randn(4, 1, size, size))
    assert logits.shape == (4, 10)
    F.cross_entropy(logits, torch.tensor([0, 3, 6, 9])).backward()
    for path, parameter in model.named_parameters():
        assert parameter.grad is not None, f"{path} is not used"
        assert parameter.grad.isfinite().all(), f"{path} has an infinite gradient"
        assert parameter.grad.any(), f"{path} has no gradient"


@every_architecture
def test_every_size_passes(name):
    spec = ARCHITECTURES[name]
    assert spec.input_size in spec.sizes
    with torch.device("meta"):
        model = spec.build().eval()
    for size in {spec.sizes[0], spec.input_size, spec.sizes[len(spec.sizes) // 2], spec.sizes[-1]}:
        assert model(torch.empty(2, 1, size, size, device="meta")).shape == (2, 10), f"size {size}"


@every_architecture
def test_a_image_does_not_depend_on_its_batch(name):
    torch.manual_seed(0)
    model, size = create_model(name).eval(), ARCHITECTURES[name].sizes[0]
    images = torch.randn(3, 1, size, size)
    with torch.no_grad():
        together, alone = model(images), torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters_are_the_papers(name, parameters):
    with torch.device("meta"):
        assert sum(p.numel() for p in create_model(name).parameters()) == parameters


def test_alexnet_at_224_is_the_papers():
    """What lets smaller images through changes nothing at the size of the paper."""
    maps = torch.randn(2, 256, 5, 5)
    with torch.device("meta"):
        model = create_model("alexnet")
    assert model.features(torch.empty(2, 1, 224, 224, device="meta")).shape == maps.shape
    assert torch.equal(model.fit(maps), maps)


def test_an_unknown_architecture_is_answered_with_the_known_ones():
    with pytest.raises(KeyError) as error:
        create_model("nonsense")
    assert all(name in str(error.value) for name in ("nonsense", *ARCHITECTURES))


def test_a_registry_refuses_a_name_used_twice():
    first, *others = ARCHITECTURES.values()
    with pytest.raises(ValueError, match=f"used twice.*{first.name}"):
        registry(first, *others, first)


def test_every_file_is_named_like_its_architecture():
    assert tuple(ARCHITECTURES) == NAMES
