"""Whether two people are heard at once: an embedding of both lies where no single voice does."""

from speakerid.model.linear import LinearHead

WINDOW_SECONDS = 1.5  # of the pieces that the head was taught


class OverlapHead(LinearHead):
    """Log-odds that a piece of speech holds two voices at once rather than one."""

    kind = "overlap"
