"""Many tests at once: the procedures by hand, and what they promise."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.research.false_discovery import adjusted_p


def test_the_fifteen_p_values_of_the_1995_paper():
    """Benjamini and Hochberg's own example (section 3.2): four are believed at 5 %, of which Bonferroni leaves three."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert int(np.sum(adjusted_p(np.array(p), dependent=False) <= 0.05)) == 4


def test_by_hand():
    p = np.array([0.04, 0.01, 0.03, 0.5])  # sorted .01 .03 .04 .5: 4p/j = .04 .06 .0533 .5
    np.testing.assert_allclose(adjusted_p(p, dependent=False), [4 * 0.04 / 3, 0.04, 4 * 0.04 / 3, 0.5])
    factor = 1 + 1 / 2 + 1 / 3 + 1 / 4
    np.testing.assert_allclose(adjusted_p(p), [factor * 4 * 0.04 / 3, factor * 0.04, factor * 4 * 0.04 / 3, 1.0])


def test_the_share_of_false_discoveries_is_what_was_asked_for():
    random, shares = np.random.default_rng(1), []
    for _ in range(400):
        p = random.random(50)
        p[:10] *= 1e-3  # ten are true
        believed = adjusted_p(p, dependent=False) <= 0.1
        shares.append(float(np.sum(believed[10:])) / max(int(np.sum(believed)), 1))
    assert 0.05 < np.mean(shares) < 0.1  # (40/50 of 10 %)


@pytest.mark.parametrize("p", [[], [0.5, 1.2], [np.nan]])
def test_what_is_no_p_value_is_refused(p):
    with pytest.raises(InputError, match="allowed: p-values"):
        adjusted_p(np.array(p))
