"""One pure converter a benchmark: official records in, `Question`s out; no pixels, no network."""
