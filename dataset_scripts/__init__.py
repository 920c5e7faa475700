"""Builders behind `load_dataset("t2vid/…")`; each is thin and calls a pure converter."""
