"""Cross-attention over one token: the host's numbers, and the host's own code wherever asked."""

import copy

import pytest
import torch
from guiding import Rig, apply_hook, conditioning, random
from streaming import WAYS

pytestmark = pytest.mark.seam

EXACT = 5e-4  # of a video's deviation, as in the golden numbers of videos
LAYER = "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2"


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture(scope="module")
def one_token(load):
    return load("nodes.host.svd.one_token")


def plain_guider(rig, model):
    return rig.host(model, one_token=False)


def patched(one_token, model):
    model = model.clone()
    one_token.use_one_token(model)
    return model


@pytest.fixture
def queries(rig) -> list:
    """Notes each query that a cross-attention of the model computes."""
    seen = []
    handles = [
        block.attn2.to_q.register_forward_hook(lambda *args: seen.append(args[0]))
        for block in rig.model.model.diffusion_model.modules()
        if hasattr(block, "attn2")
    ]
    yield seen
    for handle in handles:
        handle.remove()


class TestLayer:
    @pytest.fixture
    def layers(self, one_token):
        import comfy.ldm.modules.attention as attention

        torch.manual_seed(0)
        plain = attention.CrossAttention(64, 32, heads=2, dim_head=32, operations=torch.nn)
        quick = copy.deepcopy(plain)
        quick.__class__ = one_token.OneTokenAttention
        return plain, quick

    @torch.inference_mode()
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
    def test_same_numbers(self, layers, dtype):
        x, context = random(1, 3, 10, 64).to(dtype), random(2, 3, 1, 32).to(dtype)
        wanted, out = (layer.to(dtype)(x, context=context) for layer in layers)
        assert out.shape == wanted.shape and out.dtype == dtype
        near = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 1e-2}[dtype]
        assert (out - wanted).abs().max() <= near

    @torch.inference_mode()
    @pytest.mark.parametrize(
        "more",
        [
            {"context": random(2, 3, 2, 32)},
            {"value": random(3, 3, 1, 32)},
            {"mask": torch.zeros(3, 10, 1)},
            {"transformer_options": {"patches": {"attn2_output_patch": [None]}}},
        ],
        ids=lambda more: next(iter(more)),
    )
    def test_the_hosts_code_where_more_is_asked(self, layers, more):
        seen = []
        for layer in layers:
            layer.to_q.register_forward_hook(lambda *args: seen.append(1))
        inputs = {"context": random(2, 3, 1, 32), **more}
        wanted, out = (layer(random(1, 3, 10, 64), **inputs) for layer in layers)
        assert torch.equal(out, wanted) and len(seen) == 2

    @torch.inference_mode()
    def test_attention_that_a_pack_replaces(self, layers):
        def double(attend, *args, **more):
            return 2 * attend(*args, **more)

        options = {"optimized_attention_override": double}
        inputs = {"context": random(2, 3, 1, 32), "transformer_options": options}
        wanted, out = (layer(random(1, 3, 10, 64), **inputs) for layer in layers)
        assert torch.equal(out, wanted)
        assert (out - layers[1](random(1, 3, 10, 64), context=inputs["context"])).abs().max() > 0.1


class TestModel:
    def test_no_query_is_computed(self, rig, one_token, queries):
        wanted = rig.sample(plain_guider(rig, rig.model))
        assert queries
        queries.clear()
        out = rig.sample(plain_guider(rig, patched(one_token, rig.model)))
        assert not queries
        assert (out - wanted).abs().max() <= EXACT * wanted.std()

    def test_guiders_use_it(self, rig, queries):
        rig.sample(rig.inbetween(rig.steer()))
        rig.sample(rig.animation(rig.steer()))
        assert not queries

    def test_the_model_that_comes_in_is_not_changed(self, rig, queries):
        rig.sample(rig.inbetween(rig.model))
        assert not rig.model.object_patches
        rig.sample(plain_guider(rig, rig.model))
        assert queries

    def test_a_context_of_several_tokens(self, rig, one_token):
        tokens = [[random(9, 1, 3, 64), conditioning(1)[0][1]]]

        def sample(model):
            guider = plain_guider(rig, model)
            guider.set_conds(tokens, conditioning(None))
            return rig.sample(guider)

        wanted, out = (sample(m) for m in (rig.model, patched(one_token, rig.model)))
        assert (out - wanted).abs().max() <= EXACT * wanted.std()

    @pytest.mark.parametrize("kind", ["attn2_patch", "attn2_replace", "attn2_output_patch"])
    def test_patches_of_attention(self, rig, one_token, kind):
        """As IP adapters have: more tokens, attention of their own, another result."""
        model = rig.model.clone()
        if kind == "attn2_patch":
            model.set_model_attn2_patch(
                lambda n, context, value, options: (n, context * 2, value * 3)
            )
        elif kind == "attn2_replace":
            model.set_model_attn2_replace(lambda q, k, v, options: q + v, "output", 5, 0)
        else:
            model.set_model_attn2_output_patch(lambda n, options: n.mul_(2))
        wanted, out = (rig.sample(plain_guider(rig, m)) for m in (model, patched(one_token, model)))
        assert (out - wanted).abs().max() <= EXACT * wanted.std()
        plain = rig.sample(plain_guider(rig, rig.model))
        assert (plain - wanted).abs().max() > 1e-3 * wanted.std()

    @pytest.mark.parametrize("key", [LAYER, f"{LAYER}.forward", LAYER.removesuffix(".attn2")])
    def test_patches_of_the_same_layer_stay(self, rig, one_token, key):
        model = rig.model.clone()
        theirs = copy.deepcopy(model.get_model_object(LAYER))
        found = {f"{LAYER}.forward": theirs.forward, LAYER: theirs}.get(key)
        model.add_object_patch(key, found or model.get_model_object(key))
        one_token.use_one_token(model)
        assert f"{LAYER}.__class__" not in model.object_patches
        others = f"{LAYER.replace('transformer_blocks', 'time_stack')}.__class__"
        assert model.object_patches[others] is one_token.OneTokenAttention
        wanted = rig.sample(plain_guider(rig, rig.model))
        assert (rig.sample(plain_guider(rig, model)) - wanted).abs().max() <= EXACT * wanted.std()

    @pytest.mark.parametrize("key", ["diffusion_model", LAYER.removesuffix(".attn2")])
    def test_while_a_compiled_clone_is_loaded(self, rig, one_token, key):
        """The modules that another pack compiles are in the network, but not in the next run."""
        import comfy.model_management as mm

        wanted = patched(one_token, rig.model).object_patches
        other = rig.model.clone()
        compiled = torch.compile(other.get_model_object(key), backend="eager")
        other.add_object_patch(key, compiled)
        mm.load_models_gpu([other])
        assert rig.model.model.get_submodule(key) is compiled
        quick = patched(one_token, rig.model)
        assert quick.object_patches == wanted
        assert rig.sample(plain_guider(rig, quick)).isfinite().all()
        left = patched(one_token, other).object_patches
        assert left[key] is compiled and f"{LAYER}.__class__" not in left

    def test_twice(self, rig, one_token):
        """Two guiders may follow each other on one model that stays loaded."""
        once = patched(one_token, rig.model)
        wanted = rig.sample(plain_guider(rig, once))
        again = patched(one_token, once)
        assert again.object_patches == once.object_patches
        assert torch.equal(rig.sample(plain_guider(rig, again)), wanted)
        other = patched(one_token, rig.model)  # while the classes are those of the first
        assert other.object_patches == once.object_patches

    def test_hooks_of_the_host(self, rig, one_token):
        model = apply_hook("nodes_pag", "PerturbedAttentionGuidance", rig.model, 3.0)
        wanted, out = (rig.sample(plain_guider(rig, m)) for m in (model, patched(one_token, model)))
        assert (out - wanted).abs().max() <= EXACT * wanted.std()


@pytest.mark.parametrize("way", WAYS)
@torch.inference_mode()
def test_other_copies_of_the_network(load, one_token, stand_ins, monkeypatch, way):
    """For another GPU, and without streaming, the host makes copies of the network."""
    WAYS[way](monkeypatch)
    loading = load("nodes.host.svd.loading")
    model = loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default")
    rig = Rig(load, model, None)
    quick = patched(one_token, model)
    wanted = rig.sample(plain_guider(rig, model))
    copies = [quick]
    if hasattr(quick, "deepclone_multigpu"):
        copies.append(quick.deepclone_multigpu(torch.device("cpu")))
    if way != "plain":
        copies.append(quick.clone(disable_dynamic=True))
    for found in copies:
        out = rig.sample(plain_guider(rig, found))
        assert (out - wanted).abs().max() <= 1e-3 * wanted.std()
        layer = found.get_model_object(LAYER)
        assert type(layer) is one_token.OneTokenAttention
