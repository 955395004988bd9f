"""Any activation that can be typed, against another quadrature: a sample of the benchmark."""

import pytest
from functions import all_texts
from quadrature import compared
from thorough import only

from derive.catalogue import CATALOGUE
from derive.grammar import parse_activation

TEXTS = all_texts()


@pytest.mark.parametrize(
    "text", only([text for text, _ in TEXTS[5::84]], (text for text, _ in TEXTS[5::21]))
)
def test_a_b_and_zeros_are_those_of_another_quadrature(text):
    found = compared(text, dict(TEXTS)[text])
    assert not found.disagreements
    assert not found.undecided
    assert found.seconds < 30


def test_every_entry_of_the_catalogue_is_among_the_texts():
    texts = [text for text, _ in TEXTS]
    assert set(CATALOGUE) <= set(texts)
    assert len(texts) >= 200
    for text in texts:
        parse_activation(text)
