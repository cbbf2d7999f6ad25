"""Cartea and Jaimungal's quotes: the book's example, the limit of GLFT, and the short-term alpha."""

import csv

import numpy as np
import pytest
from scipy.linalg import expm

from twosided.models import glft
from twosided.models.cartea_jaimungal import distances, values

BOOK = {"A": 1.0, "k": 100.0, "phi": 1e-3, "alpha": 1e-4, "q_max": 3, "remaining_s": 60.0}


def test_values_and_quotes_match_the_reference(shared):
    with shared("reference", "cartea_jaimungal_ch10.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 14
    for row in rows:
        problem = {**BOOK, "A": float(row["lam"]), "k": float(row["kappa"]), "phi": float(row["phi"]), "alpha": float(row["alpha"])}
        place = int(row["q"]) + 3
        bid, ask = distances(**problem)
        assert values(**problem)[place] == pytest.approx(float(row["h_t0"]), abs=1e-9)
        assert bid[place] == pytest.approx(float(row["delta_bid"]), abs=6e-9, nan_ok=True)
        assert ask[place] == pytest.approx(float(row["delta_ask"]), abs=6e-9, nan_ok=True)


@pytest.mark.parametrize("mu", [0.0, 2e-4])
def test_values_are_those_of_the_matrix_exponential(mu):
    q = np.arange(-3.0, 4.0)
    generator = np.diag(-1e-3 * 100 * q * q + mu * 100 * q) + np.exp(-1.0) * (np.eye(7, k=1) + np.eye(7, k=-1))
    h = np.log(expm(generator * 60.0) @ np.exp(-1e-4 * 100 * q * q)) / 100
    np.testing.assert_allclose(values(**BOOK, mu=mu), h, atol=1e-12)


def test_without_risk_aversion_glft_is_the_same():
    gamma, sigma = 1e-7, 2.0
    bid, _ = distances(A=0.5, k=0.3, phi=0.5 * gamma * sigma**2, q_max=10, remaining_s=100.0)
    other, _ = glft.distances(sigma=sigma, A=0.5, k=0.3, gamma=gamma, q_max=10, remaining_s=100.0)
    np.testing.assert_allclose(bid[:-1], other[:-1], atol=1e-5)


def test_at_the_end_the_terminal_penalty_decides():
    bid, ask = distances(**{**BOOK, "alpha": 0.01, "remaining_s": 0.0})
    np.testing.assert_allclose(bid[:-1], 0.01 + 0.01 * (2 * np.arange(-3, 3) + 1), atol=1e-12)
    np.testing.assert_array_equal(ask, bid[::-1])


def test_far_from_the_end_it_does_not_matter():
    patient, _ = distances(**{**BOOK, "alpha": 0.0, "remaining_s": 1e5})
    hasty, _ = distances(**{**BOOK, "alpha": 1.0, "remaining_s": 1e5})
    never, _ = distances(**{**BOOK, "remaining_s": np.inf})
    np.testing.assert_allclose(patient, hasty, atol=1e-10)
    np.testing.assert_allclose(never, hasty, atol=1e-10)
