"""Progress of the core in the host: its bar, and its button that interrupts a run."""

import comfy.model_management as mm
from comfy.utils import ProgressBar

from ...fcvg_core.progress import Progress


def report_progress() -> Progress:
    """Progress that moves the bar of the running node, and stops the work if the user asks so."""
    bar = ProgressBar(1)

    def report(stage: str, done: int, total: int) -> None:
        mm.throw_exception_if_processing_interrupted()
        bar.update_absolute(done, total)

    return report
