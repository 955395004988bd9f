"""Whether a quoted sentence stands in the paper, without its text: fingerprints of its words.

``python tests/support/paper.py TEXT`` makes them of the paper's text (arXiv 2602.02855). Every four
words in a row leave three bytes of a hash; a quote stands in the paper if its own follow each other
there.
"""

import re
import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

_FILE = Path(__file__).with_name("paper.prints")
_WORDS, _BYTES = 4, 3
_LEAST = 6  # words of a quote: fewer could stand there by chance


def _words(text: str) -> list[str]:
    """Words and signs, whatever the white space between them."""
    return re.findall(r"\w+|[^\w\s]", text)


def _prints(words: list[str]) -> bytes:
    runs = (" ".join(words[k : k + _WORDS]) for k in range(len(words) - _WORDS + 1))
    return b"".join(sha256(run.encode()).digest()[:_BYTES] for run in runs)


def read_prints() -> bytes:
    """The paper's fingerprints."""
    return b64decode(_FILE.read_text(encoding="ascii"))


def stands_in(quote: str, prints: bytes) -> bool:
    """Whether every part of a quote, parted by ``…``, stands in the paper, in this order.

    ``[…]`` marks a formula that the text has lost and stands for nothing.
    """
    parts = [_words(part) for part in quote.replace("[…]", " ").split("…")]
    if sum(map(len, parts)) < _LEAST or any(len(part) < _WORDS for part in parts):
        return False
    places = [_place(_prints(part), prints) for part in parts]
    return -1 not in places and all(x < y for x, y in pairwise(places))


def _place(part: bytes, prints: bytes) -> int:
    """Where a part's fingerprints stand, counted in words; -1 if nowhere."""
    place = prints.find(part)
    while place % _BYTES and place >= 0:
        place = prints.find(part, place + 1)
    return place // _BYTES if place >= 0 else -1


if __name__ == "__main__":
    words = _words(Path(sys.argv[1]).read_text(encoding="utf-8"))
    lines = b64encode(_prints(words)).decode("ascii")
    _FILE.write_text("\n".join(re.findall(".{1,100}", lines)) + "\n", encoding="ascii")
