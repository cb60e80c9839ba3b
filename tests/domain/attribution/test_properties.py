"""Identities of attribution on random weights and returns, to 1e-12."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attribution.attribute import AttributedWeights, Attribution, attribute, attributed_weights
from domain.attribution.by_factors import by_exposures, by_regression
from domain.attribution.factors import FactorExposures
from domain.attribution.linking import linking_factors
from domain.attribution.settings import AttributionModel, AttributionSettings, Linking
from domain.market_data.panel import Panel

SEEDS = st.integers(0, 10**6)
RANDOMLY = settings(max_examples=60, deadline=None)
ARITHMETIC = (Linking.CARINO, Linking.MENCHERO, Linking.GRAP)
CHOICES = [AttributionSettings(*chosen) for chosen in itertools.product(AttributionModel, Linking, (False, True))]


def random_tables(seed: int) -> list[np.ndarray]:
    """Weights that sum to 1 or leave cash, some of them 0 or short; returns that are NaN where nothing is held."""
    rng = np.random.default_rng(seed)
    periods, groups = int(rng.integers(1, 30)), int(rng.integers(1, 6))
    tables = []
    for _ in range(2):
        weights = rng.dirichlet(np.ones(groups), periods)
        weights[rng.random(weights.shape) < 0.2] = 0.0
        if rng.random() < 0.5:
            total = weights.sum(axis=1, keepdims=True)
            weights = np.where(total > 0.0, weights / np.where(total > 0.0, total, 1.0), 0.0)
        if rng.random() < 0.2:
            weights[:, 0] *= -0.5
        tables.append(weights)
    for weights in tables[:2]:
        values = rng.normal(0.005, 0.05, weights.shape)
        values[(weights == 0.0) & (rng.random(weights.shape) < 0.5)] = np.nan
        tables.append(values)
    return tables


def weights_of(tables: list[np.ndarray]) -> AttributedWeights:
    names = tuple("ABCDE"[: tables[0].shape[1]])
    days = np.arange(len(tables[0]), dtype=np.int32)
    return attributed_weights([Panel(names, days, table) for table in tables])


def plain_returns(tables: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns of both sides: sums of weight x return."""
    return tuple(np.nansum(w * np.where(w != 0.0, r, 0.0), axis=1) for w, r in zip(tables[:2], tables[2:], strict=True))  # type: ignore[return-value]


@given(SEEDS, st.sampled_from(CHOICES))
@RANDOMLY
def test_the_parts_are_the_excess_return(seed: int, chosen: AttributionSettings) -> None:
    tables = random_tables(seed)
    found = attribute(weights_of(tables), chosen)
    ours, theirs = (math.prod((1.0 + r).tolist()) for r in plain_returns(tables))
    if chosen.linking is Linking.GEOMETRIC:
        assert found.excess_return == pytest.approx(ours / theirs - 1.0, abs=1e-12)
        parts = [found.totals.allocation[0], found.totals.selection[0]]
        parts += [] if found.totals.interaction is None else [found.totals.interaction[0]]
        assert math.prod(1.0 + part for part in parts) - 1.0 == pytest.approx(found.excess_return, abs=1e-12)
        assert product_of_groups(found) == pytest.approx(found.excess_return, abs=1e-12)
    else:
        assert found.excess_return == pytest.approx(ours - theirs, abs=1e-12)
        assert float(found.groups.total.sum()) == pytest.approx(found.excess_return, abs=1e-12)
        assert float(found.totals.total[0]) == pytest.approx(found.excess_return, abs=1e-12)


def product_of_groups(found: Attribution) -> float:
    each = [found.groups.allocation, found.groups.selection]
    each += [] if found.groups.interaction is None else [found.groups.interaction]
    return float(np.prod([1.0 + part for part in each])) - 1.0


@given(SEEDS, st.sampled_from(CHOICES))
@RANDOMLY
def test_the_effects_of_a_period_are_its_excess_return(seed: int, chosen: AttributionSettings) -> None:
    tables = random_tables(seed)
    ours, theirs = plain_returns(tables)
    effects = attribute(weights_of(tables), chosen).periods
    if chosen.linking is Linking.GEOMETRIC:
        allocated, selected = effects.allocation.sum(axis=1), effects.selected.sum(axis=1)
        expected = (1.0 + ours) / (1.0 + theirs)
        assert (1.0 + allocated) * (1.0 + selected) == pytest.approx(expected, abs=1e-12)
    else:
        assert effects.total.sum(axis=1) == pytest.approx(ours - theirs, abs=1e-13)


@given(SEEDS, st.sampled_from([Linking.CARINO, Linking.MENCHERO, Linking.GEOMETRIC]), st.booleans())
@RANDOMLY
def test_the_order_of_periods_does_not_matter(seed: int, linking: Linking, apart: bool) -> None:
    tables = random_tables(seed)
    order = np.random.default_rng(seed + 1).permutation(len(tables[0]))
    chosen = AttributionSettings(linking=linking, separate_interaction=apart)
    ours = attribute(weights_of(tables), chosen)
    other = attribute(weights_of([table[order] for table in tables]), chosen)
    assert other.groups.allocation == pytest.approx(ours.groups.allocation, abs=1e-12)
    assert other.groups.selection == pytest.approx(ours.groups.selection, abs=1e-12)


def test_the_order_of_periods_matters_to_grap() -> None:
    chosen = AttributionSettings(linking=Linking.GRAP)
    tables = random_tables(5)
    ours = attribute(weights_of(tables), chosen)
    other = attribute(weights_of([table[::-1] for table in tables]), chosen)
    assert np.abs(other.groups.allocation - ours.groups.allocation).max() > 1e-6


@pytest.mark.parametrize("linking", ARITHMETIC)
@pytest.mark.parametrize("apart", [0.0, 1e-16, 1e-12, 1e-8])
def test_factors_are_continuous_where_returns_are_equal(linking: Linking, apart: float) -> None:
    """All returns nearly equal: the factors are those of equal ones, 1 / (1 + r) x (1 + R) for Carino."""
    returns = np.array([0.1, -0.2, 0.05])
    factors = linking_factors(linking, returns + apart, returns).factors
    total = float(np.prod(1.0 + returns))
    expected = {
        Linking.CARINO: total / (1.0 + returns),
        Linking.MENCHERO: np.full(3, total ** (2.0 / 3.0)),
        Linking.GRAP: total / (1.0 + returns),
    }[linking]
    # What Menchero leaves to the spread is in proportion to the differences, not to their size.
    near = 1e-6 if linking is not Linking.MENCHERO else 0.02
    assert factors == pytest.approx(expected, rel=near)


@pytest.mark.parametrize("linking", ARITHMETIC)
def test_one_period_is_not_changed(linking: Linking) -> None:
    assert linking_factors(linking, np.array([0.3]), np.array([-0.1])).factors == pytest.approx([1.0], abs=1e-14)


@given(SEEDS, st.sampled_from(list(Linking)))
@RANDOMLY
def test_factors_and_specific_are_the_excess_return(seed: int, linking: Linking) -> None:
    tables = random_tables(seed)
    rng = np.random.default_rng(seed + 2)
    weights = weights_of(tables)
    found = attribute(weights, AttributionSettings(linking=linking))
    names, groups = ("F", "G"), tables[0].shape[1]
    factor_returns = Panel(names, weights.dates, rng.normal(0.0, 0.03, (len(weights.dates), 2)))
    exposures = FactorExposures(names, weights.segments[:groups], rng.normal(size=(groups, 2)), factor_returns)
    parts = [by_exposures(weights, exposures, found.linked)]
    if len(weights.dates) >= 4:
        parts.append(by_regression(weights, factor_returns, found.linked))
    for one in parts:
        contributions = [part.contribution for part in one.parts]
        product = math.prod(1.0 + part for part in contributions) - 1.0
        total = product if linking is Linking.GEOMETRIC else math.fsum(contributions)
        assert total == pytest.approx(found.excess_return, abs=1e-12)
