"""Whether exceptions come in clusters (Christoffersen 1998).

"Evaluating interval forecasts", International Economic Review 39(4). The alternative is a Markov chain of first order:
the probability of an exception depends on whether there was one in the period before.
"""

from collections.abc import Callable

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.risk.validation.binomial import at_least, coverage_ratio, entropies
from domain.risk.validation.chi_square import chi_square_survival
from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.runs import Transitions, kinds, likely_counts, number_of_kinds
from domain.risk.validation.verdict import PValueMethod, Verdict

Ratio = Callable[[Transitions], Vector]

MANY = 10_000_000
"""Kinds of sequences to go through at most, about half a second; beyond it p-values are asymptotic."""

TOO_MANY = "too many observations to count the sequences: the p-value is asymptotic"


def independence(exceptions: Exceptions, check_cancelled: CancellationCheck = never_cancelled) -> Verdict:
    """LR_ind of the transitions into t = 2..T, chi-squared with one degree.

    The exact p-value is given the number of exceptions: every order of them is then equally likely if they are
    independent, whatever their probability is, so that wrong coverage is not taken for clusters.
    """
    check_cancelled()
    transitions = Transitions.of(exceptions.hits)
    if exceptions.observations < 2:
        return Verdict.undefined("needs at least two observations")
    if transitions.hit_quiet + transitions.hit_hit == 0:
        return Verdict.undefined("no observation follows an exception")
    if transitions.quiet_quiet + transitions.quiet_hit == 0:
        return Verdict.undefined("every observation follows an exception")
    table = entropies(exceptions.observations)

    def ratio(of: Transitions) -> Vector:
        return _independence_ratio(of, table)

    return _verdict(float(ratio(transitions)), 1, _given_count(exceptions, float(ratio(transitions)), ratio))


def conditional_coverage(exceptions: Exceptions, check_cancelled: CancellationCheck = never_cancelled) -> Verdict:
    """LR_cc = LR_uc + LR_ind, chi-squared with two degrees: coverage and independence together.

    As in the paper all of it is given the first observation: LR_uc counts exceptions of t = 2..T, T - 1 of them, which
    makes the sum itself a likelihood ratio. Programs that take LR_uc over all T differ in the third digit or so. It is
    defined without exceptions too, where LR_ind is 0, with 0 ln 0 = 0.
    """
    if exceptions.observations < 2:
        return Verdict.undefined("needs at least two observations")
    table, tail = entropies(exceptions.observations), exceptions.tail_probability

    def ratio(of: Transitions) -> Vector:
        hits = of.quiet_hit + of.hit_hit
        return coverage_ratio(hits, exceptions.observations - 1, tail, table) + _independence_ratio(of, table)

    observed = float(ratio(Transitions.of(exceptions.hits)))
    return _verdict(observed, 2, _of_all_counts(exceptions, observed, ratio, check_cancelled))


def _independence_ratio(of: Transitions, table: Vector) -> Vector:
    """2 [ln L(chain) - ln L(one probability)], written with n ln n so that a count of 0 needs no case of its own."""
    after_quiet, after_hit = of.quiet_quiet + of.quiet_hit, of.hit_quiet + of.hit_hit
    chain = table[of.quiet_quiet] + table[of.quiet_hit] - table[after_quiet]
    chain = chain + table[of.hit_quiet] + table[of.hit_hit] - table[after_hit]
    quiet, hits = of.quiet_quiet + of.hit_quiet, of.quiet_hit + of.hit_hit
    one = table[quiet] + table[hits] - table[quiet + hits]
    result: Vector = np.maximum(2.0 * (chain - one), 0.0)
    return result


def _verdict(observed: float, degrees: int, exact: float | None) -> Verdict:
    asymptotic = chi_square_survival(observed, degrees)
    return Verdict(
        statistic=observed,
        p_value=asymptotic if exact is None else exact,
        method=PValueMethod.ASYMPTOTIC if exact is None else PValueMethod.EXACT,
        p_value_asymptotic=asymptotic,
        degrees_of_freedom=degrees,
        note=TOO_MANY if exact is None else None,
    )


def _given_count(exceptions: Exceptions, observed: float, ratio: Ratio) -> float | None:
    """Probability of a ratio as large among the sequences with as many exceptions, None where those are too many."""
    counts = range(exceptions.count, exceptions.count + 1)
    if number_of_kinds(exceptions.observations, counts) > MANY:
        return None
    [kind] = kinds(exceptions.observations, counts)
    return min(float(kind.conditional_probabilities[at_least(ratio(kind.transitions), observed)].sum()), 1.0)


def _of_all_counts(
    exceptions: Exceptions, observed: float, ratio: Ratio, check_cancelled: CancellationCheck
) -> float | None:
    """Probability of a ratio as large under the tail probability, None where there are too many sequences."""
    total, tail = exceptions.observations, exceptions.tail_probability
    counts = likely_counts(total, tail, exceptions.count)
    if number_of_kinds(total, counts) > MANY:
        return None
    reached = 0.0
    for kind in kinds(total, counts):
        check_cancelled()
        reached += float(kind.probabilities(tail)[at_least(ratio(kind.transitions), observed)].sum())
    return min(reached, 1.0)
