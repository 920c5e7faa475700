"""A mix: which rows, in which order, within which budget."""
