"""What options repeat of the rooms, so that help comes at once."""

from fcvg_core.pose import MISSING_JOINTS, MISSING_PEOPLE, STYLES
from fcvg_core.standalone import options


def test_choices_are_those_of_the_room() -> None:
    assert tuple(STYLES) == options.STYLES
    assert options.MISSING_JOINTS == MISSING_JOINTS
    assert options.MISSING_PEOPLE == MISSING_PEOPLE
