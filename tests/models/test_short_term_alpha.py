"""A drift that fades: what it does to the quotes, and the cases in which it is known."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from twosided.models import cartea_jaimungal
from twosided.models.short_term_alpha import distances

DEALER = {"A": 1.0, "k": 100.0, "phi": 2e-4, "alpha": 1e-4, "q_max": 3, "remaining_s": 20.0}
SIGNAL = np.array([-2e-4, 0.0, 1e-4, 2e-4])
TOLERANCE = 1e-7  # of quotes of about 0.01


def test_a_drift_that_stays_is_the_drift_of_the_other_model():
    bid, ask = distances(SIGNAL, **DEALER, zeta=0.0)
    for row, mu in enumerate(SIGNAL):
        exact = cartea_jaimungal.distances(**DEALER, mu=mu)
        np.testing.assert_allclose(bid[row], exact[0], atol=TOLERANCE)
        np.testing.assert_allclose(ask[row], exact[1], atol=TOLERANCE)


def test_a_drift_that_fades_for_certain_is_an_ordinary_differential_equation():
    q, zeta, start = np.arange(-3.0, 4.0), 0.2, 2e-4

    def change(tau, v):  # of v = exp(k·h): the drift with tau seconds left, when all 20 are it is `start`
        drift = start * np.exp(-zeta * (20.0 - tau))
        grown = 100.0 * (drift * q - 2e-4 * q * q) * v
        grown[:-1] += np.exp(-1.0) * v[1:]
        grown[1:] += np.exp(-1.0) * v[:-1]
        return grown

    v = solve_ivp(change, (0.0, 20.0), np.exp(-0.01 * q * q), rtol=1e-11, atol=1e-14).y[:, -1]
    bid, ask = distances(np.array([start]), **DEALER, zeta=zeta, steps=40)
    np.testing.assert_allclose(bid[0, :-1], (1 + np.log(v[:-1] / v[1:])) / 100, atol=2e-6)
    np.testing.assert_allclose(ask[0, 1:], (1 + np.log(v[1:] / v[:-1])) / 100, atol=2e-6)


NOISY = {"zeta": 0.5, "eta": 1e-4, "epsilon": 5e-4}


def test_a_rising_mid_raises_both_quotes_and_long_inventory_lowers_them():
    bid, ask = distances(SIGNAL, **DEALER, **NOISY)
    assert np.all(np.diff(bid[:, :-1], axis=0) < 0)
    assert np.all(np.diff(ask[:, 1:], axis=0) > 0)
    assert np.all(np.diff(bid[:, :-1], axis=1) > 0)
    assert np.all(np.diff(ask[:, 1:], axis=1) < 0)


def test_mirrored_signals_give_mirrored_quotes():
    bid, ask = distances(np.array([-2e-4, 2e-4]), **DEALER, **NOISY)
    np.testing.assert_allclose(bid, ask[::-1, ::-1], atol=TOLERANCE)


def test_informed_orders_widen_the_spread():
    quiet = distances(np.array([0.0]), **DEALER, zeta=0.5)
    informed = distances(np.array([0.0]), **DEALER, zeta=0.5, epsilon=2e-3)
    assert np.all((informed[0] + informed[1])[0, 1:-1] > (quiet[0] + quiet[1])[0, 1:-1] + 1e-4)


def test_a_finer_grid_changes_the_quotes_by_little():
    coarse, _ = distances(SIGNAL, **DEALER, **NOISY)
    fine, _ = distances(SIGNAL, **DEALER, **NOISY, steps=90)
    np.testing.assert_allclose(coarse, fine, atol=1e-5)


@pytest.mark.parametrize("epsilon", [1e-9, 1e-5, 6e-5])
def test_jumps_far_below_the_grid_s_steps_cost_no_finer_grid(epsilon):
    coarse, _ = distances(SIGNAL, **DEALER, zeta=0.5, eta=1e-3, epsilon=epsilon)
    fine, _ = distances(SIGNAL, **DEALER, zeta=0.5, eta=1e-3, epsilon=epsilon, steps=120)
    np.testing.assert_allclose(coarse, fine, atol=1e-5)


def test_a_signal_far_beyond_its_jumps_has_an_answer():
    bid, ask = distances(np.array([10.0]), **DEALER, zeta=0.5, epsilon=1e-6)
    assert np.all(bid[0, :-1] == 0.0)
    assert np.all(ask[0, 1:] > 0.01)


def test_no_quote_is_through_the_mid():
    bid, ask = distances(np.array([-0.05, 0.05]), **DEALER, zeta=0.5)
    assert np.nanmin(bid) == 0.0
    assert np.nanmin(ask) == pytest.approx(0.0)


def test_what_memory_held_before_the_solver_got_it_does_not_matter(monkeypatch):
    """Scipy's solver subtracts from rows that it has not written yet, and that is no reason to refuse a question."""
    clean = distances(SIGNAL, **DEALER, zeta=0.2)

    def dirty(shape, dtype=np.float64, **more):
        filled = np.zeros(shape, dtype, **more)
        if filled.dtype == np.float64:
            filled.view(np.int64)[...] = 0x7FF0000000000001  # a number that signals when it is touched
        return filled

    monkeypatch.setattr(np, "empty", dirty)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_array_equal(distances(SIGNAL, **DEALER, zeta=0.2), clean)
