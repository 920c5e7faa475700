"""Pictures and pages: what is in a dataset, and what came out of a run."""
