"""The memory of a training process, and of a server."""

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

RESIDENT = """
import threading
from pathlib import Path

import torch

from cnn_models.runtime import return_memory

kept = []
def use():
    for _ in range(3):  # by default, glibc takes blocks as large as a freed one from the heap of the thread
        tensors = [torch.ones(1_500_000) for _ in range(10)]  # 6 MB each
        kept.append(torch.ones(300))  # behind them in the heap
        meeting.wait()
        del tensors

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) // 256

before = resident()
{first}
meeting = threading.Barrier(4)
threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(resident() - before)
"""
ON_GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings of malloc")


def printed(script: str, first: str) -> int:
    command = [sys.executable, "-c", script.format(first=first)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def faults(first: str) -> int:
    """Pages that the kernel had to give for tensors as large as freed ones."""
    return printed(FAULTS, first)


@ON_GLIBC
def test_a_server_returns_the_memory_it_frees():
    """In MB; 240 were used at once."""
    assert printed(RESIDENT, "return_memory()") < 40 < 100 < printed(RESIDENT, "")


@ON_GLIBC
def test_a_training_keeps_the_memory_it_frees():
    assert 10 * faults("keep_memory()") < faults("")
