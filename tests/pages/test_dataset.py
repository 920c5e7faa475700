"""The page of a dataset, as a browser shows it: by mouse, by keyboard, without any network."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from typing import Literal

import numpy as np
import pytest
from datasets import Dataset, load_dataset
from PIL import Image

from browser import chromium, emulate
from t2vid import cli, insight, samples
from t2vid.catalog import TOKENS_PER_FRAME
from t2vid.errors import InputError
from t2vid.insight.budgets import RowLimits, dropped
from t2vid.insight.findings import METRICS
from t2vid.mixing.build import build
from t2vid.pages.dataset import report
from t2vid.schema import messages

ATTACK = "</script><script>document.title = 'attacked'</script><!--"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    build("sample", data=samples.ROOT, out=folder / "mix")
    return report(folder / "mix", out=folder / "page.html")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def page(browser, written):
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    emulate(browser, width=1100)
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(written.page.as_uri())
    return browser


def by_id(page, name):
    return page.find_element("id", name)


def text_of(page, name) -> str:
    return page.execute_script("return document.getElementById(arguments[0]).textContent", name)


def shown(page) -> str:
    return text_of(page, "map-count").split(" ")[0]


def press(page, *keys) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page).send_keys(*keys).perform()


# The page in a browser.


def test_it_runs_without_a_word_on_the_console_and_asks_for_nothing(page, written):
    assert page.get_log("browser") == []
    asked = [
        message["params"]["request"]["url"]
        for entry in page.get_log("performance")
        if (message := json.loads(entry["message"])["message"])["method"]
        == "Network.requestWillBeSent"
    ]
    outside = [url for url in asked if not url.startswith("data:")]
    assert outside == [written.page.as_uri()]
    script = "return performance.getEntriesByType('resource').map(e => e.name)"
    assert [url for url in page.execute_script(script) if not url.startswith("data:")] == []


def test_hovering_over_a_point_shows_its_instruction(page, written):
    from selenium.webdriver import ActionChains

    canvas = by_id(page, "map")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    # where the page puts the first point, as its script does
    found = page.execute_script("""
        const data = JSON.parse(document.getElementById("data").textContent).map;
        const canvas = document.getElementById("map");
        const [width, height] = [canvas.clientWidth, canvas.clientHeight];
        const scale = Math.min((width - 28) / data.width, (height - 28) / data.height);
        return [(width - scale * data.width) / 2 + scale * data.x[0] - width / 2,
                (height - scale * data.height) / 2 + scale * data.y[0] - height / 2,
                data.texts[data.text[0]]];""")
    ActionChains(page).move_to_element_with_offset(
        canvas, round(found[0]), round(found[1])
    ).perform()
    assert by_id(page, "map-said").is_displayed()
    assert found[2] in text_of(page, "map-said")
    assert found[2] in [" ".join(text.split())[:400] for text in written.findings.map.texts]
    ActionChains(page).move_to_element(page.find_element("tag name", "h1")).perform()
    assert not by_id(page, "map-said").is_displayed()


def test_arrow_keys_go_from_point_to_point(page):
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.getElementById('map').focus()")
    press(page, Keys.HOME)
    said = {text_of(page, "map-said")}
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ARROW_UP):
        press(page, key)
        said.add(text_of(page, "map-said"))
    assert len(said) >= 3
    assert by_id(page, "map-said").get_attribute("role") == "status"
    press(page, Keys.ESCAPE)
    assert not by_id(page, "map-said").is_displayed()


def test_sources_and_words_filter_the_map(page, written):
    labels, texts = written.findings.map.labels, written.findings.map.texts
    assert shown(page) == str(len(texts))
    names = written.findings.rows.names()
    page.find_element("css selector", "[data-source='0']").click()
    assert shown(page) == str(len(texts) - labels.count(names[0]))
    word = max(re.findall(r"[a-z]{4,}", " ".join(texts).lower()), key=len)
    by_id(page, "map-words").send_keys(word)
    rest = [
        text
        for text, label in zip(texts, labels, strict=True)
        if label != names[0] and word in text.lower()
    ]
    assert shown(page) == str(len(rest))


def test_the_map_is_drawn_and_loses_the_points_that_are_filtered(page):
    ink = """const c = document.getElementById("map"), w = c.width, h = c.height;
             const d = c.getContext("2d").getImageData(0, 0, w, h).data; let n = 0;
             for (let i = 0; i < d.length; i += 4) n += Math.abs(d[i] - d[i + 2]) > 40;
             return n;"""
    before = page.execute_script(ink)
    page.find_element("css selector", "[data-source='0']").click()
    assert before > page.execute_script(ink) > 0


def drops(page) -> dict[str, list[int]]:
    lines = page.find_elements("css selector", "#drops tbody tr")
    cells = [[cell.text for cell in line.find_elements("css selector", "th, td")] for line in lines]
    return {name: [int(c.split(" ")[0].replace(",", "")) for c in rest] for name, *rest in cells}


def expected(written, limits: RowLimits) -> dict[str, list[int]]:
    found = dropped(written.findings.rows, limits)
    return {name: [one.n, one.over_frames, *one.over.values()] for name, one in found.items()}


def fill(page, name: str, value: object) -> None:
    from selenium.webdriver.common.keys import Keys

    field = by_id(page, name)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.BACKSPACE if value is None else str(value))


def test_thresholds_count_what_they_would_drop(page, written):
    start = written.findings.limits
    assert drops(page) == expected(written, start)
    for limits in (RowLimits(8, 8192, None), RowLimits(None, 1200, 4), RowLimits(3, None, 2)):
        fill(page, "max-frames", limits.max_frames)
        fill(page, "max-tokens", limits.max_tokens)
        fill(page, "video-frames", limits.video_frames)
        assert drops(page) == expected(written, limits)
        assert drops(page)["all"][2:] != [0] * len(TOKENS_PER_FRAME)
        total = expected(written, limits)["all"][2]
        assert f"minicpm {total} (" in text_of(page, "drops-said")


def test_sliders_and_the_papers_filters_set_the_same_limits(page, written):
    from selenium.webdriver.common.keys import Keys

    page.find_element("css selector", "[data-preset=idefics3]").click()
    assert by_id(page, "max-frames").get_property("value") == "65"
    assert drops(page) == expected(
        written, RowLimits(65, 10_240, written.findings.limits.video_frames)
    )
    slider = page.find_element("css selector", "[data-for=max-frames]")
    assert slider.get_property("value") == "65"
    slider.send_keys(Keys.HOME)
    assert by_id(page, "max-frames").get_property("value") == "1"
    assert (
        drops(page)["all"][1]
        == expected(written, RowLimits(max_frames=1, video_frames=24))["all"][1]
    )


def test_every_measure_is_drawn_on_both_scales(page):
    measures = page.find_elements("css selector", "#measure option")
    assert len(measures) == 4 + 2 * len(TOKENS_PER_FRAME)
    seen = set()
    for log in (False, True):
        page.execute_script(
            "document.getElementsByName('scale')[arguments[0]].click()", 1 if log else 0
        )
        for option in measures:
            option.click()
            label = page.execute_script(
                "return document.querySelector('#chart svg').getAttribute('aria-label')"
            )
            picture = page.execute_script("return document.querySelector('#chart').innerHTML")
            assert label.startswith("Distribution of ") and "NaN" not in picture
            seen.add(picture)
    assert len(seen) == 2 * len(measures)
    assert page.get_log("browser") == []


def test_tab_reaches_every_control_in_reading_order(page):
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    order = []
    for _ in range(120):
        press(page, Keys.TAB)
        focused = page.execute_script(
            """const e = document.activeElement; if (e === document.body) return null;
               return [e.id || e.dataset.for || e.dataset.preset || e.dataset.source || e.textContent,
                       e.getBoundingClientRect().top + scrollY];"""
        )
        if focused is None:
            break
        order.append(focused)
    names = [name for name, _ in order]
    assert names[0] == "To the content"
    wanted = ["0", "map-words", "map", "measure", "max-frames", "max-tokens", "minicpm"]
    places = [names.index(name) for name in wanted]
    assert places == sorted(places)
    # nobody is thrown up the page; controls of one line may differ a little in height
    tops = [top for _, top in order[1:]]
    assert all(after > before - 60 for before, after in zip(tops, tops[1:], strict=False))


def test_it_fits_a_phone_and_follows_the_colour_scheme_and_the_printer(page):
    def back() -> str:
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = back()
    emulate(page, width=400, dark=True)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 400
    dark = back()
    assert sum(map(int, re.findall(r"\d+", light)[:3])) > 700
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 120
    emulate(page, width=1100, dark=True, print_=True)
    assert back() == "rgb(255, 255, 255)"
    hidden = "return getComputedStyle(document.querySelector('nav')).display"
    assert page.execute_script(hidden) == "none"
    assert page.get_log("browser") == []


# The file, without a browser.


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.levels, self.ids, self.links, self.labelled = [], [], [], []
        self.pictures, self.controls = [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if re.fullmatch(r"h\d", tag):
            self.levels.append(int(tag[1]))
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named[key] for key in ("src", "href", "srcset", "action") if key in named]
        self.pictures += [named.get("alt")] if tag == "img" else []
        self.labelled += named.get("aria-describedby", "").split()
        self.labelled += named.get("aria-labelledby", "").split()


def test_it_is_one_file_whose_headings_and_pictures_can_be_read_out(written):
    html = written.page.read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(html)
    assert len(html.encode()) < 5_000_000
    assert outline.levels[0] == 1 and outline.levels.count(1) == 1
    steps = zip(outline.levels, outline.levels[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert all(outline.pictures) and len(outline.pictures) >= 16
    assert len(set(outline.ids)) == len(outline.ids)
    assert set(outline.labelled) <= set(outline.ids)
    # nothing is loaded; the pictures for a paper, beside the page, are links
    beside = [link for link in outline.links if not link.startswith(("data:", "#"))]
    assert beside and all((written.page.parent / link).is_file() for link in beside)
    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp|import\(", html)


def test_both_kinds_of_frames_are_on_it(written):
    html = written.page.read_text(encoding="utf-8")
    assert "Page of text from texts/" in html and "Video frame from clips/" in html


def test_it_tells_recipe_counts_and_licences(written):
    html = written.page.read_text(encoding="utf-8")
    found = written.findings
    assert found.subject.recipe.hash in html and found.subject.sha256 in html
    assert "dataset: t2vid/synthetic" in html and "apache-2.0" in html


def test_the_same_figures_lie_beside_it_as_png_and_json(written):
    figures = json.loads((written.folder / "figures.json").read_text(encoding="utf-8"))
    assert (
        figures["rows"]
        == len(written.findings.rows)
        == sum(one["n"] for one in figures["sources"].values())
    )
    assert set(figures["metrics"]) == set(METRICS)
    assert len(figures["diversity"]["points"]) == figures["rows"]
    names = {path.name for path in written.folder.glob("*.png")}
    wanted = {"map", "frames", "durations", "words-a-frame", "text-tokens", "visual-tokens"}
    assert names == {f"{name}.png" for name in wanted | {"sheet-texts", "sheet-clips"}}
    assert {path.stem for path in written.folder.glob("*.svg")} == wanted
    for name in names:
        with Image.open(io.BytesIO((written.folder / name).read_bytes())) as image:
            assert len(image.convert("RGB").getcolors(1 << 24)) > 3


def test_the_same_dataset_gives_the_same_page(written, tmp_path):
    again = report(written.findings.subject.folder, out=tmp_path / "page.html")
    assert again.page.read_bytes() == written.page.read_bytes()
    for path in written.folder.iterdir():
        assert (again.folder / path.name).read_bytes() == path.read_bytes()


def rows_saying(texts: list[str]) -> Dataset:
    return Dataset.from_list(
        [
            {"messages": messages([("user", text), ("assistant", f"So {n}.")], n_frames=0)}
            for n, text in enumerate(texts)
        ]
    )


def test_text_from_the_data_runs_nothing(browser, tmp_path):
    written = report(rows_saying([ATTACK, "Why?", f"And {ATTACK}"]), out=tmp_path / "page.html")
    browser.get(written.page.as_uri())
    assert browser.title == "What is in dataset"
    assert browser.get_log("browser") == []
    # as words, the quoted part masked where instructions are grouped by template
    assert "document.title = …" in text_of(browser, "instructions")


@pytest.mark.parametrize("texts", [["Why?"], ["Why?", "Why?"], ["Why?", "When was it?"]])
def test_a_dataset_of_a_row_or_two_has_a_page(browser, tmp_path, texts):
    written = report(rows_saying(texts), out=tmp_path / "page.html")
    browser.get(written.page.as_uri())
    assert browser.get_log("browser") == []


def test_out_must_be_a_page(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.html"):
        report("t2vid/mix", out=tmp_path / "report")


# Pipelines and the command line.


def test_functions_win_over_the_modules_of_their_names():
    import t2vid.insight.lengths  # noqa: F401

    assert callable(insight.diversity) and callable(insight.lengths) and callable(insight.flags)


def test_a_pipeline_stops_where_a_condition_holds(tmp_path, capsys):
    rows_saying(["Describe this clip."] * 9 + ["Why?"]).save_to_disk(str(tmp_path / "rows"))
    capsys.readouterr()
    common = ["report", str(tmp_path / "rows"), "--out", str(tmp_path / "page.html")]
    conditions = ["--fail-if", "template_share>0.5", "--fail-if", "letter_share>0.5"]
    assert cli.main([*common, *conditions]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "t2vid report: template_share>0.5 (it is 0.900)"
    assert (tmp_path / "page.html").is_file()
    assert cli.main([*common, "--fail-if", "template_share > .95"]) == 0


def test_an_unknown_metric_lists_the_known_before_any_work(tmp_path, capsys):
    command = [
        "report",
        "t2vid/mix",
        "--out",
        str(tmp_path / "p.html"),
        "--fail-if",
        "templates>0.5",
    ]
    assert cli.main(command) == 2
    said = capsys.readouterr().err
    assert "'templates>0.5'" in said and all(name in said for name in METRICS)
    assert not (tmp_path / "p.html").exists()


def test_folders_of_evaluations_still_give_tables(tmp_path, monkeypatch, capsys):
    (tmp_path / "run.json").write_text("{}")
    seen = {}

    def told(runs: list[str], *, as_: Literal["runs", "paper"] = "runs") -> str:
        seen.update(runs=runs, as_=as_)
        return "| a table |"

    monkeypatch.setattr("t2vid.pages.scores.report", told)
    assert cli.main(["report", str(tmp_path), "--as", "paper"]) == 0
    assert "| a table |" in capsys.readouterr().out and seen["as_"] == "paper"
    assert cli.main(["report", str(tmp_path), "--fail-if", "vendi<2"]) == 2
    assert "--fail-if is about a dataset" in capsys.readouterr().err


def test_what_is_neither_a_run_nor_a_dataset_is_one_clear_line(tmp_path, capsys):
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "p.html")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "run.json" in said and "a dataset of t2vid" in said
    assert cli.main(["report", "t2vid/mix", "--as", "paper"]) == 2
    assert "give the out= folder of an evaluation" in capsys.readouterr().err


def test_help_shows_both_uses(capsys):
    assert cli.main(["report", "--help"]) == 0
    said = capsys.readouterr().out
    assert "t2vid report t2vid/mix sample" in said and "t2vid report runs/mvbench" in said


def test_questions_of_a_benchmark_are_found_in_the_rows(tmp_path):
    asked = "What does the man in the red coat carry across the bridge?"
    path = tmp_path / "bench.json"
    path.write_text(json.dumps([{"video": "x.mp4", "question": asked}]))
    found = report(
        rows_saying([asked, "Why?", "When?", "Where?"]),
        out=tmp_path / "page.html",
        benchmarks={"bench": path},
    ).findings
    assert found.values()["benchmark_overlap"] == 0.25
    assert "bench: 1" in next(f.says for f in found.flags if f.name == "benchmark_overlap")


def test_a_mix_by_its_name_and_its_rows_in_memory_have_the_same_figures(written, tmp_path):
    rows = load_dataset("t2vid/mix", "sample", split="train")
    other = report(rows, out=tmp_path / "page.html").findings
    mine = written.findings
    assert other.values() == pytest.approx(mine.values())
    assert np.array_equal(np.sort(other.rows.frames), np.sort(mine.rows.frames))


def test_videos_that_are_not_there_are_said_and_their_hours_are_not_called_none(tmp_path):
    build("sample", out=tmp_path / "mix")
    rows = Dataset.from_parquet(str(tmp_path / "mix" / "data" / "*.parquet"))  # without the folder
    html = report(rows, out=tmp_path / "page.html").page.read_text(encoding="utf-8")
    assert "The videos of 30 rows could not be read" in html
    assert re.search(r"hours of video</dt>\s*<dd[^>]*>unknown<", html)
