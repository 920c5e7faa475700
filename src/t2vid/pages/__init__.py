"""Everything that t2vid shows as HTML: one stylesheet, one base template, pages that stand alone.

A page is one file that loads nothing from outside. To add one:

1. write `templates/NAME.html`, which extends `base.html`, imports `parts.html` and fills the
   block `content`; what comes from data is escaped by itself;
2. call `render("NAME.html", title=…, intro=…, …)` and write the text to a file.

    {% extends "base.html" %}
    {% import "parts.html" as parts %}
    {% block content %}
    {{ parts.tiles(tiles) }}
    {% call parts.section("Scores") %}
    {{ parts.table(["arm", "accuracy, %"], rows, caption="Accuracy") }}
    {{ parts.picture(sheet, alt="8 frames of clip 3", caption="What the model sees") }}
    {{ curve }}
    {% endcall %}
    {% endblock %}

`tiles` is a list of `Tile`, `sheet` any PIL image, `curve` what `line_chart` gives. `parts.html`
says what each part takes. All values must be given: a name that is missing is an error.

>>> html = render("base.html", title="Scores of <mine>", intro="12 questions.")
>>> "<h1>Scores of &lt;mine&gt;</h1>" in html and "http" not in html
True
"""

from t2vid.pages.charts import line_chart
from t2vid.pages.template import Tile, render

__all__ = ["Tile", "line_chart", "render"]
