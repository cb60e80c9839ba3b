"""Risk of a portfolio: measures, a report, and the contributions of its assets."""
