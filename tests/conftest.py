"""What every test gets: a private cache, no network, one thread, the loopback Hub if it asks.

The environment is set before `datasets` is imported anywhere, because it is read at import.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

_HOME = tempfile.mkdtemp(prefix="t2vid-tests-")
os.environ.update(
    HF_HOME=_HOME,
    HF_HUB_OFFLINE="0",
    HF_ENDPOINT="http://127.0.0.1:9",  # nothing listens there: reaching out fails at once
    HF_HUB_DISABLE_XET="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_UPDATE_DOWNLOAD_COUNTS="0",
    NO_PROXY="127.0.0.1,localhost",
    OMP_NUM_THREADS="1",
    TOKENIZERS_PARALLELISM="false",
)

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from loopback import Server, serving  # noqa: E402
from media import make_clip  # noqa: E402

settings.register_profile("shared", deadline=None)  # the machines are shared: no test is timed
settings.load_profile("shared")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """Real samples that some developers have beside the checkout; outsiders skip these extras."""
    if not SHARED.is_dir():
        pytest.skip("the extra samples of ../shared/data are not here")
    return SHARED


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, as a user's shell may stand in."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def server() -> Iterator[Server]:
    """A chat model's API on loopback, with the faults that a test asks for."""
    yield from serving()


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four clips of two to five seconds."""
    folder = tmp_path_factory.mktemp("clips")
    return [make_clip(folder / f"{n}.mp4", seconds=2 + n, fps=5) for n in range(4)]
