"""What all jobs share: which errors are those of the models, and what a setup is."""

from pathlib import Path

import pytest

from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.errors import UserError
from fcvg_core.failures import explain
from fcvg_core.standalone.spec import PreviewSpec
from fcvg_core.standalone.work import (
    UnusableModels,
    Work,
    about_models,
    setup_of,
    unusable_if_missing,
)


class TestAboutModels:
    @pytest.mark.parametrize(
        "error",
        [
            UserError("unet.safetensors is damaged."),
            MemoryError(),
            RuntimeError("CUDA error: out of memory"),
        ],
    )
    def test_errors_of_models_keep_their_message(self, error) -> None:
        with pytest.raises(UnusableModels) as raised, about_models():
            raise error
        assert str(raised.value) == explain(error) and raised.value.__cause__ is error

    @pytest.mark.parametrize(
        "error",
        [
            MissingModelsError("none"),
            ModuleNotFoundError("none", name="av"),
            KeyError("a fault of the program"),
            UnusableModels("said already"),
            KeyboardInterrupt(),
        ],
    )
    def test_other_errors_stay(self, error) -> None:
        with pytest.raises(type(error)) as raised, about_models():
            raise error
        assert raised.value is error


class TestUnusableIfMissing:
    @pytest.mark.parametrize(
        "error", [MissingModelsError("none"), ModuleNotFoundError("none", name="av")]
    )
    def test_what_is_missing_makes_the_setup_unusable(self, error) -> None:
        with pytest.raises(UnusableModels) as raised, unusable_if_missing():
            raise error
        assert str(raised.value) == explain(error) and raised.value.__cause__ is error

    def test_a_wrong_setting_is_the_fault_of_the_job(self) -> None:
        error = UserError("The windows do not overlap.")
        with pytest.raises(UserError) as raised, unusable_if_missing():
            raise error
        assert raised.value is error


class TestSetupOf:
    def test_equal_choices_have_one_setup(self) -> None:
        choices = ({"unet": Path("a")}, None, 3)
        assert setup_of("inbetween", *choices) == setup_of("inbetween", *choices)
        assert setup_of("inbetween").startswith("inbetween-")

    def test_each_choice_counts(self) -> None:
        choices = [(), (None,), ("a",), (Path("b"),), (1,), ("a", 1), (("a", 1),), ({"a": 1},)]
        setups = {setup_of("animate", *choice) for choice in choices}
        assert len(setups | {setup_of("preview")}) == len(choices) + 1

    def test_a_name_that_is_no_text_can_be_chosen(self) -> None:
        assert setup_of("preview", Path("odd\udcff.onnx"))


def test_a_job_without_conditions_prepares_nothing() -> None:
    class Plain(Work[PreviewSpec]):
        command = "plain"

    work = Plain(PreviewSpec(first="a.png"))
    assert work.open_preparer() is None and work.prepare(None) is None and work.recipe == 1
    assert work.spec_on_cpu == PreviewSpec(first="a.png", machine=work.spec_on_cpu.machine)
    assert work.spec_on_cpu.machine.device == "cpu"
    for call in (work.check, work.open, lambda: work.setup, lambda: work.finish(None, None, None)):
        with pytest.raises(NotImplementedError):
            call()
