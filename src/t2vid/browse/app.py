"""The page of `t2vid browse`: on the loopback, alone, without anything from outside.

    with browse("t2vid/mix", config="sample") as server:
        print(server.url)
        server.wait()

>>> frames_html(ShownFrames([], [], 0, "this row has no frames"))
'<p class="t2v-note">this row has no frames</p>\\n'
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from t2vid.browse.browser import ALL_ROWS, PAGE_ROWS, Browser, RowFilters, RowList
from t2vid.browse.encoders import Encoders, mask_runs
from t2vid.browse.flags import FLAGS
from t2vid.browse.frames import ShownFrames
from t2vid.browse.rows import open_rows
from t2vid.browse.server import HOST, PORT, Gate, Server, is_loopback
from t2vid.errors import T2VidError, require
from t2vid.pages import render

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_STYLE = (_HERE / "browse.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "browse.js").read_text(encoding="utf-8")
_MAX_CHARS = 20_000  # of a turn, or of a run of tokens
_KINDS = {"loss": "in the loss (underlined)", "frame": "of frames", "seen": "of context"}
_KEYS = "Keys: J next row, K previous row, X quarantine, P play; arrows step through the frames."


def browse(
    target: str | Path,
    *,
    config: str | None = None,
    split: str | None = None,
    data_dir: str | Path | None = None,
    processors: Sequence[str] = (),
    quarantine: str | Path | None = "quarantine.jsonl",
    remote: bool = False,
    port: int | None = None,
    host: str = HOST,
) -> Server:
    """Serve a page to look through the rows of a dataset, or the answers of a run.

    Args:
        target: folder that `t2vid build` or `save_to_disk` wrote, a file of rows, the folder of a
            run of `t2vid eval`, or the name of a dataset, which is then streamed.
        config: config of a named dataset.
        split: its split; the first one by default.
        data_dir: folder of the videos; no file outside it is read for a row.
        processors: folders or Hub names whose prompt and loss mask are shown; tiny stand-ins of
            the paper's families by default.
        quarantine: JSON-lines file of the rows that are put aside.
        remote: follow the URLs that rows name.
        port: 7860 by default, or any free one where that is taken.
        host: whom to answer: the loopback alone by default; `0.0.0.0` answers everybody who reaches
            this machine, without a password.

    Raises:
        InputError: for a target without conversations, or a port that is taken.
        MissingFile: for a folder without rows.
        MissingExtra: when gradio is not installed.
    """
    require("gradio", extra="browse")
    rows = open_rows(target, config=config, split=split, data_dir=data_dir, remote=remote)
    browser = Browser(rows, quarantine=quarantine)
    if not is_loopback(host):
        logger.warning(
            "everybody who reaches %s sees these rows, frames and answers, without a password; "
            "leave --host away and tunnel instead: ssh -L %s:127.0.0.1:%s USER@THIS_MACHINE",
            host,
            port or PORT,
            port or PORT,
        )
    return Server(
        application(browser, Encoders(processors), public=not is_loopback(host)),
        port=port,
        host=host,
    )


def application(browser: Browser, encoders: Encoders, *, public: bool = False) -> Any:
    """Give the ASGI application: the page of gradio behind a gate.

    Args:
        browser: of the rows.
        encoders: of the prompts shown.
        public: answer requests that name another machine than this one.
    """
    fastapi = require("fastapi", extra="browse")
    gradio = require("gradio", extra="browse")
    # Read at import by parts of gradio that would otherwise call home.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Fonts by name would be asked of Google: the browser's own do.
    theme = gradio.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"])
    app = gradio.mount_gradio_app(
        fastapi.FastAPI(openapi_url=None, docs_url=None, redoc_url=None),
        _blocks(gradio, browser, encoders),
        path="/",
        server_name=HOST,
        allowed_paths=[],
        footer_links=[],
        ssr_mode=False,
        pwa=False,
        show_error=True,
        theme=theme,
        css=_STYLE,
    )
    return Gate(app, public=public)


def _blocks(gradio: Any, browser: Browser, encoders: Encoders) -> Any:
    """Lay out the page and connect it."""
    name = browser.rows.name
    families = [(family, family) for family in encoders.names]
    blocks = gradio.Blocks(analytics_enabled=False, title=f"{name} · t2vid browse", fill_width=True)
    with blocks:
        gradio.HTML(_part("title", dataset=name, keys=_KEYS))
        with gradio.Row():
            with gradio.Column(scale=2, min_width=300):
                words = gradio.Textbox(
                    label="Words in the row", placeholder="all of them, in any order", max_lines=1
                )
                with gradio.Row():
                    sources = [("all sources", ""), *((s, s) for s in browser.sources)]
                    source = gradio.Dropdown(sources, value="", label="Source")
                    flags = gradio.Dropdown(
                        list(FLAGS), value=[], multiselect=True, label="Flags, all of them"
                    )
                with gradio.Row():
                    low = gradio.Number(0, label="Frames, at least", precision=0, minimum=0)
                    high = gradio.Number(0, label="At most (0: any)", precision=0, minimum=0)
                listed = gradio.Radio([], label="Rows", elem_classes="t2v-rows")
                with gradio.Row(elem_classes="t2v-pages"):
                    back = gradio.Button("Previous", size="sm", min_width=80, elem_id="t2v-back")
                    number = gradio.Number(1, label="Page", precision=0, minimum=1, min_width=80)
                    on = gradio.Button("Next", size="sm", min_width=80, elem_id="t2v-next")
                status = gradio.HTML()
            with gradio.Column(scale=3, min_width=320):
                frames = gradio.HTML(js_on_load=_SCRIPT, label="Frames")
                mark = gradio.Button(_verb(False), variant="stop", size="sm", elem_id="t2v-mark")
                talk = gradio.HTML()
                with gradio.Row():
                    family = gradio.Dropdown(families, label="Prompt and loss mask of")
                    loss_on = gradio.Dropdown(["answer", "conversation"], label="Loss on")
                mask = gradio.HTML()
                export = gradio.HTML(export_html(browser))

        def lines(page: RowList) -> list[tuple[str, int]]:
            return [(browser.line(position), position) for position in page.positions]

        def turn_page(number: Any, *asked: Any) -> Iterator[Any]:
            filters, seen = _filters(*asked), None
            for page in browser.pages(_whole(number, 1) - 1, filters):
                rows = gradio.skip()
                if page.positions != seen:
                    rows = {"choices": lines(page)}
                    if not seen:  # later the choice is the reader's
                        rows["value"] = page.positions[0] if page.positions else None
                    rows = gradio.Radio(**rows)
                seen = page.positions
                yield rows, _status(browser, page, filters)

        def show(position: Any) -> Any:
            if position is None:
                return frames_html(ShownFrames([], [], 0, "no row to show")), "", _verb(False)
            made = browser.show(position)
            return (
                frames_html(made),
                talk_html(browser, position),
                _verb(browser.is_marked(position)),
            )

        def show_mask(position: Any, family: str, loss_on: str) -> str:
            return (
                "" if position is None else mask_html(encoders, browser, position, family, loss_on)
            )

        def toggle(position: Any, *asked: Any) -> Any:
            if position is None:
                raise gradio.Error("choose a row first", print_exception=False)
            aside = browser.mark(position)
            number, *filters = asked
            page = browser.page(_whole(number, 1) - 1, _filters(*filters))
            rows = gradio.Radio(lines(page), value=position)
            return rows, _verb(aside), export_html(browser)

        def forward(number: Any, *asked: Any) -> int:
            page = browser.page(_whole(number, 1) - 1, _filters(*asked))
            full = len(page.positions) == PAGE_ROWS
            return _whole(number, 1) + (1 if full and page.more else 0)

        asked = [number, words, source, low, high, flags]
        steps = [back.click(lambda n: max(1, _whole(n, 1) - 1), number, number, api_name=False)]
        steps += [on.click(forward, asked, number, api_name=False)]
        for box in (source, low, high, flags):
            steps.append(box.input(lambda: 1, None, number, api_name=False))
        steps.append(words.submit(lambda: 1, None, number, api_name=False))
        steps.append(words.blur(lambda: 1, None, number, api_name=False))
        # a page that fills ends when another is asked for, which must not wait for it
        at_once: dict[str, Any] = {"concurrency_limit": None}
        blocks.load(turn_page, asked, [listed, status], api_name="page", **at_once)
        for event in (number.input, *(step.then for step in steps)):
            event(turn_page, asked, [listed, status], api_name=False, **at_once)
        shown = listed.change(show, listed, [frames, talk, mark], api_name="show")
        shown.then(show_mask, [listed, family, loss_on], mask, api_name=False)
        for choice in (family, loss_on):
            choice.input(show_mask, [listed, family, loss_on], mask, api_name="mask")
        mark.click(toggle, [listed, *asked], [listed, mark, export], api_name=False)
    return blocks


def frames_html(made: ShownFrames) -> str:
    """Give the frames of a row as a slide show; what is not shown is said below, or alone."""
    return _part("slides", frames=made.frames, captions=made.captions, note=made.note)


def talk_html(browser: Browser, position: int) -> str:
    """Give what is said in a row, and what its flags mean."""
    turns = [(role, _bounded(text)) for role, text in browser.turns(position)]
    flags = {name: FLAGS[name] for name in browser.flags(position)}
    return _part("talk", turns=turns, flags=flags)


def mask_html(
    encoders: Encoders, browser: Browser, position: int, family: str, loss_on: str
) -> str:
    """Give the prompt of a row as a family gets it, with the loss marked."""
    try:
        found = mask_runs(encoders.get(family, loss_on), browser, position)
    except (T2VidError, OSError) as error:
        return _part("note", text=str(error))
    total = {
        said: sum(run.n_tokens for run in found if run.kind == kind)
        for kind, said in _KINDS.items()
    }
    return _part("mask", total=total, runs=[run._replace(text=_bounded(run.text)) for run in found])


def export_html(browser: Browser) -> str:
    """Give the link to the rows in quarantine."""
    text, n = browser.quarantine.to_json_lines(), len(browser.quarantine)
    link = f"data:application/jsonl;charset=utf-8,{quote(text)}"
    return _part("export", n=n, path=browser.quarantine.path, link=link)


def _part(name: str, **values: Any) -> str:
    return render("browse.html", part=name, **values)


def _status(browser: Browser, page: RowList, filters: RowFilters) -> str:
    total = browser.rows.total
    size = "a stream of rows" if total is None else f"{total:,} rows"
    looked = ""
    if filters != ALL_ROWS:
        looked = f", {page.looked:,} looked at"
        if page.total is not None:
            size, looked = f"{page.total:,} of {size}", ""
    full = len(page.positions) == PAGE_ROWS
    on = (
        "there are more"
        if full
        else "looking on"
        if browser.rows.random_access
        else "Next looks further"
    )
    further = f"; {on}" if page.more else "; this is the last page"
    return _part("note", text=f"{size}{looked}{further}")


def _verb(aside: bool) -> str:
    return "Take it back" if aside else "Put this row in quarantine"


def _filters(words: str, source: str, low: Any, high: Any, flags: Sequence[str]) -> RowFilters:
    most = _whole(high, 0) or None
    return RowFilters(words.strip(), source or "", _whole(low, 0), most, tuple(flags or ()))


def _whole(value: Any, least: int) -> int:
    return max(least, int(value or least))


def _bounded(text: str) -> str:
    if len(text) <= _MAX_CHARS:
        return text
    return f"{text[:_MAX_CHARS]}… ({len(text) - _MAX_CHARS:,} more characters)"
