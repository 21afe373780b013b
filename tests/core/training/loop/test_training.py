"""Runs of the loop: what they train, how they go on, and what they leave."""

import pytest
import torch
from loop_cases import RATES, WIDTH, Network, RandomTask, lines, run
from torch import nn

from fcvg_core.errors import UserError
from fcvg_core.training.config import TrainingMachine
from fcvg_core.training.loop import Place, find_checkpoint, read_trained
from fcvg_core.training.trained_sets import TrainedSet

UNET_ALONE = TrainedSet(("unet.*",), "the UNet")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def all_files(run_folder) -> list[dict[str, torch.Tensor]]:
    """Every number of the newest checkpoint."""
    found = find_checkpoint(run_folder)
    return [found.trained(), found.averages(), found.optimizer()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that is never interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


class TestWhatIsTrained:
    def test_the_loss_falls_and_the_rest_stays(self, tmp_path):
        task = RandomTask()
        summary = run(tmp_path, task=task, steps=80, every=99, log_every=20, trained=UNET_ALONE)
        found = [line["loss"] for line in lines(tmp_path)]
        assert summary.step == 80 and summary.loss == found[-1] < 0.3 * found[0]
        before, after = Network().state_dict(), task.network.state_dict()
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        assert changed == {f"unet.{i}.{kind}" for i in (0, 2) for kind in ("weight", "bias")}

    def test_a_step_is_that_of_plain_pytorch(self, tmp_path):
        """Accumulated batches, clipped together; a rate for each network; the average."""
        task, by_hand = RandomTask(noisy=False), Network()
        seen = []
        task.sample, plain = lambda i, c: seen.append(plain(i, c)) or seen[-1], task.sample
        run(tmp_path, task=task, steps=1, warmup=2, accumulate=3, clip_norm=0.1)
        losses = [((by_hand(x) - x.flip(0)) ** 2).mean() for x in seen]
        (sum(losses) / 3).backward()
        trained = [p for n, p in by_hand.named_parameters() if not n.startswith("frozen")]
        norm = nn.utils.clip_grad_norm_(trained, 0.1)
        groups = [
            {"params": getattr(by_hand, name).parameters(), "lr": rate / 2}
            for name, rate in RATES.items()
        ]
        torch.optim.AdamW(groups).step()
        expected = by_hand.state_dict()
        for name, value in task.network.state_dict().items():
            torch.testing.assert_close(value, expected[name])
        (line,) = lines(tmp_path)
        assert line["grad_norm"] == pytest.approx(float(norm)) and norm > 0.1
        assert line["lr"] == {name: rate / 2 for name, rate in RATES.items()}
        averages = read_trained(tmp_path, ema=True)["unet.0.weight"]
        start = Network().unet[0].weight
        torch.testing.assert_close(averages, start.lerp(expected["unet.0.weight"], 0.9))

    def test_a_gradient_is_clipped_only_if_a_norm_is_given(self, tmp_path):
        """AdamW forgets the size of a gradient, but for its epsilon: its moments show it."""
        moments = {}
        for norm in (0.0, 0.1):
            run(tmp_path / str(norm), task=RandomTask(), steps=1, clip_norm=norm)
            moments[norm] = find_checkpoint(tmp_path / str(norm)).optimizer()
        (line,) = lines(tmp_path / "0.0")
        whole, clipped = (each["exp_avg/unet.0.weight"] for each in moments.values())
        torch.testing.assert_close(clipped, whole * 0.1 / line["grad_norm"])

    def test_chance_differs_from_step_to_step_and_from_place_to_place(self, tmp_path):
        task, drawn = RandomTask(total=1), []
        task.sample = lambda index, chance: (
            drawn.append(torch.rand((), generator=chance)) or (torch.zeros(WIDTH))
        )
        run(tmp_path, task=task, steps=3, accumulate=2)
        assert len(drawn) == 6 == len(set(map(float, drawn)))

    def test_every_sample_comes_once_in_an_epoch(self, tmp_path):
        task = RandomTask(total=4)
        run(tmp_path, task=task, steps=4)
        epochs = task.asked[:4], task.asked[4:]
        assert [sorted(epoch) for epoch in epochs] == [[0, 1, 2, 3]] * 2

    def test_bf16_works_over_weights_in_float32(self, tmp_path):
        task = RandomTask()
        kinds = []
        task.network.unet[2].register_forward_hook(lambda m, i, out: kinds.append(out.dtype))
        run(tmp_path, task=task, steps=1, machine=TrainingMachine(device="cpu", dtype="bf16"))
        assert set(kinds) == {torch.bfloat16}
        assert {value.dtype for value in read_trained(tmp_path, ema=False).values()} == {
            torch.float32
        }


class TestResume:
    def test_equals_the_run_that_never_ended(self, tmp_path, whole):
        task = RandomTask()
        run(tmp_path, task=task, every=3, enough=stop_after(3))
        assert len(task.asked) >= 6
        before = lines(tmp_path)
        again = RandomTask()
        run(tmp_path, task=again, resume=True)
        assert all(map(same, all_files(tmp_path), all_files(whole)))
        left_out = ("seconds",)
        read = [
            [{k: v for k, v in line.items() if k not in left_out} for line in lines(folder)]
            for folder in (tmp_path, whole)
        ]
        assert read[0] == read[1] and lines(tmp_path)[:3] == before
        assert same(dict(again.network.named_parameters()), dict(named(whole)))

    def test_a_run_that_is_done_takes_no_step(self, whole, caplog):
        task = RandomTask()
        with caplog.at_level("INFO"):
            assert run(whole, task=task, resume=True).step == 6
        assert not task.asked and "All 6 steps are done" in caplog.text

    def test_begins_anew_before_the_first_checkpoint(self, tmp_path, whole, caplog):
        with caplog.at_level("INFO"):
            run(tmp_path, resume=True)
        assert "no checkpoint" in caplog.text
        assert all(map(same, all_files(tmp_path), all_files(whole)))

    def test_a_run_that_exists_is_not_overwritten(self, whole):
        with pytest.raises(UserError, match="--resume, or choose another output"):
            run(whole)

    def test_a_process_that_sees_other_checkpoints_ends(self, whole, tmp_path, monkeypatch):
        monkeypatch.setattr(Place, "highest", lambda self, value: max(value, 6))
        with pytest.raises(UserError, match="a disk that all processes share"):
            run(tmp_path, resume=True)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"seed": 6}, "seed 5, not 6"),
            ({"trained": UNET_ALONE}, "other parameters: 2 .*controlnext.bias"),
        ],
    )
    def test_another_run_is_refused(self, whole, change, words):
        with pytest.raises(UserError, match=words):
            run(whole, resume=True, **change)

    def test_other_shapes_are_refused(self, whole):
        task = RandomTask()
        task.network.unet.idle = nn.Parameter(torch.zeros(4))
        with pytest.raises(UserError, match="other shapes .unet.idle"):
            run(whole, task=task, resume=True)

    def test_other_settings_are_said(self, tmp_path, caplog):
        run(tmp_path, ema=0.0)
        assert find_checkpoint(tmp_path).averages() is None
        summary = run(tmp_path, resume=True, steps=7, ema=0.5)
        assert (
            "ema is 0.5 instead of 0.0" in caplog.text and "steps is 7 instead of 6" in caplog.text
        )
        assert summary.step == 7 and find_checkpoint(tmp_path).averages()


class TestSkippedSteps:
    def test_a_loss_that_is_no_number_changes_nothing(self, tmp_path, caplog):
        task = RandomTask(bad=(2,))
        summary = run(tmp_path, task=task, steps=3, every=1)
        assert summary.skipped == 1 and "Step 2 is skipped: its loss" in caplog.text
        first, second = (tmp_path / f"checkpoints/step-00000{n}" for n in (1, 2))
        for name in ("trained", "ema", "optimizer"):
            files = [(folder / f"{name}.safetensors").read_bytes() for folder in (first, second)]
            assert files[0] == files[1]
        assert [line["skipped"] for line in lines(tmp_path)] == [0, 1, 1]
        assert lines(tmp_path)[1]["loss"] is None

    def test_a_gradient_that_is_infinite_counts_too(self, tmp_path, caplog):
        task = RandomTask()
        weight = task.network.unet[0].weight
        weight.register_hook(lambda gradient: gradient + float("inf"))
        assert run(tmp_path, task=task, steps=2).skipped == 2
        assert "its gradient" in caplog.text

    def test_several_in_a_row_stop_with_advice(self, tmp_path):
        """The count goes on after a resume."""
        run(tmp_path, task=RandomTask(bad=range(4, 99)), steps=5)
        with pytest.raises(
            UserError, match=r"in 5 steps in a row.*step 7.*unet_rate.*fp32.*--resume"
        ):
            run(tmp_path, task=RandomTask(bad=range(99)), resume=True, steps=20)

    def test_single_ones_do_not_stop(self, tmp_path):
        summary = run(tmp_path, task=RandomTask(bad=range(0, 40, 4)), steps=20, every=99)
        assert (summary.step, summary.skipped) == (20, 10)


class TestMemory:
    def test_advice_is_about_training(self, tmp_path):
        task = RandomTask()

        def too_large(network, samples, chance):
            raise RuntimeError("CUDA out of memory. Tried to allocate 20 GiB")

        task.losses = too_large
        with pytest.raises(UserError, match="batch = 1 and save_memory = true"):
            run(tmp_path, task=task)

    def test_faults_of_the_program_stay_what_they_are(self, tmp_path):
        task = RandomTask()

        def broken(index, chance):
            raise RuntimeError("a sample's own fault")

        task.sample = broken
        with pytest.raises(RuntimeError, match="own fault"):
            run(tmp_path, task=task)


class TestValidation:
    def test_sees_the_averages_and_changes_nothing(self, tmp_path, whole):
        task, seen = RandomTask(), {}

        def validate(step):
            seen[step] = {k: v.detach().clone() for k, v in task.network.named_parameters()}
            assert not task.network.training
            return {"loss": {"0.1": float(step), "10": float("inf")}, "name": "clip"}

        run(tmp_path, task=task, validate=validate, validate_every=4)
        assert list(seen) == [0, 4, 6]
        averages = read_trained(whole, ema=True)
        assert all(torch.equal(seen[6][name], averages[name]) for name in averages)
        assert all(map(same, all_files(tmp_path), all_files(whole)))
        found = [line for line in lines(tmp_path) if "validation" in line]
        assert found[1] == {
            "step": 4,
            "validation": {"loss": {"0.1": 4.0, "10": None}, "name": "clip"},
        }

    def test_is_off_by_default(self, tmp_path):
        run(tmp_path, steps=1, validate=lambda step: pytest.fail("validated"))


@pytest.mark.slow  # the import of diffusers, and four steps
def test_the_network_of_inference_is_trained(tmp_path):
    """The stand-in networks under real passes: one step, and the same after a resume."""
    from training_cases import make_clip, make_network

    from fcvg_core.training.drawing import Draw, draw_passes
    from fcvg_core.training.steps import training_loss
    from fcvg_core.training.trained_sets import find_trained_set

    class Clips:
        def __init__(self):
            self.network = make_network()
            self.network.save_memory()

        def __len__(self):
            return 2

        def sample(self, index, chance):
            return make_clip(index)

        def losses(self, network, samples, chance):
            return training_loss(network, draw_passes(samples, Draw(), chance))

    trained = find_trained_set("svd", "control+vo")
    one, two = tmp_path / "one", tmp_path / "two"
    run(one, task=Clips(), trained=trained, steps=2, accumulate=1)
    run(two, task=Clips(), trained=trained, steps=2, accumulate=1, enough=stop_after(1))
    run(two, task=Clips(), trained=trained, steps=2, accumulate=1, resume=True)
    assert all(map(same, all_files(one), all_files(two)))
    start = dict(make_network().named_parameters())
    moved = [n for n, v in read_trained(one, ema=False).items() if not torch.equal(v, start[n])]
    assert any(n.startswith("unet.") for n in moved)
    assert any(n.startswith("controlnext.") for n in moved)


def stop_after(count: int):
    """An answer to `enough` that ends a run after a number of steps."""
    left = [count]

    def enough() -> str | None:
        left[0] -= 1
        return None if left[0] else "enough"

    return enough


def named(folder):
    """All parameters after a run, those too that it did not train."""
    return {**dict(Network().named_parameters()), **read_trained(folder, ema=False)}.items()
