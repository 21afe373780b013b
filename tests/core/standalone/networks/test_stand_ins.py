"""Stand-ins are recognised."""

from fcvg_core.standalone.networks.stand_ins import is_stand_in_file


def test_marked(stand_ins, tmp_path) -> None:
    assert is_stand_in_file(stand_ins / "controlnext.safetensors")
    (tmp_path / "text.safetensors").write_text("no model")
    assert not is_stand_in_file(tmp_path / "text.safetensors")
    assert not is_stand_in_file(tmp_path / "missing.safetensors")
