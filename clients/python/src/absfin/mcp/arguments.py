"""Arguments of tools: their types are the schemas that callers see, and every call is checked against them.

Weights, returns and rates are fractions, 0.6 for 60 %; the names are those of the contract where it has the same field.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

from absfin import constraints, objectives
from absfin.choices import Measure
from absfin.data import Moments, Stored

ObjectiveName = Literal[
    "min_risk",
    "max_return",
    "max_utility",
    "max_ratio",
    "max_diversification",
    "risk_budget",
    "relaxed_risk_budget",
    "kelly",
    "hierarchical",
    "equal_weight",
    "inverse_volatility",
]
OBJECTIVES: tuple[str, ...] = get_args(ObjectiveName)

Weights = dict[str, float]
Rows = Annotated[int, Field(ge=1, le=1000, description="Most assets, trades or other rows to list, the largest first.")]
Points = Annotated[int, Field(ge=2, le=2000, description="Most dates to list, evenly spaced; fewer of many columns.")]
Limit = Annotated[int, Field(ge=1, le=1000, description="Most entries to list.")]
Label = Annotated[str, Field(description="Only results with this label; all if empty.")]
StoredLabel = Annotated[str, Field(max_length=128, description="Label for people; lists can be filtered by it.")]


class WrongArgument(ValueError):
    """An argument that its type allows and the others do not."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class ShortSchema(GenerateJsonSchema):
    """Schemas without what says nothing: titles that repeat names, and null for what can be left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        """What is there where it is given."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """A default that says something."""
        found = super().default_schema(schema)
        if found.get("default") in (None, "", [], {}):
            found.pop("default", None)
        return found


class Arguments(BaseModel):
    """What a tool is called with. An argument of another name is an error, so that a typing error has no effect."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    @classmethod
    def schema_for_callers(cls) -> dict[str, Any]:
        """The JSON schema."""
        schema = cls.model_json_schema(schema_generator=ShortSchema)
        schema.pop("description", None)  # the tool has one
        for one in (schema, *schema.get("$defs", {}).values()):
            one.pop("title", None)
        return schema


class NoArguments(Arguments):
    """Nothing."""


class Named(Arguments):
    """Which stored result."""

    name: str = Field(min_length=1, max_length=80, description="Name, such as backtests/ID; the ID alone will do.")

    def full_name(self, collection: str) -> str:
        """The full name. Raises WrongArgument for a name of another collection."""
        return full_name(self.name, collection, "name")


def full_name(given: str, collection: str, argument: str) -> str:
    """The full name of what an argument names by its ID or in full. Raises WrongArgument for another collection."""
    found, mark, identifier = given.strip().rpartition("/")
    if not identifier or (mark and found != collection):
        raise WrongArgument(argument, f"must be {collection}/ID or ID, is {given!r}")
    return f"{collection}/{identifier}"


class StoredData(Arguments):
    """Which stored prices."""

    symbols: list[str] = Field([], description="Stored symbols.")
    universe: str = Field("", description='All stored symbols with a label instead, such as "sector=Technology".')
    start_date: date | None = Field(None, description="First date; that of the data if absent.")
    end_date: date | None = Field(None, description="Last date; that of the data if absent.")

    def stored(self) -> Stored:
        """The selection. Raises WrongArgument where it selects nothing."""
        if not self.symbols and not self.universe:
            raise WrongArgument("symbols", "give symbols or a universe; list_instruments shows what is stored")
        return Stored(self.symbols, self.universe, self.start_date, self.end_date)


class Forecasts(Arguments):
    """Moments of the caller instead of stored prices, per period."""

    symbols: list[str]
    covariance: list[list[float]] = Field(description="A row and a column for each symbol, per period.")
    expected_returns: list[float] | None = Field(None, description="One for each symbol, per period.")
    periods_per_year: float = Field(gt=0, description="252 for daily figures, 12 for monthly ones, 1 for annual ones.")
    repair_covariance: bool = Field(False, description="Use the nearest positive semidefinite covariance.")

    def moments(self) -> Moments:
        """The moments. Raises WrongArgument for a covariance of another shape."""
        n_assets = len(self.symbols)
        if len(self.covariance) != n_assets or any(len(row) != n_assets for row in self.covariance):
            raise WrongArgument("forecasts.covariance", f"must have {n_assets} rows and columns")
        return Moments(
            self.symbols, self.expected_returns, self.covariance, self.periods_per_year, self.repair_covariance
        )


class GroupBounds(Arguments):
    """Bounds on the sum of the weights of a group."""

    group: str = Field("", description='A stored label such as "sector=Technology"; or give symbols.')
    symbols: list[str] = []
    lower: float | None = None
    upper: float | None = None


class WeightLimits(Arguments):
    """Limits on weights; each is labelled with its argument, so that a conflict names the arguments to change."""

    min_weight: float | None = Field(None, description="Least weight of each asset; 0 if absent, negative for shorts.")
    max_weight: float | None = Field(None, description="Largest weight of each asset.")
    group_bounds: list[GroupBounds] = Field([], description="Bounds on sums of weights.")
    min_return_annual: float | None = Field(None, description="Least expected return per year.")
    max_assets: int | None = Field(None, ge=1, description="Most assets held.")

    def limits(self) -> list[constraints.Constraint]:
        """The constraints, those of groups first: errors of the engine count from there."""
        found = []
        for i, one in enumerate(self.group_bounds):
            label = f"group_bounds[{i}]"
            found.append(constraints.group_bounds(one.group, one.lower, one.upper, one.symbols, label=label))
        if self.min_weight is not None or self.max_weight is not None:
            given = [name for name in ("min_weight", "max_weight") if getattr(self, name) is not None]
            found.append(constraints.weight_bounds(self.min_weight, self.max_weight, label=" and ".join(given)))
        if self.min_return_annual is not None:
            found.append(constraints.return_floor(self.min_return_annual, label="min_return_annual"))
        if self.max_assets is not None:
            found.append(constraints.cardinality(self.max_assets, label="max_assets"))
        return found


class RiskChoice(Arguments):
    """How risk is measured."""

    risk_measure: Measure = Field("variance", description="Measure of risk.")
    confidence_level: float | None = Field(None, gt=0, lt=1, description="Of tail measures; 0.95 if absent.")


class Problem(StoredData, WeightLimits, RiskChoice):
    """What calls that choose weights have in common."""

    current_weights: Weights = Field({}, description="Weights held now; needed by max_turnover.")
    max_turnover: float | None = Field(None, ge=0, description="Largest one-way turnover from the current weights.")

    def limits(self) -> list[constraints.Constraint]:
        """The constraints."""
        found = super().limits()
        if self.max_turnover is not None:
            found.append(constraints.turnover(self.max_turnover, label="max_turnover"))
        return found


def objective_of(name: str, risk_free_rate_annual: float, risk_aversion: float) -> objectives.Objective:
    """The objective of a name."""
    if name == "max_ratio":
        return objectives.max_ratio(risk_free_rate_annual)
    if name == "max_utility":
        return objectives.max_utility(risk_aversion)
    found: objectives.Objective = getattr(objectives, name)()
    return found


def held_symbols(*given: Mapping[str, float]) -> list[str]:
    """The symbols that any of the mappings names, each once."""
    return sorted({symbol for one in given for symbol in one})
