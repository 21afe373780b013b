"""Which tensors of two files differ, what they are, and the small file of them."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from export_cases import open_network, tensors
from safetensors.torch import save_file

from fcvg_core.errors import UserError
from fcvg_core.training.differences import (
    diff_weights,
    group_differences,
    kind_of,
    open_weights,
    smallest_set,
    write_differences,
)

OWN = "diffusion_pytorch_model.safetensors"
NAMES = {
    "up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_v.weight": "values",
    "up_blocks.1.attentions.0.temporal_transformer_blocks.0.attn1.to_out.0.bias": (
        "outputs, over frames"
    ),
    "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": "queries and keys",
    "mid_block.resnets.0.spatial_res_block.norm1.weight": "residual blocks",
    "mid_block.resnets.0.temporal_res_block.conv1.weight": "residual blocks, over frames",
    "mid_block.resnets.0.time_mixer.mix_factor": "residual blocks, over frames",
    "down_blocks.0.attentions.0.transformer_blocks.0.ff.net.2.weight": "feed forward",
    "down_blocks.0.attentions.0.time_pos_embed.linear_1.bias": "embeddings, over frames",
    "down_blocks.0.attentions.0.transformer_blocks.0.norm1.bias": "norms",
    "conv_in.weight": "conv_in",
    "mid_convs.1.bias": "mid_convs",
}


def saved(path: Path, **values: torch.Tensor) -> Path:
    save_file({name: value.clone() for name, value in values.items()}, path)
    return path


def compared(a: Path, b: Path):
    return diff_weights(open_weights(a), open_weights(b))


def test_what_differs(tmp_path):
    ones = torch.ones(2, 2)
    a = saved(tmp_path / "a.safetensors", x=ones, y=ones, gone=ones, shape=ones)
    moved = ones - torch.tensor([[0, 0.25], [0, 0.125]])
    b = saved(tmp_path / "b.safetensors", x=ones, y=moved, new=ones, shape=torch.ones(2))
    found = compared(a, b)
    assert found.changed == {"y": 0.25} and found.same == ("x",)
    assert (found.only_a, found.only_b, found.other_shapes) == (("gone",), ("new",), ("shape",))
    assert (found.number_format, found.rounded) == ("float32", False)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_a_file_in_half_precision_is_the_same_model(tmp_path, dtype, ending):
    """In either order; a change that the coarser format can show is seen."""
    weights = {"x": torch.rand(50, generator=torch.Generator().manual_seed(0)), "y": torch.ones(3)}
    fine, coarse = tmp_path / "fine.safetensors", tmp_path / f"coarse.{ending}"
    rounded = {name: value.to(dtype) for name, value in weights.items()}
    rounded["y"][1] = 1.5
    save_file(weights, fine)
    save_file(rounded, coarse) if ending == "safetensors" else torch.save(rounded, coarse)
    for found in (compared(fine, coarse), compared(coarse, fine)):
        assert found.changed == {"y": 0.5} and found.same == ("x",)
        assert (found.number_format, found.rounded) == (str(dtype).partition(".")[2], True)


def test_whole_numbers(tmp_path):
    a = saved(tmp_path / "a.safetensors", position_ids=torch.arange(4), one=torch.ones(1))
    b = saved(tmp_path / "b.safetensors", position_ids=torch.arange(4) + 2, one=torch.ones(1))
    assert compared(a, b).changed == {"position_ids": 2.0}


def test_kinds():
    assert {name: kind_of(name) for name in NAMES} == NAMES


def test_kinds_of_svds_own_unet(own_golden):
    """Their sizes are those that the facts about FCVG's training name."""
    keys = json.loads((own_golden / "fcvg" / "keys_svd_xt_unet_diffusers.json").read_text())
    sizes: dict[str, int] = {}
    for name, shape in keys.items():
        kind = kind_of(name).partition(",")[0]
        sizes[kind] = sizes.get(kind, 0) + torch.Size(shape).numel()
    assert round((sizes["values"] + sizes["outputs"]) / 1e6, 2) == 99.95
    assert round(sizes["residual blocks"] / 1e6, 1) == 696.9
    others = sizes.keys() - {"values", "outputs", "residual blocks", "queries and keys"}
    assert others - {"feed forward", "embeddings", "norms"} <= {
        *("conv_in", "conv_out", "conv_norm_out", "down_blocks", "mid_block", "up_blocks")
    }


@pytest.fixture(scope="module")
def svd(stand_ins) -> Path:
    """The stand-in of SVD in diffusers' layout."""
    return stand_ins / "svd"


@pytest.fixture(scope="module")
def trained(svd, tmp_path_factory) -> Path:
    """A UNet that was trained from SVD's own."""
    weights = tensors(svd / "unet" / OWN)
    moved = {k: v + 0.5 if ".to_v." in k or ".to_out." in k else v for k, v in weights.items()}
    path = tmp_path_factory.mktemp("trained") / "unet.safetensors"
    save_file(moved, path)
    return path


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (("a.temporal_transformer_blocks.0.attn1.to_v.weight",), "temporal-vo"),
        (("b.to_v.weight", "a.temporal_transformer_blocks.0.attn1.to_v.weight"), "control+vo"),
        (("b.resnets.0.conv1.weight",), "control+vo+resnet"),
        (("conv_in.bias",), "all"),
        (("mid_convs.1.bias",), "control"),
    ],
)
def test_the_smallest_trained_set(tmp_path, changed, expected):
    names = {
        *("a.temporal_transformer_blocks.0.attn1.to_v.weight", "b.to_v.weight"),
        *("b.resnets.0.conv1.weight", "conv_in.bias"),
    }
    names = {"mid_convs.1.bias"} if expected == "control" else names
    a = saved(tmp_path / "a.safetensors", **{name: torch.zeros(1) for name in names})
    b = {name: torch.full((1,), float(name in changed)) for name in names}
    found = compared(a, saved(tmp_path / "b.safetensors", **b))
    assert found.changed.keys() == set(changed) and smallest_set(found) == expected


class TestSvd:
    def test_groups_and_the_trained_set(self, svd, trained):
        found = compared(svd, trained)
        groups = {group.name: group for group in group_differences(found)}
        for name in ("values", "values, over frames", "outputs", "outputs, over frames"):
            assert groups[name].changed == groups[name].total > 0
            assert groups[name].largest == pytest.approx(0.5, abs=1e-3)
        assert groups["residual blocks"].changed == groups["residual blocks"].values == 0
        assert sum(group.values for group in groups.values()) == sum(
            found.sizes[name] for name in found.changed
        )
        assert smallest_set(found) == "control+vo"

    @pytest.mark.parametrize("dtype", [None, torch.float16])
    def test_the_small_file_goes_over_svd(self, svd, trained, tmp_path, dtype):
        a, b = open_weights(svd), open_weights(trained)
        path = tmp_path / "small.safetensors"
        count = write_differences(path, a, b, diff_weights(a, b), dtype=dtype)
        small = tensors(path)
        assert len(small) == count and path.stat().st_size < trained.stat().st_size / 3
        over = open_network(svd, path, None).state_dict()
        for name, value in open_network(svd, trained, None).state_dict().items():
            assert torch.equal(over[name], value if dtype is None else value.to(dtype).float())

    def test_a_full_disk(self, svd, trained, small_disk):
        folder = small_disk(2**20)
        a, b = open_weights(svd), open_weights(trained)
        with pytest.raises(UserError, match="disk is full.*Make room there"):
            write_differences(folder / "small.safetensors", a, b, diff_weights(a, b))
        assert not list(folder.iterdir())

    def test_a_folder_without_a_unet(self, svd, trained, tmp_path):
        bare = Path(shutil.copytree(svd, tmp_path / "svd"))
        (bare / "unet" / OWN).unlink()
        with pytest.raises(UserError, match="holds no unet/diffusion_pytorch_model.safetensors"):
            open_weights(bare)


class TestBadInput:
    def test_nothing_in_common(self, stand_ins, tmp_path):
        for name in ("unet", "controlnext"):
            weights = tensors(stand_ins / f"{name}.safetensors")
            # At full size a UNet's and a ControlNeXt's have other shapes.
            weights = {k: v for k, v in weights.items() if "time_embedding" not in k}
            save_file(weights, tmp_path / f"{name}.safetensors")
        paths = tmp_path / "unet.safetensors", tmp_path / "controlnext.safetensors"
        with pytest.raises(
            UserError, match="the first is an SVD UNet, the second a ControlNeXt v2"
        ):
            compared(*paths)

    def test_a_file_that_is_cut_off(self, stand_ins, tmp_path):
        cut = tmp_path / "cut.safetensors"
        cut.write_bytes((stand_ins / "controlnext.safetensors").read_bytes()[:-100])
        with pytest.raises(UserError, match="cut.safetensors .*incomplete"):
            compared(stand_ins / "controlnext.safetensors", cut)

    def test_not_a_number(self, tmp_path):
        a = saved(tmp_path / "a.safetensors", x=torch.ones(2))
        b = saved(tmp_path / "b.safetensors", x=torch.tensor([1, float("nan")]))
        with pytest.raises(UserError, match="b.safetensors does not fit: x holds NaN"):
            compared(a, b)

    def test_nothing_to_write(self, tmp_path):
        path = saved(tmp_path / "a.safetensors", x=torch.ones(2))
        self.refused(path, path, tmp_path / "small.safetensors", "differs from .*nothing to write")

    def test_other_shapes(self, tmp_path):
        a = saved(tmp_path / "a.safetensors", x=torch.ones(2), y=torch.ones(1))
        b = saved(tmp_path / "b.safetensors", x=torch.ones(3), y=torch.ones(1))
        self.refused(a, b, tmp_path / "small.safetensors", "other shapes than .*a.safetensors: x")

    def test_a_name_that_is_taken_or_wrong(self, tmp_path):
        a = saved(tmp_path / "a.safetensors", x=torch.ones(2))
        b = saved(tmp_path / "b.safetensors", x=torch.zeros(2))
        self.refused(a, b, b, "b.safetensors exists already, and nothing is overwritten")
        self.refused(a, b, tmp_path / "small.bin", "small.bin .*give it the ending .safetensors")

    @staticmethod
    def refused(a: Path, b: Path, target: Path, words: str) -> None:
        before = sorted(target.parent.iterdir())
        files = open_weights(a), open_weights(b)
        with pytest.raises(UserError, match=words):
            write_differences(target, *files, diff_weights(*files))
        assert sorted(target.parent.iterdir()) == before
