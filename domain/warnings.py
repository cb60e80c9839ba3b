"""Warnings that travel beside a result: the request was answered, and something in it is probably not meant.

A warning never replaces an error: what cannot be answered correctly is refused.
"""

from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class ResultWarning:
    """One warning. `code` is stable and part of the contract; the message is for people and may change."""

    code: str  # such as BOUND_NEVER_BINDS
    field: str  # path of the field in the request, such as constraints[1].weight_bounds.upper; empty for none
    message: str

    def with_path_prefix(self, prefix: str) -> "ResultWarning":
        """The same warning with a prefix before its field path."""
        return ResultWarning(self.code, f"{prefix}.{self.field}" if self.field else prefix, self.message)
