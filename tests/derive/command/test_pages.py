"""Text with formulas as HTML: what becomes mathematics, and what stays in one line."""

import base64
import re

import pytest

from derive.command.pages import converted, image, mathematics


def test_formulas_become_mathematics_and_text_stays_text():
    html = mathematics(r"a\_b < $\frac{1}{2}$ & 50\%")
    assert html.startswith("a_b &lt; <math")
    assert html.endswith("&amp; 50%")
    assert "<mfrac>" in html
    assert str(mathematics(r"$\unheard{<}$")) == r"<code>\unheard{&lt;}</code>"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("of $x$ and", 0),
        ("of $x$, and", 1),
        ("for ($x$) $y$.", 2),
        ("$S$($Q$)", 1),
        ("x, y", 0),
        (r"9.8 $\pm$ 1.2 (0.3)", 1),
    ],
)
def test_what_touches_a_formula_stays_in_its_line(text, kept):
    html = mathematics(text)
    assert html.count('<span class="kept">') == kept == html.count("</span>")
    plain = re.sub("<[^>]*>", "", html)
    assert plain == text.replace("$", "").replace(r"\pm", "±")


@pytest.mark.parametrize(
    ("formula", "low"),
    [
        (r"\left(x\right)^{2}", "(x)^{2}"),
        (r"E\!\left[x\right]", "E[x]"),
        (r"\left[y \left(x + 1\right)\right]", "[y (x + 1)]"),
        (r"\left(\frac{1}{2} \left(x\right)\right)", r"\left(\frac{1}{2} (x)\right)"),
    ],
)
def test_brackets_stretch_around_what_is_tall_alone(formula, low):
    assert converted(formula) == converted(low)
    flat = low.replace(r"\left", "").replace(r"\right", "")
    assert (converted(low) == converted(flat)) == ("frac" not in low)


@pytest.mark.parametrize(
    ("content", "suffix", "kind", "width"),
    [(b'<svg height="3pt" width="200.0pt"></svg>', ".svg", "image/svg+xml", 340),
     (b"<svg></svg>", ".svg", "image/svg+xml", None), (b"\x89PNG", ".png", "image/png", None)],
)  # fmt: skip
def test_an_image_is_held_by_its_address_and_drawn_larger_than_in_print(
    content, suffix, kind, width
):
    """Where print has 4 pixels for 3 points a page has 17 for 10."""
    found = image(content, suffix)
    head, _, data = found["address"].partition(",")
    assert head == f"data:{kind};base64"
    assert (base64.b64decode(data), found["width"]) == (content, width)
