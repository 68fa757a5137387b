"""Muon with AdamW beside it, and that a resumed run is the same with every optimiser."""

import pytest
import torch

from cnn_models import ARCHITECTURES
from cnn_models.runtime import place
from training import loop
from training.data import Pictures
from training.optimizers import OPTIMIZERS, Muon
from training.recipes import Recipe
from training.state import TrainingError

CPU = torch.device("cpu")


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=lambda architecture: architecture.name)
def test_muon_steps_weights_as_torch_does_and_biases_as_adamw(architecture):
    """Against the optimisers of torch on copies: two steps, the second of which needs the state of the first."""
    torch.manual_seed(0)
    model = place(architecture.build(), CPU)
    copies = [p.detach().clone(memory_format=torch.contiguous_format) for p in model.parameters()]
    weights = [p.permute(0, 2, 3, 1).flatten(1) if p.ndim == 4 else p for p in copies if p.ndim > 1]
    weights, biases = ([t.requires_grad_() for t in some] for some in (weights, [p for p in copies if p.ndim == 1]))
    scaled = {"momentum": 0.9, "ns_steps": 3, "adjust_lr_fn": "match_rms_adamw"}
    theirs = (
        torch.optim.Muon(weights, lr=0.01, weight_decay=0.1, **scaled),
        torch.optim.AdamW(biases, lr=0.01, weight_decay=0.1),
    )
    ours = Muon(model.parameters(), weight_decay=0.1, fused=True)
    for _ in range(2):
        ours.zero_grad()
        assert all(p.grad is None for p in model.parameters())
        for group in ours.param_groups:
            group["lr"] = 0.01
        gradients = {True: iter(weights), False: iter(biases)}
        for p in model.parameters():
            p.grad = torch.randn_like(p)
            p_theirs = next(gradients[p.ndim > 1])
            p_theirs.grad = (p.grad.permute(0, 2, 3, 1) if p.ndim == 4 else p.grad).reshape(p_theirs.shape).clone()
        for optimizer in (ours, *theirs):
            optimizer.step()
    expected = {True: iter(weights), False: iter(biases)}
    for name, p in model.named_parameters():
        matrix = p.permute(0, 2, 3, 1).flatten(1) if p.ndim == 4 else p
        torch.testing.assert_close(matrix, next(expected[p.ndim > 1]), msg=name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_that_was_stopped_goes_on_exactly(optimizer, tmp_path):
    torch.manual_seed(0)
    pictures = Pictures(torch.randint(0, 256, (40, 28, 28), dtype=torch.uint8), torch.arange(40) % 10)
    recipe = Recipe(2, 8, 1e-3, optimizer=optimizer, held_out=0, size=28, mean=0.1, std=0.3)
    build = ARCHITECTURES["mini_resnet"].build

    def fit(name, **options):
        return loop.fit("a", build, pictures, pictures, recipe, 0, CPU, tmp_path / name, **options)[0].state_dict()

    undisturbed, asked = fit("undisturbed.safetensors"), iter([False] * 6 + [True])
    with pytest.raises(TrainingError, match="--resume"):
        fit("stopped.safetensors", stop=lambda: next(asked))
    resumed = fit("stopped.safetensors", resume=True)
    assert all(torch.equal(resumed[name], undisturbed[name]) for name in undisturbed)
