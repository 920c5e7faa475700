from __future__ import annotations

from pathlib import Path

import pytest

from media import make_clip


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four clips of two to five seconds."""
    folder = tmp_path_factory.mktemp("clips")
    return [make_clip(folder / f"{n}.mp4", seconds=2 + n, fps=5) for n in range(4)]
