"""Why a tool failed, as its caller is told: the reason, the arguments that are wrong, and what to do next."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from absfin import errors
from absfin.mcp.arguments import Arguments, WrongArgument

WHAT_TO_DO: tuple[tuple[type[errors.AbsFinanceError], str], ...] = (
    (errors.InvalidInput, "correct the arguments that are named, and call the tool again"),
    (
        errors.InfeasibleProblem,
        "relax one of the arguments in conflict by what is said of it, or leave it out; default: is always there",
    ),
    (errors.FormulaMissesConstraint, "choose another objective, or leave out the constraint that is named"),
    (errors.UnboundedProblem, "give min_weight and max_weight"),
    (errors.NoPositiveExcessReturn, "choose another objective, such as min_risk, or give other forecasts"),
    (errors.ReallocationFailed, "change holdings, limits or prices"),
    (errors.MissingMarketData, "list_instruments shows what is stored; a person can import prices: absfin import FILE"),
    (errors.NotFound, "the tool that lists these results shows their names"),
    (errors.AlreadyExists, "choose another id"),
    (errors.BacktestRunning, "follow_backtest waits for its end"),
    (errors.StorageFull, "a person has to delete what the message names"),
    (errors.TokenExpired, "a person has to give a new token or key: ABSFIN_TOKEN, or a profile"),
    (errors.Unauthenticated, "a person has to give a token or a key: ABSFIN_TOKEN, or a profile"),
    (errors.PermissionDenied, "a person has to give a key with the role: absfin keys create --role ROLE"),
    (errors.DeadlineExceeded, "ask for less at once: fewer symbols, dates or points"),
    (errors.Overloaded, "wait, then call the tool again"),
    (errors.TransientError, "call the tool again"),
    (errors.ProblemError, "change the problem: the same one fails again"),
    (errors.InternalError, "tell a person the id in the message: the log of the server has the error under it"),
)
"""By kind of error, a narrower one before a wider one."""

_FORMS: tuple[tuple[str, str], ...] = (
    (r"^universe\.", ""),
    (r"^account\.", ""),
    (r"^spec\.", ""),
    (r"^market_data\.", ""),
    (r"^moments\b", "forecasts"),
    (r"^strategy\.(momentum|inverse_volatility|optimize)\.", ""),
    (r"^strategy\.fixed_weights\.", ""),
    (r"^strategies\[\d+\]\.", ""),
    (r"^target_weights\.weights\b", "target_weights"),
    (r"^portfolio\.(holdings|cash)\b", r"\1"),
    (r"^portfolio_name\b", "portfolio"),
    (r"^objective\.\w+\.", ""),
    (r"^constraints\[\d+\]\.weight_bounds\.lower\b", "min_weight"),
    (r"^constraints\[\d+\]\.weight_bounds\.upper\b", "max_weight"),
    (r"^constraints\[\d+\]\.\w+\.(min_return_annual|max_assets|max_turnover)\b", r"\1"),
    (r"^constraints(\[\d+\])\.group_bounds\b", r"group_bounds\1"),
    (r"^stress(\[\d+\])\.historical\.name\b", r"stress\1"),
    (r"^costs\.", ""),
    (r"^limits\.", ""),
    (r"^thresholds\.", ""),
    (r"^rebalancing\.band\.absolute\b", "drift_band"),
)
"""Paths of the contract and the arguments that they come from."""


def argument_of(path: str) -> str:
    """The argument that a field of a request comes from; the path itself where it has no argument of its own."""
    for form, argument in _FORMS:
        path = re.sub(form, argument, path)
    return path


def error_answer(error: errors.AbsFinanceError, server: str) -> dict[str, Any]:
    """An error of a call to the engine."""
    answer: dict[str, Any] = {"reason": error.reason or error.code.name, "message": error.message}
    if isinstance(error, errors.InvalidInput) and error.violations:
        answer["fields"] = [{"field": argument_of(one.field), "rule": one.rule} for one in error.violations]
        answer["message"] = "; ".join(f"{one['field']}: {one['rule']}" for one in answer["fields"])
    if isinstance(error, errors.InfeasibleProblem):
        answer["conflicts"] = [
            {"label": one.label}
            | ({} if one.smallest_relaxation is None else {"relaxing_it_alone_by": one.smallest_relaxation})
            | ({} if one.joint_relaxation is None else {"relaxing_all_of_them_by": one.joint_relaxation})
            for one in error.conflicts
        ]
    if isinstance(error, errors.Unavailable) and not error.reason:
        # gRPC has found nobody; an error of the server itself has a reason.
        answer["message"] = f"no server answers at {server}"
        answer["what_to_do"] = "a person has to start it: absfin serve"
        return answer
    if isinstance(error, errors.TransientError) and error.retry_after_seconds is not None:
        answer["retry_after_seconds"] = error.retry_after_seconds
    if hint := next((hint for kind, hint in WHAT_TO_DO if isinstance(error, kind)), ""):
        answer["what_to_do"] = hint
    return answer


def wrong_arguments(error: ValidationError | WrongArgument, arguments: type[Arguments]) -> dict[str, Any]:
    """Arguments that are not those of the tool."""
    if isinstance(error, WrongArgument):
        fields = [{"field": error.field, "rule": error.rule}]
    else:
        fields = [_violation(one, arguments) for one in error.errors(include_url=False, include_context=False)]
    return {
        "reason": "INVALID_INPUT",
        "message": "; ".join(f"{one['field']}: {one['rule']}" for one in fields),
        "fields": fields,
        "what_to_do": "correct the arguments that are named, and call the tool again",
    }


def _violation(one: Mapping[str, Any], arguments: type[Arguments]) -> dict[str, str]:
    field = _path(one["loc"])
    if one["type"] != "extra_forbidden":
        return {"field": field, "rule": str(one["msg"])}
    near = difflib.get_close_matches(str(one["loc"][-1]), arguments.model_fields, 1)
    return {"field": field, "rule": "is no argument" + (f"; did you mean {near[0]}?" if near else "")}


def _path(parts: Iterable[str | int]) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
