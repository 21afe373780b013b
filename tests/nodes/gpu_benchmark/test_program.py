"""benchmarks/gpu.py at tiny size on the CPU, as a machine without diffusers would run it."""

import json
import subprocess
import sys

import pytest
from hosts import ROOT

PROGRAM = ROOT / "benchmarks" / "gpu.py"
LOADERS = 8
PATIENT = ("--seconds", 560)  # of a busy machine; a minute and a half is enough for a quiet one
# Everything but what repeats other parts at some length.
CHOSEN = (
    *("load ", "default, bf16: fcvg_simple", "default, bf16: controlnext", "default, bf16: fast"),
    *("decoding", "AYS and cache", "chip", "conditions", "profile", "attention", "compiled block"),
)
CHIP = ["chip: start", "chip: matrix rate", "chip: operations of a pass"]
CONDITIONS = [f"conditions: {name}" for name in ("start", "lines", "GlueStick", "poses", "DWPose")]
KERNELS = ["profile of a pass", "attention", "compiled block"]
HEADLESS = ["bf16", "fast", "the reference's way", "the reference's way without TF32"]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("gpu")


def call(env: dict, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)


def only(*texts: str) -> list[str]:
    """Options that choose parts."""
    return [word for text in texts for word in ("--only", text)]


def results(folder) -> dict[str, dict]:
    """Records of gpu.jsonl by part, without the first line."""
    lines = (folder / "gpu.jsonl").read_text("utf-8").splitlines()
    return {record["part"]: record for record in map(json.loads, lines[1:])}


@pytest.fixture(scope="module")
def first(benchmark_host, bare, work) -> tuple[str, dict[str, dict]]:
    """What a call printed, and its records."""
    options = ("--tiny", "--work", work, "--out", work / "out", *only(*CHOSEN), *PATIENT)
    done = call(bare, benchmark_host, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, results(work / "out")


@pytest.fixture(scope="module")
def headless(benchmark_host, whole, work, first) -> dict[str, dict]:
    """Records of a call in an environment that has diffusers, with the first call's models."""
    options = ("--tiny", "--work", work, "--out", work / "headless", *only("headless"), *PATIENT)
    done = call(whole, benchmark_host, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return results(work / "headless")


@pytest.mark.server
@pytest.mark.slow
class TestProgram:
    """In this order: later calls use the first one's models."""

    def test_every_part_goes_well(self, first):
        _, parts = first
        assert {record["status"] for record in parts.values()} == {"ok"}
        names = list(parts)
        assert names[:3] == ["inputs", "weights", "default, bf16: start"]
        assert sum(name.startswith("default, bf16: load ") for name in names) == LOADERS
        on_server = [
            *("fcvg_simple", "fcvg_simple again", "fast", "AYS and cache", "decoding"),
            *("controlnext_svd_simple", "controlnext_svd_simple again", "fcvg_simple in fp8"),
        ]
        kernels = ["kernels: start", *(f"kernels: {name}" for name in KERNELS)]
        assert names[3 : 3 + len(on_server)] == [f"default, bf16: {name}" for name in on_server]
        assert names[3 + len(on_server) + LOADERS :] == [*CHIP, *CONDITIONS, *kernels]

    def test_times_memory_and_log_are_printed_and_written(self, first):
        printed, parts = first
        assert "VRAM none" in printed
        for name, record in parts.items():
            assert name in printed
            if "simple" in name:
                assert 0 < record["step_s"] <= record["sampler_s"] <= record["seconds"]
                assert 0 < record["decode_s"] < record["seconds"]
                assert record["vram"] is None
        loaded = parts["default, bf16: load FCVG's UNet, fp8_e5m2"]["log"]
        assert "model weight dtype torch.float8_e5m2, manual cast: torch.float32" in loaded
        people = parts["default, bf16: controlnext_svd_simple"]["log"]
        assert "Poses of 2 people in images 1-4." in people
        assert any("loaded completely" in line for line in people)
        assert "\x1b" not in printed

    def test_ways_with_less_work_take_their_steps_and_passes(self, first):
        _, parts = first
        fast, cached = (parts[f"default, bf16: {name}"] for name in ("fast", "AYS and cache"))
        assert (fast["steps"], fast["passes"], fast["whole_passes"]) == (10, 28, 14)
        assert (cached["steps"], cached["passes"], cached["whole_passes"]) == (10, 40, 20)
        assert any("Fast sets" in line for line in fast["log"])
        for record in (fast, cached):
            assert len(record["steps_s"]) == 9
            assert "decode_s" not in record
        assert sorted(parts["default, bf16: decoding"]["chunks_s"]) == ["1", "2", "4", "8"]

    def test_the_chip_and_its_kernels(self, first):
        printed, parts = first
        rates = parts["chip: matrix rate"]["rates"]
        assert rates.keys() >= {"bf16", "fp16", "fp32", "tf32"}
        assert min(rates.values()) > 0
        counted = parts["chip: operations of a pass"]
        assert counted["kinds"].keys() == {"convolution", "attention", "matmul"}
        assert counted["operations"] == sum(counted["kinds"].values())
        profile = parts["kernels: profile of a pass"]
        assert profile["groups_s"].keys() >= {"convolution", "attention", "matmul", "norms"}
        assert 0 < profile["kernels"][-1]["seconds"] <= profile["kernels"][0]["seconds"]
        assert printed.count("loss: ") == 3
        compiled = parts["kernels: compiled block"]
        assert compiled["ways_s"].keys() == {"plain", "compiled"}
        assert compiled["differences"]["compiled"] < 1e-3
        layers = parts["kernels: attention"]["attention_s"]["PyTorch's choice"]
        assert len(layers) == 8

    def test_the_conditions(self, first):
        _, parts = first
        assert parts["conditions: GlueStick"]["points"] > 10
        assert parts["conditions: DWPose"]["people"] == 2
        for name in CONDITIONS[1:]:
            times = [value for key, value in parts[name].items() if key.endswith("_s")]
            assert len(times) >= 2
            assert min(times) > 0

    def test_the_table_is_written_with_all_results(self, first, work):
        _, parts = first
        written = json.loads((work / "out" / "gpu.json").read_text("utf-8"))
        assert [part["part"] for part in written["parts"]] == list(parts)
        assert written["machine"]["card"] == "none, on the CPU"
        assert written["table"]["runs"]["ComfyUI, fast"]["passes"] == 28

    def test_without_diffusers_its_parts_are_skipped_by_name(
        self, first, benchmark_host, bare, work
    ):
        out = work / "bare"
        options = ("--tiny", "--work", work, "--out", out, *only("headless: fast"), *PATIENT)
        done = call(bare, benchmark_host, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "skipped  headless: fast: diffusers is missing: diffusers is not here" in done.stdout

    def test_the_headless_face_and_the_reference(self, headless):
        assert [name for name in headless if name.startswith("headless: ")] == [
            f"headless: {name}" for name in ("start", *HEADLESS)
        ]
        assert {record["status"] for record in headless.values()} == {"ok"}
        fast = headless["headless: fast"]
        assert (fast["steps"], fast["passes"], fast["whole_passes"]) == (10, 28, 14)
        for name in HEADLESS:
            record = headless[f"headless: {name}"]
            assert record["step_s"] > 0
            assert record["decode_s"] > 0
            assert record["deviation"] > 0

    def test_nothing_is_left_but_models_and_logs(self, first, work):
        left = {path.suffix for path in (work / "tiny" / "base" / "output").rglob("*.*")}
        assert left == {".mp4"}  # what the graphs themselves save

    def test_a_part_that_fails_does_not_stop_the_next(
        self, first, headless, benchmark_host, bare, work
    ):
        """Also that models are made once: the damaged one is not made again."""
        damaged = work / "tiny/base/models/controlnext/fcvg_controlnext.safetensors"
        damaged.write_bytes(damaged.read_bytes()[:1000])
        out = work / "second"
        options = ("--tiny", "--work", work, "--out", out, *only("s ControlNeXt"), *PATIENT)
        done = call(bare, benchmark_host, *options)
        assert done.returncode == 1, done.stdout + done.stderr
        parts = results(out)
        failed = parts["default, bf16: load FCVG's ControlNeXt"]
        assert failed["status"] == "failed"
        assert "FCVG_LoadControlNeXt" in failed["why"]
        assert "fcvg_controlnext.safetensors" in failed["why"]
        assert parts["default, bf16: load ControlNeXt-SVD's ControlNeXt"]["status"] == "ok"

    def test_parts_without_time_are_skipped_by_name(self, module, benchmark_host, bare, tmp_path):
        done = call(bare, benchmark_host, "--tiny", "--work", tmp_path, "--seconds", 0)
        parts = results(tmp_path)
        groups = module("gpu_parts").plan(None, tiny=True)
        assert len(parts) == 2 + sum(1 + len(group.parts) for group in groups)
        assert {record["status"] for record in parts.values()} == {"skipped"}
        assert "skipped  no dynamic VRAM, bf16: fcvg_simple: no time is left" in done.stdout
        assert "skipped  kernels: profile of a pass: no time is left" in done.stdout
        assert done.returncode == 0

    def test_without_a_card_it_says_so_in_a_sentence(self, benchmark_host, bare, tmp_path):
        done = call(bare, benchmark_host, "--work", tmp_path)
        assert done.returncode == 2
        assert done.stdout.count("\n") == 1
        assert "--tiny" in done.stdout

    @pytest.mark.parametrize("arguments", [("no-such-folder",), ("--tiny", ROOT)])
    def test_a_folder_that_is_no_host(self, bare, arguments):
        done = call(bare, *arguments)
        assert done.returncode == 2
        assert "is not a ComfyUI" in done.stderr

    def test_a_part_that_is_not_there(self, benchmark_host, bare, tmp_path):
        options = ("--tiny", "--work", tmp_path, *only("no such part"))
        done = call(bare, benchmark_host, *options)
        assert done.returncode == 2
        assert "'no such part'" in done.stdout
