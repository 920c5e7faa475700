"""Answers of a model to the questions of a benchmark, and what they are worth."""
