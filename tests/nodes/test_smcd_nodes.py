"""SMCD's nodes: what they check themselves, and a picture that goes through all of them."""

import re

import numpy as np
import pytest
import torch

PICTURE = torch.rand(1, 90, 160, 3, generator=torch.Generator().manual_seed(0))
USUAL = {"width": 64, "height": 64, "num_frames": 3, "fit": "stretch", "pad_to": 0}
FILES = {
    "diffusion_models": "Animate-Your-Motion/pytorch_model.bin",
    "text_encoders": "open_clip_pytorch_model.bin",
    "vae": "VQGAN_autoencoder.pth",
}
MODEL = FILES["diffusion_models"]


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def offer(load, smcd_folder):
    """Gives the host's folders of models other places; in the end they are as they were."""
    import folder_paths

    known = folder_paths.folder_names_and_paths
    before = {kind: known[kind] for kind in FILES}

    def change(places: dict) -> None:
        for kind, place in places.items():
            known[kind] = ([str(place)], before[kind][1])
        folder_paths.filename_list_cache.clear()

    yield change
    known.update(before)
    folder_paths.filename_list_cache.clear()


@pytest.fixture
def folders(offer, smcd_folder, modelscope):
    """Model folders of the host that hold the stand-ins."""
    offer(dict.fromkeys(FILES, modelscope) | {"diffusion_models": smcd_folder.parent})


@pytest.fixture
def run(node_classes, folders):
    """Runs a node by the end of its id, and returns its outputs."""
    return lambda name, *given, **more: node_classes[f"FCVG_{name}"].execute(*given, **more).args


@pytest.fixture(scope="module")
def loaded() -> dict:
    """What was loaded, for all tests."""
    return {}


@pytest.fixture
def models(run, loaded) -> tuple:
    """MODEL, CLIP, VAE and the encoders of the official files."""
    if not loaded:
        loaded["models"] = run("LoadSMCD", MODEL, "default", "auto", "auto")
    return loaded["models"]


@pytest.fixture
def tracks(load):
    """A ball that moves to the right over three frames."""
    boxes = load("fcvg_core.boxes")
    places = np.array([[0.1 * i, 0.2, 0.1 * i + 0.3, 0.6] for i in range(3)])
    return boxes.BoxTracks((boxes.BoxTrack("red ball", places),), 3)


def prompts(clip) -> list:
    """The prompt and the empty prompt, as CLIP Text Encode gives them."""
    return [clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in ("a ball rolls", "")]


def paint(run, model, positive, negative, latent) -> torch.Tensor:
    import comfy.samplers

    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(7.5)
    (sampler,) = run("DDIMSampler", 0.0)
    (sigmas,) = run("DDIMSchedule", model, 2, "uniform", 1.0)
    empty = latent["samples"]
    noise = torch.randn(empty.shape, generator=torch.Generator().manual_seed(0))
    return guider.sample(noise, empty, sampler, sigmas, disable_pbar=True)


def test_a_picture_becomes_a_video(run, models, tracks):
    """The boxes matter, and so does the picture where there are none."""
    model, clip, vae, encoders = models
    made = {}
    for name, boxes, picture in (
        ("boxes", tracks, PICTURE),
        ("no boxes", None, PICTURE),
        ("another picture", None, 1 - PICTURE),
    ):
        positive, negative, nothing, latent = run(
            "SMCDConditioning", *prompts(clip), encoders, clip, vae, picture, **USUAL, boxes=boxes
        )
        assert len(positive) == len(negative) == len(nothing) == 1
        assert latent["samples"].shape == (3, 4, 8, 8)
        made[name] = paint(run, model, positive, negative, latent)
    (frames,) = run("DecodeFrames", vae, {"samples": made["boxes"]}, 2)
    assert frames.shape == (3, 64, 64, 3) and frames.std() > 0
    assert not torch.allclose(made["boxes"], made["no boxes"])
    assert not torch.allclose(made["no boxes"], made["another picture"])


def test_one_file_holds_the_three(run, models):
    merged = run("LoadSMCD", "smcd.safetensors", "default", "auto", "auto")
    for one, other in ((models[0], merged[0]), (models[3].patcher, merged[3].patcher)):
        wanted, found = one.model.state_dict(), other.model.state_dict()
        assert wanted.keys() == found.keys()
        for key, value in wanted.items():
            assert torch.allclose(value.float(), found[key].float(), rtol=2e-3, atol=1e-6), key


def test_auto_says_what_is_missing(run, offer, tmp_path):
    """Only where an output is used: text encoder and VAE may come from other nodes."""
    offer({"text_encoders": tmp_path, "vae": tmp_path})
    model, clip, vae, _ = run("LoadSMCD", MODEL, "default", "auto", "auto")
    assert model is not None
    assert re.search("models/text_encoders holds no .* connect Load CLIP", clip.message)
    assert re.search("models/vae holds no .*VQGAN_autoencoder.pth.* connect Load VAE", vae.message)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_name": "smcd/pytorch_model.bin"}, "was not found in .*--only smcd"),
        ({"clip_name": "no clip"}, "'no clip' was not found in"),
        ({"vae_name": "no vae"}, "'no vae' was not found in"),
    ],
)
def test_a_missing_file_is_said_before_the_run(node_classes, folders, changed, said):
    validate = node_classes["FCVG_LoadSMCD"].validate_inputs
    names = {"model_name": MODEL, "clip_name": "auto", "vae_name": "auto"}
    assert validate(**names) is True
    assert validate(**dict.fromkeys(names)) is True
    assert re.search(said, validate(**{**names, **changed}))


def test_the_loader_runs_again_if_a_file_comes(node_classes, offer, tmp_path):
    offer({"text_encoders": tmp_path, "vae": tmp_path})
    fingerprint = node_classes["FCVG_LoadSMCD"].fingerprint_inputs
    before = fingerprint()
    (tmp_path / FILES["vae"]).write_bytes(b"PK")
    offer({"vae": tmp_path})
    assert fingerprint() != before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pad_to": 9}, "pad_to is 9, but it must be from 0 to 8"),
        ({"num_frames": 1}, "num_frames is 1, but it must be from 2"),
        ({"width": 100}, "100"),
    ],
)
def test_conditions_that_can_not_be(run, models, tracks, changed, said):
    _, clip, vae, encoders = models
    given = {**USUAL, "boxes": tracks, **changed}
    with pytest.raises(ValueError, match=said):
        run("SMCDConditioning", *prompts(clip), encoders, clip, vae, PICTURE, **given)


def test_a_number_format_that_no_widget_has(run):
    with pytest.raises(ValueError, match="weight_dtype is 'fp4'"):
        run("LoadSMCD", MODEL, "fp4", "auto", "auto")
