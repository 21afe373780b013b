"""What is trained for: a job makes clips of frames, and says what is random of a clip."""

from collections.abc import Mapping

from ..config.parts import ANIMATE, INBETWEEN
from .animate import Animate
from .inbetween import Inbetween
from .job import Job, Tools

JOBS: Mapping[str, Job] = {INBETWEEN: Inbetween(), ANIMATE: Animate()}

__all__ = ["JOBS", "Job", "Tools"]
