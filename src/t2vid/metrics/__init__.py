"""Metrics that `evaluate.load` finds once t2vid is imported; each folder is a complete Space."""
