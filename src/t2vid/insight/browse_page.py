"""The page of `t2vid browse`: on the loopback, alone, without anything from outside.

    with browse("t2vid/mix", config="sample") as server:
        print(server.url)
        server.wait()

>>> slides([], [], note="this row has no frames")
'<p class="t2v-note">this row has no frames</p>'
"""

from __future__ import annotations

import base64
import io
import os
import socket
import threading
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

from PIL import Image

from t2vid import catalog
from t2vid.catalog import Family
from t2vid.errors import InputError, T2VidError, require
from t2vid.insight.browse import (
    FLAGS,
    MAX_SHOWN,
    PAGE_ROWS,
    Browser,
    Filters,
    Page,
    Shown,
    open_rows,
)
from t2vid.models.families import family_of, frame_px, load_processor, make_tiny
from t2vid.models.rows import EncodedRow, RowEncoder

PORT = 7860
_HOST = "127.0.0.1"
_STYLE = (Path(__file__).parent / "browse.css").read_text(encoding="utf-8")
_SCRIPT = (Path(__file__).parent / "browse.js").read_text(encoding="utf-8")
# What the page itself asks for; whatever else gradio serves (files, proxies, uploads) is refused.
_ROUTES = (
    "/assets/ /static/ /svelte/ /config /theme.css /favicon.ico /manifest.json /robots.txt "
    "/gradio_api/queue/ /gradio_api/heartbeat/ /gradio_api/startup-events /gradio_api/info "
    "/gradio_api/app_id /gradio_api/reset /gradio_api/cancel"
).split()
_POLICY = (
    "default-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "worker-src 'self' blob:; frame-ancestors 'none'; form-action 'none'; base-uri 'self'"
)


class Piece(NamedTuple):
    """A run of a row's tokens: what they say, `frames`, `loss` or `context`, how many."""

    text: str
    kind: str
    n_tokens: int


class Server:
    """A page that is being served; leaving the block, or `close`, ends it.

    Args:
        app: the ASGI application.
        port: of the loopback; 0 is any free one, None `PORT` or any free one.
    """

    def __init__(self, app: Any, *, port: int | None = None) -> None:
        uvicorn = require("uvicorn", extra="browse")
        self._socket = _bound(port)
        self.url = f"http://{_HOST}:{self._socket.getsockname()[1]}/"
        config = uvicorn.Config(
            app, log_level="error", lifespan="on", timeout_graceful_shutdown=1, ws="none"
        )
        self._server = uvicorn.Server(config)
        run = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        run.start()
        self._thread = run

    def wait(self) -> None:
        """Wait for the end: `close` from another thread, or Ctrl-C, which is raised here."""
        while self._thread.is_alive():
            self._thread.join(0.2)

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


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
) -> Server:
    """Serve a page to look through the rows of a dataset, on the loopback only.

    Args:
        target: folder that `t2vid build` or `save_to_disk` wrote, a file of rows, or the name of a
            dataset, which is then streamed.
        config: config of a named dataset.
        split: its split; the first one by default.
        data_dir: folder of the videos; no file outside it is read for a row.
        processors: folders or Hub names whose prompt and loss mask are shown; tiny stand-ins of
            the paper's families by default.
        quarantine: JSON-lines file of the rows that are put aside; None keeps them in memory.
        remote: follow the URLs that rows name.
        port: of the loopback; 7860 by default, or any free one where that is taken.

    Raises:
        InputError: for a target without conversations, or a port that is taken.
        MissingFile: for a folder without rows.
        MissingExtra: when gradio is not installed.
    """
    require("gradio", extra="browse")
    rows = open_rows(target, config=config, split=split, data_dir=data_dir, remote=remote)
    browser = Browser(rows, quarantine=quarantine)
    return Server(application(browser, Encoders(processors)), port=port)


class Encoders:
    """The row encoders by family, each made when it is first asked for.

    Args:
        processors: folders or Hub names; the tiny stand-ins by default.
    """

    def __init__(self, processors: Sequence[str] = ()) -> None:
        self._makers: dict[str, Callable[[], tuple[Any, Family]]] = {}
        for name in processors:
            self._makers[Path(name).name] = lambda name=name: _loaded(name)  # type: ignore[misc]
        for family in () if processors else catalog.PAPER_FAMILIES:
            self._makers[f"{family.name} (tiny stand-in)"] = lambda f=family: _tiny(f)  # type: ignore[misc]
        self._made: dict[tuple[str, str], RowEncoder] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """What can be asked for."""
        return list(self._makers)

    def get(self, name: str, loss_on: str) -> RowEncoder:
        """Give an encoder."""
        if name not in self._makers:
            raise InputError(f"family ({name!r}) must be one of {self.names}")
        with self._lock:
            if (name, loss_on) not in self._made:
                processor, family = self._makers[name]()
                encoder = RowEncoder(processor, family=family, loss_on=loss_on)  # type: ignore[arg-type]
                self._made[name, loss_on] = encoder
            return self._made[name, loss_on]


def pieces(encoder: RowEncoder, browser: Browser, position: int) -> list[Piece]:
    """Cut what a model gets of a row into runs: frames, what the loss is on, all else.

    Frames are blank here: their number and size decide the tokens, not what they show.
    """
    made = browser.show(position)
    seen = min(made.n_seen, MAX_SHOWN)
    size = (
        frame_px(encoder.processor) if encoder.direct else made.frames[0].size if seen else (1, 1)
    )
    row = browser.row_with(position, [Image.new("RGB", size)] * seen)
    encoded = encoder(row)
    frame = encoder.frame_ids(size) if seen else encoded.ids[:0]
    decode = encoder.processor.tokenizer.decode
    out: list[Piece] = []
    at, n = 0, len(encoded.ids)
    while at < n:
        end, kind = at, "frames"
        while _frame_at(encoded, end, frame):
            end += len(frame)
        if end > at:
            text = f"{(end - at) // len(frame)} × frame"
        else:
            kind = "loss" if encoded.in_loss[at] else "context"
            while end < n and encoded.in_loss[end] == encoded.in_loss[at]:
                if _frame_at(encoded, end, frame):
                    break
                end += 1
            text = decode(encoded.ids[at:end])
        out.append(Piece(text, kind, end - at))
        at = end
    return out


def _frame_at(encoded: EncodedRow, at: int, frame: Any) -> bool:
    part = encoded.ids[at : at + len(frame)]
    return 0 < len(frame) == len(part) and bool((part == frame).all())


def application(browser: Browser, encoders: Encoders) -> Any:
    """Give the ASGI application: the page of gradio behind a gate."""
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
        server_name=_HOST,
        allowed_paths=[],
        footer_links=[],
        ssr_mode=False,
        pwa=False,
        show_error=True,
        theme=theme,
        css=_STYLE,
    )
    return Gate(app)


class Gate:
    """Lets through what the page needs, from this machine's own browser, and nothing else.

    Args:
        app: the application behind it.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer or refuse a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        reason = refusal(scope)
        if reason:
            body = reason.encode()
            await send({"type": "http.response.start", "status": 403, "headers": _headers([])})
            await send({"type": "http.response.body", "body": body})
            return

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _headers(message["headers"])}
            await send(message)

        await self._app(scope, receive, guarded)


def refusal(scope: Any) -> str:
    """Say why a request is refused; "" lets it through.

    Args:
        scope: of the request, as ASGI gives it.
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    # A name that a stranger's server points at 127.0.0.1 would give it this page's contents.
    if urlsplit(f"//{headers.get(b'host', '')}").hostname not in (_HOST, "localhost"):
        return "this page answers to 127.0.0.1 alone"
    origin = headers.get(b"origin")
    if origin is not None and urlsplit(origin).netloc != headers.get(b"host"):
        return "another page may not ask this one"
    path = scope["path"]
    if ".." in path or "\\" in path or not (path == "/" or path.startswith(tuple(_ROUTES))):
        return "not served"
    return ""


def _headers(given: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    ours = {
        b"content-security-policy": _POLICY.encode(),
        b"referrer-policy": b"no-referrer",
        b"x-content-type-options": b"nosniff",
    }
    return [pair for pair in given if pair[0].lower() not in ours] + list(ours.items())


def _blocks(gradio: Any, browser: Browser, encoders: Encoders) -> Any:
    """Lay out the page and connect it."""
    name = browser.rows.name
    families = [(family, family) for family in encoders.names]
    blocks = gradio.Blocks(analytics_enabled=False, title=f"t2vid browse {name}", fill_width=True)
    with blocks:
        gradio.HTML(f"<h1 class='t2v-title'>{escape(name)}</h1>")
        with gradio.Row():
            with gradio.Column(scale=2, min_width=300):
                with gradio.Row():
                    sources = [("all sources", ""), *((s, s) for s in browser.sources)]
                    source = gradio.Dropdown(sources, value="", label="Source")
                    flag = gradio.Dropdown(
                        [("any", ""), *((f, f) for f in FLAGS)], value="", label="Flag"
                    )
                with gradio.Row():
                    low = gradio.Number(0, label="Frames, at least", precision=0, minimum=0)
                    high = gradio.Number(0, label="At most (0: any)", precision=0, minimum=0)
                listed = gradio.Radio([], label="Rows", elem_classes="t2v-rows")
                with gradio.Row(elem_classes="t2v-pages"):
                    back = gradio.Button("Previous", size="sm", min_width=80)
                    number = gradio.Number(1, label="Page", precision=0, minimum=1, min_width=80)
                    on = gradio.Button("Next", size="sm", min_width=80)
                status = gradio.HTML()
            with gradio.Column(scale=3, min_width=320):
                frames = gradio.HTML(js_on_load=_SCRIPT, label="Frames")
                mark = gradio.Button("Put this row in quarantine", variant="stop", size="sm")
                talk = gradio.HTML()
                with gradio.Row():
                    family = gradio.Dropdown(families, label="Prompt and loss mask of")
                    loss_on = gradio.Dropdown(["answer", "conversation"], label="Loss on")
                mask = gradio.HTML()
                export = gradio.HTML(_export(browser))

        def turn_page(number: Any, source: str, low: Any, high: Any, flag: str) -> Any:
            filters = _filters(source, low, high, flag)
            page = browser.page(_whole(number, 1) - 1, filters)
            choices = [(browser.line(i), i) for i in page.positions]
            first = page.positions[0] if page.positions else None
            return gradio.Radio(choices, value=first), _status(browser, page, filters)

        def show(position: Any) -> Any:
            if position is None:
                return slides([], [], note="no row to show"), "", "Put this row in quarantine"
            made = browser.show(position)
            return frames_html(made), _talk(browser, position), _verb(browser, position)

        def show_mask(position: Any, family: str, loss_on: str) -> str:
            return "" if position is None else _mask(encoders, browser, position, family, loss_on)

        def toggle(position: Any, *asked: Any) -> Any:
            if position is None:
                raise gradio.Error("choose a row first", print_exception=False)
            browser.mark(position)
            rows, _ = turn_page(*asked)
            rows = gradio.Radio(rows.choices, value=position)
            return rows, _verb(browser, position), _export(browser)

        def forward(number: Any, *asked: Any) -> int:
            page = browser.page(_whole(number, 1) - 1, _filters(*asked))
            full = len(page.positions) == PAGE_ROWS
            return _whole(number, 1) + (1 if full and page.more else 0)

        asked = [number, source, low, high, flag]
        steps = [back.click(lambda n: max(1, _whole(n, 1) - 1), number, number, api_name=False)]
        steps += [on.click(forward, asked, number, api_name=False)]
        for box in (source, low, high, flag):
            steps.append(box.input(lambda: 1, None, number, api_name=False))
        blocks.load(turn_page, asked, [listed, status], api_name="page")
        for event in (number.input, *(step.then for step in steps)):
            event(turn_page, asked, [listed, status], api_name=False)
        shown = listed.change(show, listed, [frames, talk, mark], api_name="show")
        shown.then(show_mask, [listed, family, loss_on], mask, api_name=False)
        for choice in (family, loss_on):
            choice.input(show_mask, [listed, family, loss_on], mask, api_name="mask")
        mark.click(toggle, [listed, *asked], [listed, mark, export], api_name=False)
    return blocks


def slides(pictures: Sequence[str], captions: Sequence[str], *, note: str = "") -> str:
    """Give a slide show as HTML.

    Args:
        pictures: data URIs.
        captions: of each.
        note: shown below, or alone where there are no pictures.
    """
    below = f'<p class="t2v-note">{escape(note)}</p>' if note else ""
    if not pictures:
        return below
    figures = "".join(
        f'<figure{"" if i == 0 else " hidden"}><img src="{uri}" alt="{escape(text, quote=True)}">'
        f"<figcaption>{escape(text)}</figcaption></figure>"
        for i, (uri, text) in enumerate(zip(pictures, captions, strict=True))
    )
    buttons = "".join(
        f'<button type="button" data-do="{do}">{label}</button>'
        for do, label in (("back", "Back"), ("play", "Play"), ("on", "On"))
    )
    return (
        f'<div class="t2v-show" role="group" aria-label="Frames" tabindex="0">{figures}'
        f'<div class="t2v-buttons">{buttons}<span aria-live="polite">1 / {len(pictures)}</span>'
        f"</div>{below}</div>"
    )


def frames_html(made: Shown) -> str:
    """Give the frames of a row as a slide show."""
    return slides([_uri(frame) for frame in made.frames], made.captions, note=made.note)


def _uri(frame: Image.Image) -> str:
    out = io.BytesIO()
    frame.convert("RGB").save(out, "webp", quality=80, method=1)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def _talk(browser: Browser, position: int) -> str:
    flags = "".join(
        f"<li><b>{escape(name)}</b>: {escape(FLAGS[name])}</li>" for name in browser.flags(position)
    )
    turns = "".join(
        f'<div class="t2v-turn"><b>{escape(role)}</b><div>{escape(_bounded(text))}</div></div>'
        for role, text in browser.turns(position)
    )
    return f'<ul class="t2v-flags">{flags}</ul>{turns}'


def _mask(encoders: Encoders, browser: Browser, position: int, family: str, loss_on: str) -> str:
    try:
        found = pieces(encoders.get(family, loss_on), browser, position)
    except (T2VidError, OSError) as error:
        return f'<p class="t2v-note">{escape(str(error))}</p>'
    total = {kind: sum(p.n_tokens for p in found if p.kind == kind) for kind in _KINDS}
    head = ", ".join(f"{n:,} {_KINDS[kind]}" for kind, n in total.items())
    runs = "".join(
        f'<mark class="t2v-{piece.kind}" title="{piece.n_tokens:,} tokens">'
        f"{escape(_bounded(piece.text))}</mark>"
        for piece in found
    )
    return f'<p class="t2v-note">tokens: {head}</p><div class="t2v-mask">{runs}</div>'


_KINDS = {"loss": "in the loss (underlined)", "frames": "of frames", "context": "of context"}
_MAX_CHARS = 20_000


def _bounded(text: str) -> str:
    if len(text) <= _MAX_CHARS:
        return text
    return f"{text[:_MAX_CHARS]}… ({len(text) - _MAX_CHARS:,} more characters)"


def _status(browser: Browser, page: Page, filters: Filters) -> str:
    total = browser.rows.total
    size = "a stream of rows" if total is None else f"{total:,} rows"
    looked = f", {page.looked:,} looked at" if filters != Filters() else ""
    further = "; Next looks further" if page.more else "; this is the last page"
    return f'<p class="t2v-note">{size}{looked}{further}</p>'


def _verb(browser: Browser, position: int) -> str:
    return "Take it back" if browser.is_marked(position) else "Put this row in quarantine"


def _export(browser: Browser) -> str:
    text = browser.export()
    if not text:
        return '<p class="t2v-note">no row is in quarantine</p>'
    where = "" if browser.path is None else f", also in {browser.path}"
    link = f"data:application/jsonl;charset=utf-8,{quote(text)}"
    n = text.count("\n")
    rows = "row is" if n == 1 else "rows are"
    return (
        f'<p class="t2v-note">{n:,} {rows} in quarantine{escape(where)}: '
        f'<a download="quarantine.jsonl" href="{link}">export as JSON lines</a></p>'
    )


def _filters(source: str, low: Any, high: Any, flag: str) -> Filters:
    return Filters(source or "", _whole(low, 0), _whole(high, 0) or None, flag or "")


def _whole(value: Any, least: int) -> int:
    return max(least, int(value or least))


def _bound(port: int | None) -> socket.socket:
    """Give a socket on the loopback."""
    for tried in (PORT, 0) if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, tried))
            listener.listen()  # so that nobody is turned away before the server's thread runs
            return listener
        except (OSError, OverflowError) as error:
            listener.close()
            reason = error
    raise InputError(f"port ({port}) cannot be used: {reason}; give another one, or 0")


def _tiny(family: Family) -> tuple[Any, Family]:
    from t2vid import samples

    _, processor = make_tiny(family)([row["context"] for row in samples.texts()])
    return processor, family


def _loaded(name: str) -> tuple[Any, Family]:
    transformers = require("transformers", extra="train")
    config = transformers.AutoConfig.from_pretrained(name)
    return load_processor(name), family_of(config)
