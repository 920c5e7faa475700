"""The metric, published as a Space, loads for somebody who never imported t2vid."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import t2vid
from hub import Hub

FOLDER = Path(t2vid.__file__).parent / "metrics" / "video_mcq"


def test_the_metric_loads_from_its_space(tmp_path: Path) -> None:
    script = """
        import sys, evaluate
        assert "t2vid" not in sys.modules
        metric = evaluate.load("t2vid/video_mcq", module_type="metric")
        scores = metric.compute(
            predictions=["The answer is B.", "A man walks."], references=["B", "A"]
        )
        print(scores["accuracy"])
    """
    with Hub() as hub:
        hub.put(
            "spaces/t2vid/video_mcq",
            {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()},
        )
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            env=hub.environment(tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) == 0.5
        assert any("/spaces/t2vid/video_mcq/resolve/" in path for _, path, _ in hub.log)
