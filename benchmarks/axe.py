"""Look at every page with axe-core in Chromium, light and dark, wide and on a phone; exit code 1 for a fault.

make axe        # needs npm (for axe-core), chromium and chromedriver

    python benchmarks/axe.py build/site report.html …

Beside axe's rules (WCAG 2.2 A and AA) nothing may be wider than its screen, and no table cut on a phone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
AXE = "axe-core@4.14.1"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"
SCREENS = ((1280, False), (400, True))  # width, dark


def axe_source(folder: Path) -> str:
    """Fetch axe-core by npm."""
    subprocess.run(["npm", "pack", "--silent", AXE], cwd=folder, check=True, capture_output=True)
    subprocess.run(["tar", "xzf", next(folder.glob("axe-core-*.tgz")).name], cwd=folder, check=True)
    return (folder / "package" / "axe.min.js").read_text(encoding="utf-8")


def own_pages(folder: Path) -> list[Path]:
    """Make one of each kind of page that t2vid writes, from bundled data."""
    import t2vid
    from t2vid import samples
    from t2vid.demo import DemoSize, demo
    from t2vid.evaluation.sweep import Point
    from t2vid.pages.batch import inspect
    from t2vid.pages.cases import describe
    from t2vid.pages.dataset import report
    from t2vid.pages.scores import report as scores
    from t2vid.pages.side_by_side import compare_datasets
    from t2vid.pages.sweep import write_sweep

    report("t2vid/mix", "sample", out=folder / "report.html", embedder="tfidf")
    with_few = ["dataset_config=sample", "max_frames=4"]
    inspect("t2vid/mix", overrides=with_few, out=folder / "batch.html")
    compare_datasets("t2vid/mix", "t2vid/synthetic", out=folder / "both.html", embedder="tfidf")
    rows = [q for q in samples.questions() if q["video"]][:6]
    asked = folder / "asked" / "questions.jsonl"
    asked.parent.mkdir()
    asked.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (asked.parent / "clips").symlink_to(samples.ROOT / "clips")
    run = t2vid.evaluate(
        lambda ask: "The answer is B.", "t2vid/questions", data_dir=asked.parent, out=folder / "run"
    )
    scores([run], format="html", out=folder / "scores.html")
    clip = next((samples.ROOT / "clips").glob("*.mp4"))
    describe({"a model": lambda ask: "A dog runs."}, [clip], out=folder / "cases.html")
    points = [Point(n, 40 + n, 30 + n, 50 + n, 100) for n in (1, 4, 16)]
    write_sweep(folder, "a model", points, {"trained on": 8}, "as asked")
    demo(folder / "demo", size=DemoSize(rows=96, test_clips=4))
    return sorted([*folder.glob("*.html"), folder / "demo" / "report.html"])


def faults(browser: Any, page: Path, source: str, *, width: int, dark: bool) -> list[str]:
    """Say what is wrong with a page on a screen."""
    from browser import emulate

    emulate(browser, width=width, dark=dark)
    browser.get(page.resolve().as_uri())
    browser.execute_script(source)
    browser.set_script_timeout(120)
    found = browser.execute_async_script(
        f"const done = arguments[0]; axe.run(document, {RULES}).then((r) => done(r.violations.map("
        "(v) => `${v.id}: ${v.nodes.length} (${v.nodes[0].html.slice(0, 90)})`)));"
    )
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    cut = browser.execute_script(
        "return [...document.querySelectorAll('.scroll, .md-typeset__scrollwrap')]"
        ".filter((box) => box.scrollWidth > box.clientWidth + 1).length"
    )
    browser.execute_script("localStorage.clear()")  # the site keeps the scheme of its first page
    browser.get("about:blank")  # and stores another when the screen changes under an open one
    found += [f"{wide} px wide on a screen of {width}"] if wide > width else []
    return [*found, *([f"{cut} tables are cut"] if cut and width < 500 else [])]


def main(given: list[str]) -> int:
    """Look at the pages given, or at those of the site and one of each kind of our own."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser import chromium

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        source = axe_source(folder)
        named = [Path(name) for name in given] or [ROOT / "build" / "site", *own_pages(folder)]
        pages = [p for n in named for p in (sorted(n.rglob("*.html")) if n.is_dir() else [n])]
        pages = [p for p in pages if p.name != "404.html"]  # its addresses are those of a server
        n_faults = 0
        with chromium(folder / "profile") as browser:
            for page in pages:
                for width, dark in SCREENS:
                    for fault in faults(browser, page, source, width=width, dark=dark):
                        n_faults += 1
                        print(f"{page.name} at {width} px{', dark' if dark else ''}: {fault}")
    print(f"{len(pages)} pages, {len(SCREENS)} screens: {n_faults} faults")
    return 1 if n_faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
