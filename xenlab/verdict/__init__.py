"""Rules: a Measurement and its control become Verdicts with reasons and numbers."""
