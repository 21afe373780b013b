"""DropletVideo's nodes: what they check themselves, and a picture that goes through all of them."""

import re

import pytest
import torch

PICTURE = torch.rand(1, 90, 160, 3, generator=torch.Generator().manual_seed(0))
SIZE = {"width": 96, "height": 64, "num_frames": 5}
USUAL = {
    "fps": 4,
    "fit": "crop",
    "pad_to_16": False,
    "augmentation": 0.0563,
    "augmentation_seed": 0,
    **SIZE,
}


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def folders(load, dropletvideo_folder):
    """Model folders of the host that hold the stand-ins."""
    import folder_paths

    known = folder_paths.folder_names_and_paths
    base = dropletvideo_folder.parent
    places = {"diffusers": base, "diffusion_models": base / "diffusion_models", "vae": base / "vae"}
    before = {kind: known[kind] for kind in places}
    for kind, place in places.items():
        known[kind] = ([str(place)], before[kind][1])
    folder_paths.filename_list_cache.clear()
    yield
    known.update(before)
    folder_paths.filename_list_cache.clear()


@pytest.fixture(scope="module")
def run(node_classes, folders):
    """Runs a node by the end of its id, and returns its outputs."""
    return lambda name, *given, **more: node_classes[f"FCVG_{name}"].execute(*given, **more).args


@pytest.fixture(scope="module")
def models(run, dropletvideo_folder) -> tuple:
    """MODEL, CLIP and VAE of the folder."""
    return run("LoadDropletVideo", dropletvideo_folder.name, "default")


@pytest.fixture(scope="module")
def prompts(run, models) -> tuple:
    return run("DropletVideoTextEncode", models[1], "a boat", "", True, True)


def test_a_picture_becomes_a_video(run, models, prompts):
    """With networks from files of their own, which are those of the folder."""
    import comfy.samplers

    (model,) = run("LoadDropletVideoModel", "dropletvideo_5b.safetensors", "default")
    (vae,) = run("LoadDropletVideoVAE", "dropletvideo_vae.safetensors")
    for alone, of_folder in ((model.model, models[0].model), (vae.first_stage_model, models[2])):
        found = alone.state_dict()
        wanted = getattr(of_folder, "first_stage_model", of_folder).state_dict()
        assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    positive, negative, latent = run("DropletVideoConditioning", *prompts, vae, PICTURE, **USUAL)
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(6.0)
    euler = comfy.samplers.sampler_object("euler")
    (sigmas,) = run("TrailingSchedule", model, 2, 1.0)
    empty = latent["samples"]
    noise = torch.randn(empty.shape, generator=torch.Generator().manual_seed(0))
    frames = vae.decode(guider.sample(noise, empty, euler, sigmas, disable_pbar=True))[0]
    assert len(frames) == 8
    (video,) = run("TrimDropletVideo", frames, "trimmed", 90, 60)
    assert video.shape == (5, 60, 90, 3) and video.std() > 0


def test_only_its_own_folders_are_offered(load, folders, stand_ins, dropletvideo_folder):
    """SVD's list begins with SVD, though DropletVideo comes before it in the alphabet."""
    module = load("nodes.host.folders")
    assert module.list_pipelines(module.TRANSFORMER) == [dropletvideo_folder.name]
    assert dropletvideo_folder.name not in module.list_pipelines(module.UNET_FOLDER)


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("LoadDropletVideo", "'nowhere' was not found in .*models --get"),
        ("LoadDropletVideoModel", "'nowhere' was not found in .*dropletvideo-transformer"),
        ("LoadDropletVideoVAE", "'nowhere' was not found in .*dropletvideo-vae"),
    ],
)
def test_a_missing_file_is_said_before_the_run(node_classes, folders, node, said):
    validate = node_classes[f"FCVG_{node}"].validate_inputs
    assert validate(None) is True
    assert re.search(said, validate("nowhere"))


@pytest.mark.parametrize(
    ("node", "given", "said"),
    [
        ("LoadDropletVideo", ("DropletVideo-V1.0-weights", "fp4"), "weight_dtype is 'fp4'"),
        ("LoadDropletVideoModel", ("dropletvideo_5b.safetensors", "x"), "weight_dtype is 'x'"),
        ("LoadDropletVideoVAE", ("dropletvideo_5b.safetensors",), "was not found"),
        ("TrailingSchedule", (None, 0, 1.0), "steps is 0, but it must be from 1 to 1000"),
        ("TrailingSchedule", (None, 9, 1.5), "denoise is 1.5, but"),
        ("TrimDropletVideo", (PICTURE, "trimmed", -1, 0), "width is -1, but"),
        ("TrimDropletVideo", (PICTURE, "trimmed", 0, 5000), "height is 5000, but"),
        ("MeasureMotion", (PICTURE, 1, PICTURE), "num_frames is 1, but it must be from 5"),
    ],
)
def test_value_of_a_link_that_no_widget_takes(run, node, given, said):
    with pytest.raises(ValueError, match=said):
        run(node, *given)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"augmentation": float("nan")}, "augmentation is nan, but it must be from 0 to 1"),
        ({"augmentation_seed": -1}, "augmentation_seed is -1, but"),
        ({"width": 100}, "got 100: use 96 or 112, or let the frames be padded .pad_to_16."),
    ],
)
def test_conditions_that_can_not_be(run, models, prompts, changed, said):
    with pytest.raises(ValueError, match=said):
        run("DropletVideoConditioning", *prompts, models[2], PICTURE, **{**USUAL, **changed})


def test_motion_of_a_pair(run):
    displacement, fps = run("MeasureMotion", PICTURE, 85, PICTURE.roll(5, dims=2))
    assert 0 < displacement < 0.2 and isinstance(fps, int) and 4 <= fps <= 32
