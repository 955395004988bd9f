"""Settings of the documentation; ``tox -e docs`` builds it, with warnings as errors.

Nothing is fetched when it is built or read: formulas are MathML, figures and outputs are made here.
"""

import os
import sys
from importlib import metadata
from pathlib import Path

from docutils import nodes

sys.path.insert(0, str(Path(__file__).parent))
# The commands on the pages are those of this environment, at a width that fits a page.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ["COLUMNS"] = "92"

project = "lora-escape"
author = "The lora-escape authors"
copyright = "2026, the lora-escape authors"
release = version = metadata.version("lora-escape")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",  # arguments, one a line
    "sphinxcontrib.programoutput",
    "extensions.breaks",
    "extensions.derived",
    "extensions.explorer",
    "extensions.font",
    "extensions.gallery",
    "extensions.ledger",
    "extensions.mathml",
    "extensions.offline",
    "extensions.public",
]
exclude_patterns = ["figures", "measured"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # what a cell shows may change with any part of the code
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_merge_streams = True  # what a cell prints is one block
nb_output_stderr = "remove"  # progress, which no page needs; errors end the build

napoleon_custom_sections = [("Fields", "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
# Names of other libraries, whose documentation is not fetched, and some that are not public.
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(sympy|numpy|flint|matplotlib|fractions|collections|concurrent|argparse|pathlib|torch|transformers|peft|xarray|msgspec|pandas)\..*",
    ),
    ("py:class", r"derive\.gaussian\.Monomial|derive\.means\.Mean|derive\.command\.tabular\.Table"),
    (
        "py:class",
        r"numerics\.dynamics\.(runs\.Trained|exit_constant\.ExitConstant|full_sgd\.FullFlow|update\.Law)"
        r"|numerics\.dynamics\.(learning_curve\.Descent|fluctuations\.Fluctuations)"
        r"|numerics\.simulation\.budget\.(Best|Measured)|numerics\.certified\.effort\.Effort"
        r"|transfer\.learning\.(training\.Images|model\.VisionModel)|Expr|ArrayLike|Axes|DataFrame|Dataset",
    ),
]

html_theme = "furo"
html_title = "lora-escape"
html_theme_options = {"light_css_variables": {"code-font-size": "0.77em"}}
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sphinx = False


def _dealt(app, env, docnames):
    """Deal pages to the two processes that read them: the ledger to one, the gallery to the other.

    Each would get neighbours otherwise, and the slowest pages are.
    """
    docnames[:] = docnames[::2] + docnames[1::2]


def _trimmed(app, doctree):
    """End blocks of code with their last line: doctest wants an empty one behind an answer."""
    for block in doctree.findall(nodes.literal_block):
        if block.rawsource == block.astext():  # highlighted, unlike what is marked up
            block.rawsource = block.rawsource.rstrip()
            block.children[:] = [nodes.Text(block.rawsource)]


def setup(app):
    """Enter them."""
    app.connect("env-before-read-docs", _dealt)
    app.connect("doctree-read", _trimmed)
