"""Numbers of people in words, for the log of both faces."""

import itertools
from collections.abc import Sequence

SHOWN = 3  # places in a list


def count_people(number: int) -> str:
    """A number of people in words: "nobody", "1 person", "2 people"."""
    return {0: "nobody", 1: "1 person"}.get(number, f"{number} people")


def list_people(numbers: Sequence[int]) -> str:
    """In which images how many people are: "1 person in images 1-5, 7; nobody in image 6".

    Args:
        numbers: people in each image of a batch; the first image is number 1. For one image the
            result does not name the image.
    """
    if len(numbers) == 1:
        return count_people(numbers[0])
    places = {
        number: [i for i, other in enumerate(numbers, 1) if other == number]
        for number in sorted(set(numbers), reverse=True)
    }
    return "; ".join(f"{count_people(k)} in {_list_images(v)}" for k, v in places.items())


def _list_images(images: list[int]) -> str:
    """Increasing numbers of images as ranges, of which the first are named."""
    if len(images) == 1:
        return f"image {images[0]}"
    # Neighbours have the same distance to their places in the list.
    groups = itertools.groupby(enumerate(images), lambda item: item[1] - item[0])
    ranges = [[number for _, number in group] for _, group in groups]
    texts = [str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in ranges]
    if len(texts) <= SHOWN:
        return f"images {', '.join(texts)}"
    return f"{len(images)} images ({', '.join(texts[:SHOWN])} ...)"
