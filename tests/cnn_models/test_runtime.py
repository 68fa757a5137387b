"""The memory of a training process."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource

import torch

from cnn_models.runtime import keep_memory

{first}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        torch.zeros(20_000_000)  # 80 MB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

for _ in range(4):  # it settles after some ten: small blocks come to lie in the holes
    faults()
print(faults())
"""


def faults(first: str) -> int:
    """Pages that the kernel had to give for tensors as large as freed ones."""
    script = FAULTS.format(first=first)
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_a_training_keeps_the_memory_it_frees():
    assert 10 * faults("keep_memory()") < faults("")
