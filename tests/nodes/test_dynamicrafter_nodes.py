"""DynamiCrafter's nodes: loaders, conditioning, DDIM and guidance, with tiny models."""

import pytest
import torch

PICTURE = torch.rand(1, 90, 160, 3, generator=torch.Generator().manual_seed(0))
SIZE = {"width": 128, "height": 64, "num_frames": 3}
USUAL = {
    "mode": "animate",
    "fs": 24,
    "image_tokens": "auto",
    "clip_picture": "as the video",
    **SIZE,
}


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def folders(load, dynamicrafter_files):
    """Model folders of the host that hold the stand-ins."""
    import folder_paths

    known = folder_paths.folder_names_and_paths
    before = {kind: known[kind] for kind in ("checkpoints", "diffusion_models")}
    for kind, (_, endings) in before.items():
        known[kind] = ([str(dynamicrafter_files["unet"].parent)], endings)
    yield
    known.update(before)


@pytest.fixture(scope="module")
def run(node_classes, folders):
    """Runs a node by the end of its id, and returns its outputs."""
    return lambda name, *given, **more: node_classes[f"FCVG_{name}"].execute(*given, **more).args


@pytest.fixture(scope="module")
def models(run) -> dict:
    """Outputs of the loader for the model that interpolates, by their names."""
    name = "dynamicrafter_512_interp_v1/model.ckpt"
    outputs = "model", "clip", "clip_vision", "vae", "image_projector"
    return dict(zip(outputs, run("LoadDynamiCrafter", name, "auto", "default"), strict=True))


@pytest.fixture(scope="module")
def encoders(run, models) -> dict:
    """The loader's outputs that conditioning takes, with the projector of the model 512."""
    other = run("LoadDynamiCrafter", "dynamicrafter_512_v1/model.ckpt", "auto", "default")
    kept = {name: models[name] for name in ("clip_vision", "vae")}
    return {**kept, "image_projector": other[-1]}


@pytest.fixture(scope="module")
def prompts(models) -> dict:
    clip = models["clip"]
    texts = {"positive": "a balloon rises", "negative": ""}
    return {k: clip.encode_from_tokens_scheduled(clip.tokenize(x)) for k, x in texts.items()}


@pytest.fixture
def condition(run, encoders, prompts):
    def condition(image=PICTURE, **changed) -> tuple:
        given = {**prompts, **encoders, **USUAL, **changed}
        return run("DynamiCrafterConditioning", image=image, **given)

    return condition


class TestLoaders:
    def test_parts_of_a_file(self, models):
        assert models["image_projector"].variant.word == "512_interp"
        assert models["model"].model.variant.word == "512_interp"
        assert all(value is not None for value in models.values())

    def test_a_file_without_encoders(self, run, dynamicrafter_files):
        """Each output says what to connect in its place."""
        model, projector = run(
            "LoadDynamiCrafterUNet", dynamicrafter_files["unet"].name, "auto", "default"
        )
        assert model.model.variant is projector.variant
        name = dynamicrafter_files["unet"].name
        _, clip, clip_vision, vae, projector = run("LoadDynamiCrafter", name, "auto", "default")
        assert projector.variant.word == "512_interp"
        for blocked, part in ((clip, "text encoder"), (clip_vision, "CLIP image"), (vae, "VAE")):
            assert f"{name} holds no {part}" in blocked.message
            assert "in place of this output" in blocked.message

    @pytest.mark.parametrize(
        ("file", "variant", "said"),
        [
            (
                "unet.safetensors",
                "auto",
                "unet.safetensors is .*SVD.*UNet of DynamiCrafter is needed",
            ),
            ("dynamicrafter_512_v1/model.ckpt", "256", "is not DynamiCrafter .256 x 256.: its"),
            ("nowhere.ckpt", "auto", "'nowhere.ckpt' was not found in"),
        ],
    )
    def test_a_wrong_file(self, run, file, variant, said):
        with pytest.raises(ValueError, match=said):
            run("LoadDynamiCrafter", file, variant, "default")

    def test_a_number_format_that_is_none(self, run):
        with pytest.raises(ValueError, match="weight_dtype is 'fp4'; expected one of default"):
            run("LoadDynamiCrafter", "dynamicrafter_512_v1/model.ckpt", "auto", "fp4")

    def test_a_missing_file_is_said_before_the_run(self, node_classes, folders):
        for node in ("LoadDynamiCrafter", "LoadDynamiCrafterUNet"):
            validate = node_classes[f"FCVG_{node}"].validate_inputs
            assert validate(None) is True
            assert "'nowhere.ckpt' was not found" in validate("nowhere.ckpt")
        assert "use Load DynamiCrafter, whose files" in validate("nowhere.ckpt")
        assert "fcvg_unet" not in validate("nowhere.ckpt")


class TestConditioning:
    def test_outputs(self, condition):
        positive, negative, image_only, latent = condition()
        assert latent["samples"].shape == (3, 4, 8, 16) and not latent["samples"].any()
        assert torch.equal(image_only[0][0], negative[0][0])  # the text
        assert not torch.equal(positive[0][0], negative[0][0])

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (
                {"width": 120},
                "width must be a multiple of 64 from 64 to 4096, got 120: use 64 or 128",
            ),
            ({"fs": 0}, "fs is 0, but it must be from 1 to 1000"),
            ({"fs": -3}, "fs is -3, but"),
            ({"num_frames": 1}, "num_frames is 1, but it must be from 2 to 1024"),
            ({"mode": "loop"}, "512_interp"),
            (
                {"mode": "interpolate"},
                "dynamicrafter_512_interp_v1/model.ckpt. If .*, set variant of Load DynamiCrafter",
            ),
            ({"image": torch.zeros(0, 8, 8, 3)}, "image is an empty batch"),
            ({"image": PICTURE * float("nan")}, "image holds NaN"),
        ],
    )
    def test_what_can_not_be(self, condition, changed, said):
        with pytest.raises(ValueError, match=said):
            condition(**changed)

    def test_interpolation_without_a_last_picture(self, condition, models):
        with pytest.raises(ValueError, match="last_image is missing"):
            condition(mode="interpolate", image_projector=models["image_projector"])

    @pytest.mark.parametrize("shape", [(1, 64, 128, 4), (2, 1, 1, 3), (1, 700, 90, 1)])
    def test_any_picture(self, condition, shape):
        """RGBA, tiny, tall and grey."""
        assert condition(torch.rand(*shape))[3]["samples"].shape == (3, 4, 8, 16)


class TestDecoding:
    def test_frames_do_not_depend_on_each_other(self, run, models):
        """So the number of frames at once, and with it the card, changes nothing."""
        latents = torch.randn(3, 4, 8, 16, generator=torch.Generator().manual_seed(0))
        one, three = (
            run("DecodeFrames", models["vae"], {"samples": latents}, count)[0] for count in (1, 3)
        )
        assert one.shape == (3, 64, 128, 3) and one.std() > 0
        torch.testing.assert_close(one, three, rtol=0, atol=1e-5)
        torch.testing.assert_close(one, models["vae"].decode(latents), rtol=0, atol=1e-5)

    def test_encoded_frames_come_back_as_latents(self, run, models):
        frames = torch.rand(2, 64, 128, 3, generator=torch.Generator().manual_seed(0))
        (latent,) = run("EncodeFrames", models["vae"], frames, 1)
        wanted = models["vae"].encode(frames)
        torch.testing.assert_close(latent["samples"], wanted, rtol=0, atol=1e-4)


class TestSampling:
    @pytest.mark.parametrize("rescale", [0.0, 0.7])
    def test_three_branches_are_plain_guidance_if_both_scales_agree(
        self, run, models, condition, rescale
    ):
        import comfy.samplers

        positive, negative, image_only, latent = condition()
        (three,) = run(
            "ThreeBranchGuider", models["model"], positive, image_only, negative, 5.0, 5.0, rescale
        )
        (model,) = run("ClipGuidanceRescale", models["model"], rescale)
        plain = comfy.samplers.CFGGuider(model)
        plain.set_conds(positive, negative)
        plain.set_cfg(5.0)
        (sampler,) = run("DDIMSampler", 1.0)
        (sigmas,) = run("DDIMSchedule", models["model"], 2, "uniform_trailing", 1.0)
        noise = torch.randn(3, 4, 8, 16, generator=torch.Generator().manual_seed(0))
        found, wanted = (
            guider.sample(noise, latent["samples"], sampler, sigmas, seed=1, disable_pbar=True)
            for guider in (three, plain)
        )
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)
        assert found.std() > 0

    def test_the_node_that_samples_says_what_it_needs(
        self, run, models, condition, load, monkeypatch, caplog
    ):
        import comfy.samplers

        messages, shown = load("nodes.messages"), []
        monkeypatch.setattr(messages, "running_node", lambda: "7")
        monkeypatch.setattr(messages, "show_on_node", lambda *given: shown.append(given))
        caplog.set_level("INFO")
        positive, negative, _, latent = condition(image_projector=models["image_projector"])
        del shown[:]
        guider = comfy.samplers.CFGGuider(models["model"])
        guider.set_conds(positive, negative)
        (sampler,) = run("DDIMSampler", 0.0)
        sigmas = torch.tensor([1.0, 0.5, 0.1])
        guider.sample(latent["samples"], latent["samples"], sampler, sigmas, disable_pbar=True)
        needs = "3 frames of 128 x 64 in one window."
        assert {node for node, _ in shown} == {"7"}
        assert [text.splitlines()[0] for _, text in shown] == [needs] * len(shown)
        assert "2 steps in " in shown[-1][1]

    def test_levels_end_above_zero(self, run, models):
        (sigmas,) = run("DDIMSchedule", models["model"], 4, "uniform_trailing", 1.0)
        assert len(sigmas) == 5 and (sigmas.diff() < 0).all() and sigmas[-1] > 0

    @pytest.mark.parametrize(
        ("node", "values", "said"),
        [
            ("DDIMSampler", (1.5,), "eta is 1.5, but it must be from 0 to 1"),
            ("DDIMSchedule", (0, "uniform", 1.0), "steps is 0, but it must be from 1 to 1000"),
            ("DDIMSchedule", (5, "uniform", 2.0), "denoise is 2, but"),
            ("ThreeBranchGuider", ([], [], [], 31.0, 1.0, 0.0), "cfg is 31, but"),
            ("ThreeBranchGuider", ([], [], [], 1.0, -1.0, 0.0), "cfg_image is -1, but"),
            ("ThreeBranchGuider", ([], [], [], 1.0, 1.0, 2.0), "rescale is 2, but"),
            ("ClipGuidanceRescale", (float("nan"),), "rescale is nan, but"),
        ],
    )
    def test_value_of_a_link_that_no_widget_takes(self, run, models, node, values, said):
        model = () if node == "DDIMSampler" else (models["model"],)
        with pytest.raises(ValueError, match=said):
            run(node, *model, *values)

    def test_a_model_of_another_family(self, run, tiny_models):
        """SVD's has neither timesteps nor the output that is rescaled."""
        with pytest.raises(ValueError, match="connect the model of Load DynamiCrafter"):
            run("DDIMSchedule", tiny_models[0], 5, "uniform", 1.0)
        with pytest.raises(ValueError, match="connect the model of Load DynamiCrafter"):
            run("ClipGuidanceRescale", tiny_models[0], 0.7)
