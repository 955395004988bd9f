"""One experiment from its design to labelled data."""
