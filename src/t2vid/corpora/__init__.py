"""One pure converter a corpus: rows of a file in, named results out, the rest counted."""
