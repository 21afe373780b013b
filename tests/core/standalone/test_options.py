"""What options repeat of the rooms, so that help comes at once."""

from fcvg_core.pose import MISSING_JOINTS, MISSING_PEOPLE, STYLES
from fcvg_core.standalone import option_groups


def test_choices_are_those_of_the_room() -> None:
    assert tuple(STYLES) == option_groups.STYLES
    assert option_groups.MISSING_JOINTS == MISSING_JOINTS
    assert option_groups.MISSING_PEOPLE == MISSING_PEOPLE
