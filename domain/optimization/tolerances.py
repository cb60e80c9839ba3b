"""Tolerances of policy: what an answer must satisfy to be sent, each defined once."""

VIOLATION_TOLERANCE = 1e-8


GAP_TOLERANCE = 1e-7


RISKFOLIO_GAP_TOLERANCE = 1e-6
