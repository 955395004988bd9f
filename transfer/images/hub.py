"""Datasets by name through the ``datasets`` library, on machines that reach a hub."""

from collections.abc import Sequence

import numpy as np

from derive.errors import InputError
from transfer.images.formats import Bytes, Labels

_IMAGE_COLUMNS = ("image", "img")
_LABEL_COLUMNS = ("label", "labels")


def from_hub(name: Sequence[str], split: str, shape: tuple[int, int, int]) -> tuple[Bytes, Labels]:
    """Fetch a split of a dataset: its images as bytes (N, channels, height, width), its labels.

    Arguments:
        name: of the dataset and, if it has any, of its configuration.
        split: the part that is asked for.
        shape: that an image has to have.

    Raises ``InputError`` if the library is not installed, the hub cannot be reached, or the
    columns are not what was expected. Code of a dataset is never run.
    """
    try:
        import datasets
    except ImportError:
        raise InputError(
            "--hub needs the datasets library, which is not installed: pip install datasets"
        ) from None
    try:
        table = datasets.load_dataset(*name, split=split)
    except Exception as error:  # network, proxy, missing name: the library raises many kinds
        raise InputError(
            f"{name[0]} cannot be had from the hub ({type(error).__name__}): check the network, "
            "or give --data-dir with its files"
        ) from None
    columns = table.column_names
    image = next((column for column in _IMAGE_COLUMNS if column in columns), None)
    label = next((column for column in _LABEL_COLUMNS if column in columns), None)
    if image is None or label is None:
        raise InputError(f"{name[0]} has the columns {', '.join(columns)}: no images and labels")
    mode = "L" if shape[0] == 1 else "RGB"
    pixels = np.stack([np.asarray(picture.convert(mode), np.uint8) for picture in table[image]])
    stacked = pixels[:, None] if shape[0] == 1 else pixels.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(stacked), np.asarray(table[label], np.int64)
