"""A reallocation in seven steps: collect, target, required assets, utilization, liquidity, plan, output.

The first two bring a request together: what is stored or sent of portfolio and market, and the weights of the target,
which a specification, a mandate or a service outside may give (`domain.reallocation.target`).
"""

from collections.abc import Callable

from domain.cancellation import never_cancelled
from domain.reallocation.needs import needs_of
from domain.reallocation.output import output
from domain.reallocation.planned import assessed, planned_trades
from domain.reallocation.request import ReallocationRequest
from domain.reallocation.required import check_target, required_assets
from domain.reallocation.result import Reallocation
from domain.reallocation.valuation import value


def reallocate(request: ReallocationRequest, check_cancelled: Callable[[], None] = never_cancelled) -> Reallocation:
    """The plan that takes a portfolio to its target, or the reason why there is none.

    `check_cancelled` is called every few milliseconds; what it raises ends the work. Raises InvalidInput for a target
    without a price, a net asset value of zero or less, or quantities that cannot be counted in lots.
    """
    valuation = value(request, check_cancelled)  # 1. collect
    check_target(request)  # 2. target
    symbols = required_assets(request)  # 3. required assets
    needs = needs_of(request, valuation, symbols, check_cancelled)  # 4. utilization
    liquidity = assessed(needs)  # 5. liquidity
    planned = planned_trades(needs, valuation, check_cancelled)  # 6. plan
    return output(needs, valuation, liquidity, planned, check_cancelled)  # 7. output
