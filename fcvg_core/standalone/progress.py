"""Progress bars of a command."""

from tqdm import tqdm


class Bars:
    """A bar for each stage; call it with the stage, what is done, and of how many."""

    def __init__(self):
        self._bars = {}

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *exception) -> None:
        for bar in self._bars.values():
            bar.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self._bars:
            self._bars[stage] = tqdm(total=total, desc=stage)
        bar = self._bars[stage]
        bar.total = total  # a video may turn out to be shorter
        bar.update(done - bar.n)
        if done == total:
            bar.close()
