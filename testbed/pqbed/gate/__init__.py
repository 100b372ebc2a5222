"""Gate: thresholds held against a run or a comparison of two, and the verdicts in the forms that CI systems read."""
