"""The tear sheet of an optimisation."""

from collections.abc import Mapping

from absfin.formatting import in_words, number, percent
from absfin.reports.document import Figure, Figures, Picture, Report, Table, section, with_content
from absfin.reports.remarks import FINGERPRINT, warning_table
from absfin.results import Certificate, Optimization

NEGLIGIBLE = 5e-5
"""Weights below it would be shown as 0.00 %; tables leave them out."""


def optimization_report(answer: Optimization, charts: Mapping[str, Picture], title: str = "") -> Report:
    """The report of verified weights; `charts` by their names, `title` the label of the request if empty."""
    held = sum(abs(weight) >= NEGLIGIBLE for weight in answer.weights.values())
    return Report(
        title=title or answer.proto.label or "Optimised portfolio",
        subtitle=f"{held} of {len(answer.weights)} assets are held",
        facts=(("name", answer.name), ("input", answer.proto.input_fingerprint[:FINGERPRINT])),
        sections=with_content(
            section("Summary", _key_figures(answer), warning_table(answer.warnings)),
            section("Weights", _weights(answer)),
            section("Charts", *charts.values()),
            section("Constraints", _binding(answer)),
            section("Certificate", _certificate(answer.certificate)),
        ),
    )


def _key_figures(answer: Optimization) -> Figures:
    shown = {
        "expected return, annual": percent(answer.expected_return_annual),
        "volatility, annual": percent(answer.volatility_annual),
        "ratio": number(answer.ratio),
        "diversification": number(answer.diversification),
        "effective number of assets": number(answer.effective_number_of_assets),
        "turnover, one-way": percent(answer.turnover_one_way),
        "cost": percent(answer.cost),
    }
    return Figures(tuple(Figure(label, value) for label, value in shown.items() if value != "-"))


def _weights(answer: Optimization) -> Table:
    total = answer.volatility_annual
    rows = tuple(
        (symbol, percent(weight), percent(answer.risk_contributions.get(symbol, 0.0) / total if total else None))
        for symbol, weight in sorted(answer.weights.items(), key=lambda item: -abs(item[1]))
        if abs(weight) >= NEGLIGIBLE
    )
    return Table(("asset", "weight", "fraction of risk"), rows)


def _binding(answer: Optimization) -> Table | None:
    rows = tuple((one.label, one.symbol, number(one.shadow_price)) for one in answer.binding)
    return Table(("constraint", "asset", "shadow price"), rows, "Binding constraints") if rows else None


def _certificate(certificate: Certificate) -> Figures:
    gap = certificate.duality_gap
    return Figures(
        (
            Figure("solver", f"{certificate.solver} {certificate.solver_version}", in_words(certificate.engine)),
            Figure("duality gap", "-" if gap is None else f"{gap:.1e}"),
            Figure("largest constraint violation", f"{certificate.max_constraint_violation:.1e}"),
        )
    )
