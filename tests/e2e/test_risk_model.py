"""EstimateRiskModel over the wire: diagnostics first, then arrays in pieces, each against numpy or scikit-learn."""

import base64
from datetime import date
from typing import Any

import grpc
import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from tests.conftest import Wire, refusal_of

ESTIMATE = "RiskService/EstimateRiskModel"
RNG = np.random.default_rng(5)
T, N, P = 400, 30, 252.0
MARKET = 0.01 * RNG.standard_normal(T)
RETURNS = np.outer(MARKET, RNG.uniform(0.5, 1.5, N)) + 0.01 * RNG.standard_normal((T, N)) + 0.0004
SYMBOLS = [f"S{i}" for i in range(N)]
DATES = [(date(2015, 1, 2) - date(1970, 1, 1)).days + i for i in range(T)]


def panel(values: np.ndarray, symbols: list[str] | None = None) -> dict[str, Any]:
    flat = ["NaN" if v != v else v for v in values.ravel().tolist()]
    return {"symbols": symbols or SYMBOLS[: values.shape[1]], "dates": DATES[: len(values)], "values": flat}


def ask(values: np.ndarray = RETURNS, **more: Any) -> dict[str, Any]:
    return {"returns": panel(values), "periodsPerYear": P, **more}


def estimated(wire: Wire, request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Diagnostics, and the arrays put together from their pieces."""
    pieces = list(wire.stream(ESTIMATE, request))
    assert "diagnostics" in pieces[0]
    arrays: dict[str, list[np.ndarray]] = {}
    for piece in pieces[1:]:
        chunk = piece["chunk"]
        data = base64.b64decode(chunk["rows"]["data"])
        assert len(data) <= 1024 * 1024
        rows = np.frombuffer(data, "<f8").reshape([int(n) for n in chunk["rows"]["shape"]])
        found = arrays.setdefault(chunk["array"].removeprefix("ARRAY_"), [])
        assert int(chunk.get("firstRow", 0)) == sum(map(len, found))
        found.append(rows)
    return pieces[0]["diagnostics"], {name: np.concatenate(rows) for name, rows in arrays.items()}


def test_sample_moments(wire: Wire) -> None:
    diagnostics, arrays = estimated(wire, ask())
    covariance = np.cov(RETURNS.T)
    assert arrays["EXPECTED_RETURNS"] == pytest.approx(RETURNS.mean(axis=0), rel=1e-12)
    assert arrays["COVARIANCE"] == pytest.approx(covariance, rel=1e-10)
    assert arrays["CORRELATION"] == pytest.approx(np.corrcoef(RETURNS.T), rel=1e-10)
    assert diagnostics["symbols"] == SYMBOLS
    assert diagnostics["observations"] == T
    assert diagnostics["conditionNumber"] == pytest.approx(np.linalg.cond(covariance), rel=1e-8)
    assert diagnostics["effectiveObservations"] == T
    assert "shrinkageIntensity" not in diagnostics
    assert diagnostics["volatilitiesAnnual"] == pytest.approx(RETURNS.std(axis=0, ddof=1) * P**0.5, rel=1e-10)
    assert diagnostics["missingData"]["policy"] == "MISSING_DATA_POLICY_FAIL"


def test_shrinkage_says_how_far(wire: Wire) -> None:
    estimation = {"covariance": {"ledoitWolf": {"target": "TARGET_SCALED_IDENTITY"}}}
    diagnostics, arrays = estimated(wire, ask(estimation=estimation))
    covariance, intensity = ledoit_wolf(RETURNS)
    assert arrays["COVARIANCE"] == pytest.approx(covariance, rel=1e-9)
    assert diagnostics["shrinkageIntensity"] == pytest.approx(intensity, rel=1e-9)


def test_exponential_weights_are_worth_fewer_observations(wire: Wire) -> None:
    estimation = {"covariance": {"ewma": {"lambda": 0.94}}}
    diagnostics, _ = estimated(wire, ask(estimation=estimation))
    weights = 0.94 ** np.arange(T)
    assert diagnostics["effectiveObservations"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), rel=1e-9)


def test_factors(wire: Wire) -> None:
    diagnostics, arrays = estimated(wire, ask(factors={"series": panel(MARKET[:, None], ["market"])}))
    slopes = np.array([np.polyfit(MARKET, column, 1)[0] for column in RETURNS.T])
    assert diagnostics["factors"] == ["market"]
    assert arrays["FACTOR_EXPOSURES"][:, 0] == pytest.approx(slopes, rel=1e-9)
    assert arrays["FACTOR_COVARIANCE"] == pytest.approx(np.array([[MARKET.var(ddof=1)]]), rel=1e-12)
    structured = np.outer(slopes, slopes) * MARKET.var(ddof=1) + np.diag(arrays["SPECIFIC_VARIANCES"])
    assert np.diag(structured) == pytest.approx(RETURNS.var(axis=0, ddof=1), rel=1e-9)


@pytest.mark.parametrize("method", ["GAUSSIAN", "STUDENT_T"])
def test_simulated_returns_have_the_models_moments(wire: Wire, method: str) -> None:
    """40 000 draws: a variance is off by a per cent or two (Student's t of 8 degrees has fourth moments)."""
    simulation = {"method": f"METHOD_{method}", "paths": 8000, "periods": 5, "degreesOfFreedom": 8, "seed": "7"}
    _, arrays = estimated(wire, ask(RETURNS[:, :5], simulation=simulation))
    drawn = arrays["SIMULATED_RETURNS"]
    assert drawn.shape == (40_000, 5)
    deviations = np.sqrt(np.diag(arrays["COVARIANCE"]))
    assert drawn.mean(axis=0) == pytest.approx(arrays["EXPECTED_RETURNS"], abs=5 * deviations.max() / 200)
    scaled = np.cov(drawn.T) / np.outer(deviations, deviations)
    assert scaled == pytest.approx(arrays["CORRELATION"], abs=0.05)
    kurtosis = (((drawn - drawn.mean(axis=0)) / drawn.std(axis=0)) ** 4).mean()
    assert kurtosis == pytest.approx(3.0 if method == "GAUSSIAN" else 4.5, abs=0.1 if method == "GAUSSIAN" else 0.7)


def test_blocks_are_pieces_of_the_past(wire: Wire) -> None:
    """The next period of a path is the next one of the past, but for one jump in twenty, and at its end the first."""
    simulation = {"method": "METHOD_BLOCK_BOOTSTRAP", "paths": 50, "periods": 200, "seed": "1"}
    _, arrays = estimated(wire, ask(RETURNS[:, :2], simulation=simulation))
    drawn = arrays["SIMULATED_RETURNS"][:, 0]
    place = {value: t for t, value in enumerate(RETURNS[:, 0].tolist())}
    places = np.array([place[value] for value in drawn.tolist()]).reshape(50, 200)
    follows = (places[:, 1:] - places[:, :-1]) % T == 1
    assert 1 - follows.mean() == pytest.approx(0.05, abs=0.01)


def test_the_seed_says_it_all(wire: Wire) -> None:
    simulation = {"paths": 10, "periods": 3, "seed": "9"}
    first, second = (estimated(wire, ask(simulation=simulation))[1]["SIMULATED_RETURNS"] for _ in range(2))
    assert (first == second).all()


def test_gaps_are_left_to_the_likelihood(wire: Wire) -> None:
    """One asset came late: the likelihood's moments are those of regressions on the long histories (Stambaugh 1997)."""
    late = RETURNS[:, :3].copy()
    late[:150, 2] = np.nan
    diagnostics, arrays = estimated(wire, ask(late, missingData="MISSING_DATA_POLICY_MAXIMUM_LIKELIHOOD"))
    early, short = late[:, :2], late[150:]
    design = np.column_stack([np.ones(T - 150), short[:, :2]])
    slopes = np.linalg.lstsq(design, short[:, 2], rcond=None)[0]
    left = short[:, 2] - design @ slopes
    spread = np.cov(early.T, ddof=0)
    across = spread @ slopes[1:]
    own = slopes[1:] @ across + np.mean(left**2)
    correction = T / (T - 1)
    assert arrays["EXPECTED_RETURNS"][2] == pytest.approx(slopes[0] + slopes[1:] @ early.mean(axis=0), rel=1e-6)
    assert arrays["COVARIANCE"][2, :2] == pytest.approx(across * correction, rel=1e-6)
    assert arrays["COVARIANCE"][2, 2] == pytest.approx(own * correction, rel=1e-6)
    assert diagnostics["missingData"]["notListed"] == 150
    assert diagnostics["missingData"]["rounds"] > 1


def test_pairs_of_dates_are_taken_only_by_name(wire: Wire) -> None:
    holes = RETURNS[:40, :6].copy()
    holes[RNG.random(holes.shape) < 0.4] = np.nan
    with pytest.raises(grpc.RpcError) as error:
        list(wire.stream(ESTIMATE, ask(holes)))
    assert refusal_of(error.value).code == "INVALID_ARGUMENT"
    diagnostics, arrays = estimated(wire, ask(holes, missingData="MISSING_DATA_POLICY_PAIRWISE"))
    both = ~np.isnan(holes[:, 0]) & ~np.isnan(holes[:, 1])
    expected = np.cov(holes[both, 0], holes[both, 1])[0, 1]
    assert np.linalg.eigvalsh(arrays["COVARIANCE"])[0] >= -1e-18
    if "covarianceRepair" not in diagnostics:
        assert arrays["COVARIANCE"][0, 1] == pytest.approx(expected, rel=1e-9)
    else:
        change = diagnostics["covarianceRepair"]["largestChange"]
        assert abs(arrays["COVARIANCE"][0, 1] - expected) <= change * (1 + 1e-9)


def test_a_pairwise_covariance_is_repaired_and_says_so(wire: Wire) -> None:
    """Three assets that move together two by two, but one pair apart: no covariance has these correlations."""
    x = RNG.standard_normal(90) * 0.01
    nan = np.full(30, np.nan)
    columns = [
        np.concatenate([x[:30], x[30:60], nan]),
        np.concatenate([x[:30], nan, x[60:]]),
        np.concatenate([nan, x[30:60], -x[60:]]),
    ]
    request = ask(np.column_stack(columns), missingData="MISSING_DATA_POLICY_PAIRWISE")
    diagnostics, arrays = estimated(wire, request)
    assert diagnostics["covarianceRepair"]["smallestEigenvalue"] < 0.0
    assert np.linalg.eigvalsh(arrays["COVARIANCE"])[0] >= -1e-18


def test_many_assets_come_in_pieces(wire: Wire) -> None:
    wide = RNG.standard_normal((60, 500)) * 0.01
    diagnostics, arrays = estimated(wire, ask(wide) | {"returns": panel(wide, [f"S{i}" for i in range(500)])})
    assert arrays["COVARIANCE"].shape == (500, 500)
    assert arrays["COVARIANCE"] == pytest.approx(np.cov(wide.T), rel=1e-9, abs=1e-18)
    assert "conditionNumber" not in diagnostics  # sixty returns cannot say more


def test_an_asset_that_does_not_vary_is_named(wire: Wire) -> None:
    still = np.column_stack([RETURNS[:, :2], np.full(T, 0.001)])
    diagnostics, arrays = estimated(wire, ask(still))
    assert diagnostics["constant"] == ["S2"]
    assert np.isnan(arrays["CORRELATION"][2]).all()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"simulation": {"paths": 1_000_000, "periods": 100}}, "simulation.paths"),
        ({"simulation": {"paths": 0}}, "simulation.paths"),
        ({"simulation": {"paths": 1, "degreesOfFreedom": 2}}, "simulation.degrees_of_freedom"),
        ({"factors": {"principalComponents": N + 1}}, "factors.principal_components"),
        ({"periodsPerYear": None}, "periods_per_year"),
        ({"returns": panel(np.abs(RETURNS[:, :3]) * 1e200)}, "returns.values"),
        (
            {"returns": panel(RETURNS[:2, :4]), "estimation": {"covariance": {"graphicalLasso": {}}}},
            "estimation.covariance.graphical_lasso",
        ),
        ({"returns": panel(RETURNS[:2, :6]), "estimation": {"covariance": {"jLogo": {}}}}, "estimation"),
        ({"returns": panel(RETURNS[:1])}, "returns.dates"),
        (
            {
                "returns": panel(np.where(RETURNS[3, 3] == RETURNS, np.nan, RETURNS)),
                "missingData": "MISSING_DATA_POLICY_PAIRWISE",
                "estimation": {"covariance": {"oas": {}}},
            },
            "estimation",
        ),
    ],
)
def test_the_field_is_named(wire: Wire, change: dict[str, Any], field: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        list(wire.stream(ESTIMATE, ask() | change))
    refusal = refusal_of(error.value)
    assert refusal.code == "INVALID_ARGUMENT", refusal
    assert any(given.startswith(field) for given in refusal.fields), refusal


def test_optimize_does_not_take_gaps(wire: Wire) -> None:
    request = {
        "returns": panel(RETURNS[:, :3]),
        "periodsPerYear": P,
        "objective": {"minRisk": {}},
        "missingData": "MISSING_DATA_POLICY_PAIRWISE",
    }
    refusal = wire.refused("OptimizationService/Optimize", request)
    assert (refusal.code, refusal.fields) == ("INVALID_ARGUMENT", ("missing_data",))
