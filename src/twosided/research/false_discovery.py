"""Many tests at once: which of them to believe when a share of the believed may be wrong.

Where you are in the pipe: research, on top of all rooms.
"""

import numpy as np
import numpy.typing as npt

from twosided.errors import InputError

__all__ = ["adjusted_p"]

Floats = npt.NDArray[np.float64]


def adjusted_p(p: Floats, *, dependent: bool = True) -> Floats:
    """Return for each p-value the smallest false-discovery rate at which its test is still believed, in the order given.

    With p sorted, p_(1) <= … <= p_(m): q_(i) = min over j >= i of c·m·p_(j)/j, at most 1. c is 1 for independent (or positively
    dependent) tests; under any dependence c = 1 + 1/2 + … + 1/m. Believing all with q at most 5 % errs in 5 % of them, on average.

    Args:
        p: p-values, shape (m,).
        dependent: whether the tests may depend on one another in any way, as those of pairs that share a series do.

    Raises:
        InputError: none, or one that is not between 0 and 1.

    Source: Benjamini and Hochberg (1995), J. of the Royal Statistical Society B 57, procedure (1); Benjamini and Yekutieli (2001),
    Annals of Statistics 29, theorem 1.3, for any dependence.
    """
    p = np.asarray(p, np.float64)
    if p.ndim != 1 or not len(p) or not np.all((p >= 0.0) & (p <= 1.0)):
        raise InputError("p holds none, or a number that is not between 0 and 1; allowed: p-values")
    ranks = np.arange(1, len(p) + 1)
    factor = float(np.sum(1.0 / ranks)) if dependent else 1.0
    order = np.argsort(p, kind="stable")
    q = np.minimum.accumulate((factor * len(p) * p[order] / ranks)[::-1])[::-1]
    found = np.empty(len(p))
    found[order] = np.minimum(q, 1.0)
    return found
