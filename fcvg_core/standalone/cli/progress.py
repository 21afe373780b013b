"""Progress bars of a command."""

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm


class Bars:
    """One bar for each stage; a call gives the stage, the parts that are done, and their number.

    Use it in a `with` block: there the log is printed on lines of its own, above the bars.
    """

    def __init__(self):
        self._bars = {}
        self._lines = logging_redirect_tqdm()

    def __enter__(self) -> "Bars":
        self._lines.__enter__()
        return self

    def __exit__(self, *exception) -> None:
        for bar in self._bars.values():
            bar.close()
        self._lines.__exit__(*exception)

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self._bars:
            self._bars[stage] = tqdm(total=total, desc=stage)
        bar = self._bars[stage]
        bar.total = total  # a video may turn out to be shorter
        bar.update(done - bar.n)
        if done == total:
            bar.close()
