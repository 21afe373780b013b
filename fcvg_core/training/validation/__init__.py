"""Whether training helps, on clips that it does not see: losses, painted clips, their measures.

losses       the loss at fixed noise levels with fixed noise, comparable between short runs
painting     clips painted as inference paints them, beside the truth, and measured
validate     both, into a folder for each validation
"""

from .losses import LEVELS
from .validate import validate

__all__ = ["LEVELS", "validate"]
