"""Numbers of people in words, for the log of both faces."""

import itertools
from collections.abc import Sequence

SHOWN = 3  # places in a list


def count_people(number: int) -> str:
    """A number of people in words: "nobody", "1 person", "2 people"."""
    return {0: "nobody", 1: "1 person"}.get(number, f"{number} people")


def list_people(numbers: Sequence[int], *, item: str) -> str:
    """In which images how many people are: "1 person in images 1-5, 7; nobody in image 6".

    Args:
        numbers: people in each image of a batch, or in each frame of a file; the first is number
            1. If there is only one, the result does not name it.
        item: "image" or "frame".
    """
    if len(numbers) == 1:
        return count_people(numbers[0])
    places = {
        number: [i for i, other in enumerate(numbers, 1) if other == number]
        for number in sorted(set(numbers), reverse=True)
    }
    return "; ".join(f"{count_people(k)} in {_list_items(v, item)}" for k, v in places.items())


def _list_items(numbers: list[int], item: str) -> str:
    """Increasing numbers of images or frames as ranges, of which the first are named."""
    if len(numbers) == 1:
        return f"{item} {numbers[0]}"
    # Neighbours have the same distance to their places in the list.
    groups = itertools.groupby(enumerate(numbers), lambda place: place[1] - place[0])
    ranges = [[number for _, number in group] for _, group in groups]
    texts = [str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in ranges]
    if len(texts) <= SHOWN:
        return f"{item}s {', '.join(texts)}"
    return f"{len(numbers)} {item}s ({', '.join(texts[:SHOWN])} ...)"
