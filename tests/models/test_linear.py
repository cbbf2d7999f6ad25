"""The linear equation under GLFT and Cartea-Jaimungal, against LAPACK where that is right, and in two ways of our own."""

import numpy as np
import pytest
from scipy.linalg import eigh_tridiagonal, expm

from twosided.models.linear import _integrated, ground_state, log_values

Q = np.arange(-12.0, 13.0)


def matrix(diagonal, eta):
    return np.diag(diagonal) - eta * (np.eye(len(diagonal), k=1) + np.eye(len(diagonal), k=-1))


@pytest.mark.parametrize("drift", [0.0, 0.003, -0.02])
def test_the_ground_state_is_lapack_s(drift):
    diagonal = 1e-3 * Q * Q - drift * Q
    log_f, lowest, gap = ground_state(diagonal, 0.2)
    values, vectors = eigh_tridiagonal(diagonal, np.full(len(Q) - 1, -0.2), select="i", select_range=(0, 1))
    assert lowest == pytest.approx(values[0], abs=1e-14)
    assert gap == pytest.approx(values[1] - values[0], rel=1e-12)
    f = np.exp(log_f)
    np.testing.assert_allclose(f / np.linalg.norm(f), np.abs(vectors[:, 0]), atol=1e-13)


def test_its_eigenvalue_keeps_digits_that_lapack_loses_below_a_large_diagonal():
    diagonal = 1e6 * np.arange(-1000.0, 1001.0) ** 2  # up to 1e12; beside it 1: the lowest eigenvalue is about -2e-6
    _, lowest, _ = ground_state(diagonal, 1.0)
    exact = -1e-6 * 2.0  # perturbation: -2·eta²/d_1, the next term is 1e-12 of it
    assert lowest == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("remaining_s", [0.0, 0.3, 20.0, 500.0])
@pytest.mark.parametrize("terminal", [0.0, 0.05])
@pytest.mark.parametrize("drift", [0.0, 0.01])
def test_values_are_those_of_the_matrix_exponential_level_and_all(remaining_s, terminal, drift):
    diagonal = 2e-3 * Q * Q - drift * Q
    log_v, level = log_values(diagonal, 0.2, -terminal * Q * Q, remaining_s)
    v = expm(-matrix(diagonal, 0.2) * remaining_s) @ np.exp(-terminal * Q * Q)
    np.testing.assert_allclose(log_v + level, np.log(v), atol=1e-10)


@pytest.mark.parametrize("terminal", [0.0, 0.3])
def test_both_ways_agree_where_both_work(terminal):
    q = np.arange(-40.0, 41.0)
    diagonal = 2e-3 * q * q
    log_v, level = log_values(diagonal, 0.2, -0.1 * terminal * q * q, 30.0)
    other = _integrated(diagonal, 0.2, -0.1 * terminal * q * q, 30.0)
    np.testing.assert_allclose(log_v + level, other, atol=1e-8)
    np.testing.assert_allclose(np.diff(log_v), np.diff(other), atol=1e-9)


def test_a_terminal_penalty_beyond_the_range_of_numbers_is_no_problem():
    q = np.arange(-100.0, 101.0)
    log_v, _ = log_values(1e-3 * q * q, 0.3, -10.0 * q * q, 60.0)  # z spans 10^43,000
    free, _ = log_values(1e-3 * q * q, 0.3, -1.0 * q * q, 60.0)
    assert np.all(np.isfinite(log_v))
    np.testing.assert_allclose(np.diff(log_v)[90:110], np.diff(free)[90:110], atol=0.01)  # a minute later it is nearly forgotten
