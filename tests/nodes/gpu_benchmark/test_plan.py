"""Which parts run, in which order, and what becomes of the time that is given."""

import json
from argparse import Namespace

import pytest


@pytest.fixture
def benchmark(module, tmp_path):
    """A benchmark with 30 seconds that has not begun."""
    options = Namespace(tiny=True, work=tmp_path, out=tmp_path, seconds=30)
    return module("gpu").Benchmark(options)


class TestPlan:
    def test_a_card_measures_everything_in_the_time_that_is_given(self, module):
        parts, options = module("gpu_parts"), module("gpu_options")
        groups = parts.plan(None, tiny=False)
        assert [group.name for group in groups] == [
            "default, bf16",
            "headless",
            "chip",
            "default, fp16",
            "little memory, bf16",
            "conditions",
            "lowvram, bf16",
            "no dynamic VRAM, bf16",
            "kernels",
        ]
        todo = [parts.INPUTS, parts.WEIGHTS]
        todo += [part for group in groups for part in (parts.start(group), *group.parts)]
        assert sum(part.needs for part in todo if not part.spare) < options.SECONDS
        assert [part.call for part in todo[-2:]] == ["compile_block", "compile_unet"]
        for i, part in enumerate(todo):
            assert part.needs <= part.limit
            if part.again:  # its first run is the one before, in the same server
                assert todo[i - 1].graph == part.graph
                assert not todo[i - 1].again

    def test_parts_are_chosen_by_one_of_several_texts(self, module):
        groups = module("gpu_parts").plan(["GlueStick", "fast"], tiny=False)
        found = [part.name for group in groups for part in group.parts]
        assert found == ["default, bf16: fast", "headless: fast", "conditions: GlueStick"]

    def test_on_a_cpu_parts_that_take_minutes_are_left_out(self, module):
        parts = module("gpu_parts")
        names, on_cpu = (
            {part.name for group in parts.plan(None, tiny=tiny) for part in group.parts}
            for tiny in (False, True)
        )
        left_out = {"headless: fp16", "kernels: compiled UNet", "lowvram, bf16: fcvg_simple"}
        assert left_out <= names - on_cpu

    def test_every_measurement_is_a_method(self, module):
        for group in module("gpu_parts").GROUPS:
            if target := getattr(group, "target", None):
                name, kind = target.split(":")
                for part in group.parts:
                    assert callable(getattr(getattr(module(name), kind), part.call))

    def test_spare_parts_leave_the_time_that_later_parts_need(self, module, benchmark):
        parts = module("gpu_parts")
        spare, later = (
            parts.Part("spare", 20, 60, spare=True),
            parts.Part("later", 20, 60),
        )
        benchmark._todo = [spare, later]
        limits = []
        assert not benchmark.attempt(spare, lambda limit, facts: limits.append(limit))
        assert benchmark.last_skip == "no time is left"
        assert benchmark.attempt(later, lambda limit, facts: limits.append(limit))
        assert benchmark.last_skip is None
        assert len(limits) == 1
        assert 29 < limits[0] <= 30

    def test_a_group_of_spare_parts_does_not_start_in_time_that_others_need(self, module):
        parts = module("gpu_parts")
        starts = {group.name: parts.start(group) for group in parts.GROUPS}
        assert starts["no dynamic VRAM, bf16"].spare
        assert not starts["kernels"].spare

    def test_any_error_is_a_part_that_failed(self, module, benchmark, tmp_path):
        weights = module("gpu_parts").WEIGHTS
        benchmark._todo = [weights]
        assert not benchmark.attempt(weights, lambda limit, facts: 1 / 0)
        record = json.loads((tmp_path / "gpu.jsonl").read_text("utf-8"))
        assert record["why"] == "ZeroDivisionError: division by zero"

    def test_a_part_that_this_machine_can_not_run_is_skipped(self, module, benchmark):
        weights, worker = module("gpu_parts").WEIGHTS, module("gpu_worker")
        benchmark._todo = [weights]
        assert not benchmark.attempt(weights, lambda *_: worker.require("no_such_package"))
        assert benchmark.report.parts["skipped"] == ["weights"]
        assert "no_such_package is missing" in benchmark.report.records[0]["why"]


class TestMode:
    def test_a_server_that_fell_back_to_the_older_memory_management_is_told(self, module):
        modes, parts, server = module("gpu_modes"), module("gpu_parts"), module("gpu_server")
        on, off = [modes.DYNAMIC], ["[WARNING] No working comfy-aimdo install detected."]
        for mode in (group for group in parts.GROUPS if isinstance(group, parts.Mode)):
            right, wrong = (off, on) if "no dynamic" in mode.name else (on, off)
            modes.check_dynamic(mode, right, tiny=False)
            with pytest.raises(server.PartFailedError, match="dynamic VRAM is"):
                modes.check_dynamic(mode, wrong, tiny=False)

    def test_what_a_part_leaves_includes_the_servers_own_memory(self, module, benchmark):
        """100 bytes are used before; the server needs 30 and later 45."""
        parts = module("gpu_parts")
        used = [130, 130 + 600, 145 + 600]
        asked, held = [], [600, -40]
        benchmark.card = Namespace(used=lambda: used[0])
        run = module("gpu_modes").ModeRun(benchmark, parts.GROUPS[0], None)
        run._server = Namespace(free_models=lambda used: None)
        run._holder = Namespace(hold=lambda leave: asked.append(leave) or held[len(asked) - 1])
        run._before = 100
        run._leave_memory(parts.Part("p", 0, 0, leave=200))
        assert asked == [200 - 30]
        assert run._before == 700
        used[0] = 745
        run._leave_memory(parts.Part("p", 0, 0, leave=300))
        assert asked[1] == 300 - 45
        assert run._before == 660
        run._leave_memory(parts.Part("p", 0, 0))
        assert len(asked) == 2

    def test_advice_has_numbers(self, module):
        from fcvg_core import estimate as costs
        from fcvg_core.advice import advise

        modes, server = module("gpu_modes"), module("gpu_server")

        def needs(size, window):
            return costs.estimate(size, 25, window, "bf16", overlap=6).least

        usable = module("gpu_parts").SMALLEST - costs.GB
        line = f"ComfyUI can use 2 GB: {advise(needs, (576, 1024), 25, usable, overlap=6)}."
        assert modes.find_advice(["another line", line]) == line
        with pytest.raises(server.PartFailedError, match="which window or size"):
            modes.find_advice(["another line"])

    def test_a_line_with_advice_is_kept_from_the_log(self, module):
        line = " Needs about 5.6 GB on the card even if weights are streamed"
        assert module("gpu_server").MATTERS.search(line)


class TestReport:
    def test_memory_is_compared_with_its_estimate(self, module, tmp_path, capsys):
        graphs, report = module("gpu_graphs"), module("gpu_report")
        found = graphs.estimate_memory(module("gpu").FULL, "default")
        assert 13.5 < found / 2**30 < 14.8  # what was measured: docs/compatibility.md
        in_fp8 = graphs.estimate_memory(module("gpu").FULL, "fp8_e4m3fn")
        weights = module("fcvg_core.estimate").FCVG.unet
        assert found - in_fp8 == weights  # bytes, one for each weight
        report.Report(tmp_path / "gpu.jsonl").add("p", "ok", vram=14 * 2**30, estimate=found)
        shown = capsys.readouterr().out
        assert f"VRAM 14.00 GB, estimate {found / 2**30:.2f} GB" in shown
