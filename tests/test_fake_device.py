"""The stand-in for a GPU refuses what FakeTensorMode refuses, and gives the CPU's values."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F

from cnn_models.runtime import place
from tests.fake_device import fake_device

OPERATIONS = {
    "sum": lambda here, there: here + there,
    "sum with a number": lambda here, there: here + there.sum(),
    "number and its sum": lambda here, there: there.sum() + here,
    "product": lambda here, there: here @ there,
    "in place": lambda here, there: here.add_(there),
    "copy": lambda here, there: here.copy_(there),
    "copy to the CPU": lambda here, there: there.copy_(here),
    "concatenation": lambda here, there: torch.cat([here, there]),
    "mask": lambda here, there: here.masked_fill(there > 0, 0),
    "choice": lambda here, there: torch.where(there > 0, here, here),
    "selection": lambda here, there: here.index_select(0, there[0].long()),
    "index": lambda here, there: here[there[0].long()],
    "loss": lambda here, there: F.cross_entropy(here, there[0].long()),
    "layer": lambda here, there: F.linear(here, there),
    "move": lambda here, there: here + there.to("cuda"),
    "move to the other's device": lambda here, there: here + there.to(here),
    "move to the CPU": lambda here, there: here.cpu() + there,
    "same device": lambda here, there: here + torch.ones(3, 3, device=here.device),
    "result on the CPU": lambda here, there: torch.zeros_like(here, device="cpu") + there,
}


def is_refused(operation) -> bool:
    here, there = torch.zeros(3, 3, device="cuda"), torch.zeros(3, 3)
    try:
        operation(here, there)
    except RuntimeError:
        return True
    return False


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_refused_is_what_fake_tensors_refuse(name):
    with FakeTensorMode():
        expected = is_refused(OPERATIONS[name])
    with fake_device("cuda"):
        assert is_refused(OPERATIONS[name]) == expected


def test_no_array_is_made_of_a_tensor_on_the_device():
    with fake_device("cuda"), pytest.raises(TypeError, match="to numpy"):
        torch.zeros(3, device="cuda").numpy()


def test_indices_of_a_tensor_on_the_cpu_are_on_the_cpu():  # FakeTensorMode does not check that; CUDA does
    with fake_device("cuda"), pytest.raises(RuntimeError, match="same device"):
        torch.zeros(3)[torch.zeros(1, dtype=torch.long, device="cuda")]


def test_mps_has_no_float64():
    with fake_device("mps"), pytest.raises(TypeError, match="float64"):
        torch.zeros(3).double().to("mps")


def test_a_copy_on_the_cpu_shares_no_memory():
    with fake_device("cuda"):
        here = torch.zeros(3, device="cuda")
        there = here.cpu()
        here += 1
        assert there.device.type == "cpu" and there.sum() == 0


def test_a_network_is_trained_on_the_device_as_on_the_cpu():
    def trained(device: str) -> Tensor:
        torch.manual_seed(0)
        model = place(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(16, 2)), torch.device(device))
        model = copy.deepcopy(model)
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)
        model(torch.rand(5, 1, 4, 4).to(device)).square().sum().backward()
        optimizer.step()
        tensors = [*model.parameters(), *(p.grad for p in model.parameters() if p.grad is not None)]
        tensors += [value for state in optimizer.state.values() for value in state.values()]
        assert len(tensors) == 20 and {each.device.type for each in tensors} == {device}
        return torch.cat([each.detach().cpu().flatten() for each in tensors])

    with fake_device("cuda"):
        assert trained("cuda").equal(trained("cpu"))
