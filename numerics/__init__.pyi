# The public names of numerics, by the module that holds them.
from .balls import Enclosure as Enclosure
from .escape import EscapeCurve as EscapeCurve
from .escape import escape_curve as escape_curve
from .roots import RealRoot as RealRoot
from .roots import enclose_root as enclose_root
from .roots import isolate_roots as isolate_roots
from .singularities import Singularity as Singularity
from .singularities import find_singularities as find_singularities
