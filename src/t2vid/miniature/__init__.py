"""A small world that carries the paper's whole argument: clips, stories, a model, the arms."""
