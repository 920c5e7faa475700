"""Model families, rows turned into tensors, and tiny models to try everything with."""
