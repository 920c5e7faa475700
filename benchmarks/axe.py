"""Look at every page with axe-core in Chromium, light and dark, wide and on a phone; exit code 1 for a fault.

make axe        # needs npm (for axe-core), chromium and chromedriver

    python benchmarks/axe.py build/site report.html …

The search of the site is given lines of errors, and must lead to the page of errors.
Beside axe's rules (WCAG 2.2 A and AA) nothing may be wider than the screen, and no table or command
of the site may be cut at its edge.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
AXE = "axe-core@4.14.1"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"
CUT = """return [...document.querySelectorAll(".md-typeset__scrollwrap, .language-bash code")]
.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent.trim().slice(0, 60))"""
TYPE = """const box = document.querySelector(".md-search__input");
box.focus(); box.value = arguments[0]; document.querySelector(".md-search-result__list").innerHTML = "";
box.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));"""
FIRST = """return document.querySelector(".md-search-result__link")?.href || "" """
SETTLED = """const busy = document.querySelector(".progress-text, .pending, .generating");
const idle = document.title && document.body.innerText.includes("Keys:") && !busy;
window.idle = idle ? (window.idle || 0) + 1 : 0;
return window.idle > 4"""
SCREENS = ((1280, False), (1280, True), (400, False), (400, True))  # width, dark


def axe_source(folder: Path) -> str:
    """Fetch axe-core by npm."""
    subprocess.run(["npm", "pack", "--silent", AXE], cwd=folder, check=True, capture_output=True)
    subprocess.run(["tar", "xzf", next(folder.glob("axe-core-*.tgz")).name], cwd=folder, check=True)
    return (folder / "package" / "axe.min.js").read_text(encoding="utf-8")


def own_pages(folder: Path) -> tuple[list[Path], Path]:
    """Make one of each kind of page that t2vid writes, from bundled data; give the run among them, too."""
    import t2vid
    from t2vid import demo, samples
    from t2vid.pages.batch import inspect
    from t2vid.pages.cases import describe
    from t2vid.pages.dataset import report
    from t2vid.pages.scores import report as scores
    from t2vid.pages.side_by_side import compare_datasets
    from t2vid.pages.sweep import sweep
    from t2vid.trainer.mcq import ShownAnswer
    from t2vid.trainer.shown import log_answers

    report("t2vid/mix", "sample", out=folder / "report.html", embedder="tfidf")
    with_few = ["dataset_config=sample", "max_frames=4"]
    inspect("t2vid/mix", overrides=with_few, out=folder / "batch.html")
    compare_datasets("t2vid/mix", "t2vid/synthetic", out=folder / "both.html", embedder="tfidf")
    rows = [q for q in samples.questions() if q["video"]][:6]
    asked = folder / "asked" / "questions.jsonl"
    asked.parent.mkdir()
    asked.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (asked.parent / "clips").symlink_to(samples.ROOT / "clips")
    runs = [
        t2vid.evaluate(
            lambda ask, said=said: said,
            "t2vid/questions",
            data_dir=asked.parent,
            out=folder / name,
            name=name,
        )
        for name, said in (("says B", "The answer is B."), ("says nothing", "A man is walking."))
    ]
    scores(runs, format="html", out=folder / "scores.html")
    clip = next((samples.ROOT / "clips").glob("*.mp4"))
    describe({"a model": lambda ask: "A dog runs."}, [clip], out=folder / "cases.html")
    how = {"data_dir": asked.parent, "out": folder / "sweep", "frames": [1, 2]}
    sweep(lambda ask: "B", "t2vid/questions", **how)
    sheet = t2vid.render_text("A page.")[0]
    shown = ShownAnswer(question="Which?", answer="B", letter="", generation="Hm.", sheet=sheet)
    log_answers({"questions": [shown]}, step=1, folder=folder / "mcq")
    demo.demo(folder / "demo", quick=True)
    return sorted(folder.rglob("*.html")), folder / "says B"


def faults(browser: Any, address: str, source: str, *, width: int, dark: bool) -> list[str]:
    """Say what is wrong with a page on a screen."""
    from selenium.webdriver.support.wait import WebDriverWait

    from browser import emulate

    emulate(browser, width=width, dark=dark)
    browser.get(address)
    if address.startswith("http"):  # of gradio: made by its script
        WebDriverWait(browser, 60).until(lambda one: one.execute_script(SETTLED))
    browser.execute_script(source)
    browser.set_script_timeout(120)
    found = browser.execute_async_script(
        f"const done = arguments[0]; axe.run(document, {RULES}).then((r) => done(r.violations.map("
        "(v) => `${v.id}: ${v.nodes.length} (${v.nodes[0].html.slice(0, 90)})`)));"
    )
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    found += [f"cut at its edge: {words!r}" for words in browser.execute_script(CUT)]
    browser.execute_script("localStorage.clear()")  # the site keeps the scheme of its first page
    browser.get("about:blank")  # and stores another when the screen changes under an open one
    return [*found, *([f"{wide} px wide on a screen of {width}"] if wide > width else [])]


def unfound(browser: Any, site: Path) -> list[str]:
    """Paste every fifteenth message of t2vid's errors into the search; give those that it does not find."""
    import refusals
    from selenium.webdriver.support.wait import WebDriverWait

    listed = [m for rooms in refusals.messages().values() for said in rooms.values() for m in said]
    browser.set_window_size(1280, 900)
    browser.get((site / "index.html").resolve().as_uri())
    missed = []
    for message in sorted({one for one in listed if len(one.split()) > 3})[::15]:
        browser.execute_script(TYPE, message.replace("…", "clip.mp4"))
        try:
            WebDriverWait(browser, 5).until(lambda one: "errors.html" in one.execute_script(FIRST))
        except Exception:
            missed.append(message)
    return missed


def main(given: list[str]) -> int:
    """Look at the pages given, or at those of the site, one of each kind of our own and the app."""
    sys.path += [str(ROOT / "tests"), str(ROOT / "docs")]
    from browser import chromium
    from t2vid.browse.app import browse

    with tempfile.TemporaryDirectory() as place, ExitStack() as served:
        folder = Path(place)
        source = axe_source(folder)
        named, run = [Path(name) for name in given], None
        if not named:
            made, run = own_pages(folder)
            named = [ROOT / "build" / "site", *made]
        pages = [p for n in named for p in (sorted(n.rglob("*.html")) if n.is_dir() else [n])]
        pages = [p for p in pages if p.name != "404.html"]  # its addresses are those of a server
        addresses = {page.resolve().as_uri(): page.name for page in pages}
        for target, config in (("t2vid/mix", "sample"), (run, None)) if run else ():
            app = browse(target, config=config, quarantine=None, port=0)
            addresses[served.enter_context(app).url] = f"browse {target}"
        n_faults = 0
        browser = served.enter_context(chromium(folder / "profile"))
        for address, name in addresses.items():
            for width, dark in SCREENS:
                for fault in faults(browser, address, source, width=width, dark=dark):
                    n_faults += 1
                    print(f"{name} at {width} px{', dark' if dark else ''}: {fault}", flush=True)
        for message in unfound(browser, ROOT / "build" / "site") if run else ():
            n_faults += 1
            print(f"the search does not lead to the page of errors from: {message}", flush=True)
    print(f"{len(addresses)} pages, {len(SCREENS)} screens: {n_faults} faults")
    return 1 if n_faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
