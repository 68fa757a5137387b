"""Muon with AdamW beside it, and that a resumed run is the same with every optimiser."""

import pytest
import torch

from cnn_models import ARCHITECTURES, create_model
from cnn_models.runtime import place
from training import loop
from training.data import LabelledImages
from training.optimizers import OPTIMIZERS, Muon, state_shapes
from training.recipes import Recipe
from training.state import TrainingError

CPU = torch.device("cpu")


LARGE = 10**5  # values of a weight whose steps take seconds


def rows(tensor):
    """A copy of weights with a row per output."""
    return tensor.permute(0, 2, 3, 1).flatten(1).clone() if tensor.ndim == 4 else tensor.clone()


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=lambda architecture: architecture.name)
def test_muon_steps_weights_as_torch_does_and_biases_as_adamw(architecture):
    """Against the optimisers of torch on copies: two steps, the second of which needs the state of the first."""
    torch.manual_seed(0)
    model = place(architecture.build(), CPU)
    parameters = {name: p for name, p in model.named_parameters() if p.numel() < LARGE}
    copies = {name: torch.nn.Parameter(rows(p.detach())) for name, p in parameters.items()}
    weights, biases = ([p for p in copies.values() if (p.ndim > 1) is is_weight] for is_weight in (True, False))
    ours = Muon(parameters.values(), weight_decay=0.1, fused=True)
    settings = {"momentum": 0.9, "ns_steps": 3, "adjust_lr_fn": "match_rms_adamw"}
    theirs = torch.optim.Muon(weights, weight_decay=0.1, **settings), torch.optim.AdamW(biases, weight_decay=0.1)
    for _ in range(2):
        ours.zero_grad()
        assert all(p.grad is None for p in parameters.values())
        for name, p in parameters.items():
            p.grad = torch.randn_like(p)
            copies[name].grad = rows(p.grad)
        for optimizer in (ours, *theirs):
            for group in optimizer.param_groups:
                group["lr"] = 0.01
            optimizer.step()
    for name, p in parameters.items():
        torch.testing.assert_close(rows(p), copies[name], msg=name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_stopped_run_resumes_exactly(optimizer, tmp_path):
    torch.manual_seed(0)
    examples = LabelledImages(torch.randint(0, 256, (40, 28, 28), dtype=torch.uint8), torch.arange(40) % 10)
    recipe = Recipe(2, 8, 1e-3, optimizer=optimizer, held_out=0, size=28, mean=0.1, std=0.3)
    build = ARCHITECTURES["mini_resnet"].build

    setup = loop.Setup("a", build, examples, examples, recipe, 0, CPU)

    def fit(name, **options):
        return loop.fit(setup, tmp_path / name, **options)[0].state_dict()

    uninterrupted, stops = fit("uninterrupted.safetensors"), iter([False] * 6 + [True])
    with pytest.raises(TrainingError, match="--resume"):
        fit("stopped.safetensors", stop=lambda: next(stops))
    resumed = fit("stopped.safetensors", resume=True)
    assert all(torch.equal(resumed[name], uninterrupted[name]) for name in uninterrupted)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("architecture", ["lenet5", "mini_resnet"])
def test_the_tensors_of_its_state_are_known_before_a_step(name, architecture):
    model = place(create_model(architecture), CPU).train()
    optimizer = OPTIMIZERS[name](model.parameters(), weight_decay=0.01, fused=True)
    expected = state_shapes(optimizer)
    model(torch.rand(2, 1, 28, 28)).sum().backward()
    optimizer.step()
    assert expected == {
        f"{index}.{key}": (tuple(tensor.shape), tensor.dtype)
        for index, values in optimizer.state_dict()["state"].items()
        for key, tensor in values.items()
        if tensor is not None
    }
    assert bool(expected) == (name != "sgd")
