"""The reader of files and the loader of networks never hold a checkpoint of 10 GB twice."""

import sys

import pytest
import torch
from memory import PeakBytes, own_memory
from torch import nn

SIZE = 96 * 2**20  # of the file


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory with /proc")
def test_tensors_of_a_checkpoint_stay_in_the_file(load, tmp_path):
    weights = {"a.weight": torch.zeros(SIZE // 4), "b.weight": torch.ones(8)}
    torch.save({"state_dict": weights, "epoch": 1}, tmp_path / "model.ckpt")
    load_weights = load("nodes.host.files").load_weights
    before = own_memory()
    found, notes = load_weights(str(tmp_path / "model.ckpt"))
    assert found["a.weight"].nbytes == SIZE and found["b.weight"].sum() == 8 and not notes
    assert own_memory() - before < SIZE / 10


def test_a_network_converts_one_tensor_at_a_time(load):
    """A host that does not stream makes the network's own weights, and needs no others."""
    patchers = load("nodes.host.patchers")
    network = nn.Linear(512, 2048, dtype=torch.float16)
    patcher = patchers.make_patcher(network, torch.device("cpu"), torch.device("cpu"))
    weights = {"weight": torch.rand(2048, 512), "bias": torch.rand(2048)}
    meant = patchers.meant_tensors(network)
    with PeakBytes() as counted:
        patchers.fill(patcher, network, weights, meant)
    assert counted.peak < 2**20
    assert all(torch.equal(network.state_dict()[k], x.half()) for k, x in weights.items())
