"""What a step is made of: dropped conditions, dropout, and what a video gives."""

from dataclasses import replace

import pytest
import torch
from box_set_cases import write_got10k, write_youvis
from torch import nn
from torch.utils.data import ConcatDataset

from fcvg_core.box_sets import BoxVideo, open_box_set
from fcvg_core.boxes import BoxTrack, BoxTracks
from fcvg_core.errors import UserError
from fcvg_core.training.smcd.dropping import WITH_PICTURE, Kept, SmcdDropout
from fcvg_core.training.smcd.task import MOST_FAULTS, SmcdTask, make_passes
from fcvg_core.training.smcd.videos import Windows

WINDOWS = Windows(num_frames=3, size=(64, 64), objects=2)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    write_got10k(root, {"GOT-10k_Train_000001": 9, "GOT-10k_Train_000002": 8}, wide=24)
    write_youvis(root, wide=24)
    return [open_box_set(root, "got10k", "val"), open_box_set(root, "youvis", "train")]


class TestDropping:
    @pytest.mark.parametrize(("share", "kept"), [(0.0, True), (1.0, False)])
    def test_never_and_always(self, share, kept):
        found = SmcdDropout(share, share, share).draw(chance())
        assert found == Kept(kept, kept, kept)

    def test_official_shares_by_chances_of_their_own(self):
        generator = chance()
        drawn = [WITH_PICTURE.draw(generator) for _ in range(4000)]
        shares = [sum(not getattr(x, name) for x in drawn) / 4000 for name in vars(Kept())]
        assert shares == pytest.approx([0.1, 0.25, 0.1], abs=0.02)
        assert sum(not x.boxes and not x.concat for x in drawn) / 4000 == pytest.approx(
            0.025, abs=0.01
        )

    def test_what_is_dropped(self, network, sample, one_thread):
        """Boxes become absent objects, pictures zeros; what is kept does not change."""

        def passes(**dropped):
            noise, timesteps = torch.zeros(3, 4, 4, 4), torch.tensor([1])
            with torch.no_grad():
                return make_passes(
                    network, [sample], noise=noise, timesteps=timesteps, kept=Kept(**dropped)
                )

        whole = passes()
        assert torch.equal(whole.concat, sample.latents[:1].expand(3, -1, -1, -1))
        assert torch.equal(whole.objects[:, 1], whole.objects[:1, 1].expand(3, -1))  # absent
        without = {name: passes(**{name: False}) for name in vars(Kept())}
        assert torch.equal(without["boxes"].objects, whole.objects[:, 1:].expand(-1, 2, -1))
        assert not without["concat"].concat.any()
        with torch.no_grad():
            black = network.visual_encoder(torch.zeros(1, 4, 4, 4))
        assert torch.equal(without["image"].image, black.expand(3, -1, -1))
        parts = {"boxes": "objects", "concat": "concat", "image": "image"}
        for name, found in without.items():
            others = {part for part in parts.values() if part != parts[name]}
            assert all(torch.equal(getattr(found, x), getattr(whole, x)) for x in others)


class TestNetwork:
    def test_dropout_of_every_residual_block_acts_in_training_alone(self, network):
        names = network.state_dict().keys()
        network.add_dropout(0.5)
        found = [name for name, x in network.named_modules() if isinstance(x, nn.Dropout)]
        blocks = [name for name, x in network.named_modules() if name.endswith("temopral_conv")]
        assert len(found) == 4 * len(blocks) > 0
        assert network.state_dict().keys() == names

    def test_gradients_are_the_same_with_less_memory(self, network, sample):
        found = []
        network.add_dropout()
        network.train()
        for _ in range(2):
            task = SmcdTask(network, [None], WINDOWS, None, SmcdDropout())
            task.losses(network, [sample, sample], chance(7)).mean().backward()
            found.append([x.grad.clone() for x in network.parameters() if x.grad is not None])
            network.zero_grad()
            network.save_memory()
        assert len(found[0]) == len(found[1]) == len(list(network.parameters()))
        for one, other in zip(*found, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)

    def test_losses_follow_from_the_chance_alone(self, network, sample):
        network.add_dropout()
        task = SmcdTask(network.train(), [None], WINDOWS, None, WITH_PICTURE)
        with torch.no_grad():
            one, again, other = (
                task.losses(network, [sample] * 2, chance(seed)) for seed in (1, 1, 2)
            )
        assert torch.equal(one, again) and not torch.equal(one, other)
        assert one.shape == (2,) and one[0] != one[1]  # noise and timestep of its own


class TestVideos:
    def test_sample(self, sets, network, encoders):
        task = SmcdTask(network, ConcatDataset(sets), WINDOWS, encoders, SmcdDropout())
        one, again = (task.sample(2, chance(5)) for _ in range(2))
        assert torch.equal(one.latents, again.latents)
        assert one.latents.shape == (3, 4, 8, 8) and one.boxes.shape == (3, 2, 4)
        assert one.text.shape == (5, 24) and not one.present.all()  # the panda comes and goes
        bear = task.sample(0, chance(5))
        assert bear.present.tolist() == [[True, False]] * 3
        assert bear.labels[0].any() and not bear.labels[1].any()

    def test_a_video_without_objects(self, sets, network, encoders):
        video = replace(sets[0][0], size=None, tracks=BoxTracks((), 9), embeddings={})
        found = SmcdTask(network, [video], WINDOWS, encoders, SmcdDropout()).sample(0, chance())
        assert found.boxes.shape == (3, 2, 4) and not found.present.any()

    def test_objects_beyond_the_number_are_left_out(self, sets):
        windows = Windows(num_frames=3, size=(64, 64), objects=1)
        window = windows.cut(sets[1][0], chance())
        assert len(window.tracks.tracks) == 1
        assert windows.conditions(window, 24)["boxes"].shape == (3, 1, 4)

    def test_labels_of_another_text_encoder(self, sets):
        with pytest.raises(
            UserError, match="24 numbers for the label 'brown bear'.*takes 1024.*again"
        ):
            WINDOWS.conditions(WINDOWS.cut(sets[0][0], chance()), 1024)

    def test_a_video_that_can_not_be_used_is_passed_over(self, sets, network, encoders, caplog):
        good = sets[0][0]
        boxes = BoxTracks((BoxTrack("bear", good.tracks.tracks[0].boxes),), 9)
        gone = tuple(path.with_name(f"gone{path.name}") for path in good.frames)
        bad = BoxVideo("bad", gone, good.size, boxes, "", {"bear": good.embeddings["brown bear"]})
        task = SmcdTask(network, [bad, good], WINDOWS, encoders, SmcdDropout())
        assert task.sample(0, chance()).present.any()
        assert "can't be used, so the next one is taken" in caplog.text and "gone" in caplog.text
        caplog.clear()
        task = SmcdTask(network, [bad], WINDOWS, encoders, SmcdDropout())
        with pytest.raises(UserError, match="gone"):
            task.sample(0, chance())
        assert caplog.text.count("next one is taken") == MOST_FAULTS - 1
