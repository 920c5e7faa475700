"""How a template becomes a page: jinja2 with escaping on, and the few filters that pages share.

>>> part = environment().from_string("{{ 1234 | cell }} {{ 0.5 | cell }} {{ '<b>' }}")
>>> part.render()
'1,234 0.5 &lt;b&gt;'
"""

from __future__ import annotations

import base64
import functools
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jinja2
from markupsafe import Markup
from PIL import Image

from t2vid._version import __version__
from t2vid.evaluation.tables import cell_text

_HERE = Path(__file__).parent
_INTERVAL = re.compile(r"(\[[\d.−-]+), ")


@dataclass(frozen=True)
class Tile:
    """A big figure with its name and, where it needs one, an explanation.

    Attributes:
        value: the figure as it is read, such as `"53.1 %"`.
        label: what it is.
        about: what it means and from where it should worry; shown below.
        state: `"fine"` or `"look"` where a threshold judges it; `""` where none does.
    """

    value: str
    label: str
    about: str = ""
    state: Literal["", "fine", "look"] = ""


def render(template: str, **values: Any) -> str:
    """Fill a template.

    Args:
        template: file name below `templates/`.
        **values: what it names; a page takes `title`, and may take `intro` (a sentence) and
            `contents` (`{anchor: title}` of the sections to link to).

    Returns:
        The HTML; for a page the whole document.
    """
    return environment().get_template(template).render(**values)


@functools.cache
def environment() -> jinja2.Environment:
    """Give the environment that all pages share."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    made.filters.update(cell=_cell, is_numeric=_is_numeric, data_uri=data_uri)
    # the stylesheet and the scripts are ours, so they are not escaped
    made.globals.update(style=_asset("page.css"), script=_asset, version=__version__)
    return made


def data_uri(image: Image.Image, quality: int | None = None) -> str:
    """Give an image as a WebP `data:` address.

    Args:
        image: any PIL image.
        quality: 0 to 100 for a smaller, lossy picture; None keeps every pixel.
    """
    file = io.BytesIO()
    if quality is None:
        image.save(file, "webp", lossless=True, method=4)
    else:
        image.convert("RGB").save(file, "webp", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def _asset(name: str) -> Markup:
    return Markup((_HERE / name).read_text(encoding="utf-8"))  # noqa: S704  (a file of this package)


def _cell(value: object) -> str:
    if isinstance(value, Markup):
        return value
    text = value if isinstance(value, str) else cell_text(value)
    return _INTERVAL.sub("\\1,\u00a0", text)  # no line ends inside an interval


def _is_numeric(rows: Sequence[Sequence[object]], column: int) -> bool:
    """Say whether a column holds numbers only, to be set flush right."""
    return bool(rows) and all(isinstance(row[column], int | float) for row in rows)
