"""Frame sequences: one lazy column for texts and videos, and the two ways to make frames."""
