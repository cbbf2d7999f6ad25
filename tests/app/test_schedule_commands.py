"""``twosided models schedule`` and ``models assets`` print what the models' functions return."""

import json

import numpy as np
import pytest

from twosided.models.almgren_chriss import Market, liquidate
from twosided.models.multi_asset import distances

CHRISS = ("models", "schedule", "almgren_chriss", "--position", 1000, "--horizon-s", 600, "--sigma", 0.05, "--temporary", 0.002)
LOTS = ("models", "schedule", "flattening", "--position-lots", 100, "--temporary", 1000, "--buckets", 8)
ASSETS = ("models", "assets", "--sigma", "0.3,0.4", "--correlation", 0.6, "--A", "0.9,0.6", "--k", "0.3,0.5", "--gamma", 0.01)


def test_almgren_chriss_in_json_is_the_function_s(command):
    found = json.loads(command(*CHRISS, "--risk-aversion", 1e-4, "--buckets", 10, "--json").out)
    best = liquidate(Market(0.05, 0.002), position=1000, horizon_s=600, risk_aversion=1e-4, buckets=10)
    assert found["left"] == best.left.tolist()
    assert sum(found["traded"]) == pytest.approx(1000)
    assert found["mean_cost"] == best.mean
    assert found["std_cost"] == best.variance**0.5


def test_almgren_chriss_in_continuous_time_is_a_table_of_ten_steps_and_two_pictures(command, tmp_path):
    page = tmp_path / "ac.html"
    answer = command(*CHRISS, "--risk-aversion", 1e-4, "--plot", page)
    assert [line.split()[0] for line in answer.out.splitlines()[2:13]] == [str(60 * n) for n in range(11)]
    assert "standard deviation" in answer.out
    assert "best for another risk aversion" in page.read_text()


def test_whole_lots_are_scheduled_under_a_participation_limit(command, tmp_path):
    pytest.importorskip("ortools")
    limits = ("--volume-lots", "200,200,200,200,0,200,200,200", "--max-participation", 0.1, "--risk", 100)
    found = json.loads(command(*LOTS, *limits, "--plot", tmp_path / "lots.html", "--json").out)
    assert sum(found["lots"]) == -100
    assert min(found["lots"]) == -20
    assert found["lots"][4] == 0
    assert found["left"][-1] == 0
    assert found["proved"]
    assert (
        found["cost"]
        == found["no_schedule_below"]
        == 1000 * sum(n * n for n in found["lots"]) + 100 * sum(n * n for n in found["left"])
    )
    assert "most that participation allows" in (tmp_path / "lots.html").read_text()
    assert "no schedule is cheaper" in command(*LOTS, *limits).out


def test_what_cannot_be_scheduled_says_why(refused):
    pytest.importorskip("ortools")
    assert refused(*LOTS, "--volume-lots", 100, "--max-participation", 0.1, "--plot", "none.html") == (
        "no schedule trades 100 lots in 8 buckets: participation allows 80; without the participation limit there is one"
    )
    assert refused(*LOTS, "--volume-lots", "100,100") == "volume_lots has 2 buckets, temporary 8; allowed: as many"
    assert refused(*LOTS[:-1], 3, "--temporary", "1,2").startswith("--buckets is 3, and --temporary has 2 numbers; allowed:")
    assert refused(*LOTS, "--room", "1,x").startswith("Invalid value for '--room': '1,x'; allowed: whole numbers")
    assert refused(*CHRISS, "--buckets", 1, "--permanent", 1).startswith("buckets is 1; allowed: at least 150001")


def test_quotes_of_two_assets_are_the_function_s(command, tmp_path):
    sigma = np.array([0.3, 0.4])
    covariance = np.outer(sigma, sigma) * np.array([[1.0, 0.6], [0.6, 1.0]])
    bid, ask = distances(np.array([2.0, 0.0]), covariance=covariance, A=[0.9, 0.6], k=[0.3, 0.5], gamma=0.01)
    answer = command(*ASSETS, "--inventory", "2,0", "--json", "--plot", tmp_path / "two.html")
    found = json.loads(answer.out)
    assert [row["bid"] for row in found["assets"]] == bid.tolist()
    assert [row["ask"] for row in found["assets"]] == ask.tolist()
    assert found["a"][0][1] == pytest.approx(0.0118539566, abs=1e-10)
    assert "asset 2: quote" in (tmp_path / "two.html").read_text()
    assert f"{bid[1]:.6f}" in command(*ASSETS, "--inventory", "2,0").out


def test_assets_that_do_not_fit_are_refused(refused):
    three = ("models", "assets", "--sigma", "1,1,1", "--A", 1, "--k", 1, "--gamma", 1, "--correlation")
    assert refused(*three, "0.6,0.3").endswith("allowed: from -1 to 1, one number for all, or 3 for the pairs of 3 assets")
    assert refused(*ASSETS, "--sigma", "0.3,-0.4") == "--sigma is 0.3,-0.4; allowed: numbers of 0 or more"
    assert refused(*three, -0.9).startswith("covariance has the eigenvalue -0.8; allowed: none below 0")
    assert refused(*ASSETS, "--inventory", "1,2,3").startswith("inventory is [1.0, 2.0, 3.0]; allowed: 2 numbers")
    assert refused("models", "quotes", "multi_asset") == "multi_asset is not asked here; see twosided models assets --help"
