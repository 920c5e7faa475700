"""Looking through rows: lazily, within bounds, never outside the data folder."""

from __future__ import annotations

import itertools
import json

import pytest
from datasets import Dataset, IterableDataset
from PIL import Image

from media import make_clip
from rows import SMALL, dataset_of, text_rows, video_rows
from t2vid.browse import browser as browsing
from t2vid.browse import frames as framing
from t2vid.browse import rows as browse
from t2vid.browse.browser import Browser, RowFilters
from t2vid.browse.frames import MAX_SHOWN, SHOWN_PX, shown
from t2vid.browse.rows import BrowseRows, open_rows
from t2vid.errors import InputError, MissingFile
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.schema import messages, row_features


def row(name: str, *, source: str = "texts", answer: str = "Yes.", n_frames: int = 1, **kwargs):
    return {
        "id": name,
        "source": source,
        "images": text_value("A page.", SMALL),
        "messages": messages(
            [("user", f"What of {name}?"), ("assistant", answer)], n_frames=n_frames
        ),
        "n_frames": n_frames,
        "n_words": 2,
        **kwargs,
    }


def stream_of(n: int, pulled: list[int]) -> IterableDataset:
    def rows():
        for i in range(n):
            pulled.append(i)
            yield row(f"r{i}", n_frames=i % 7)

    return IterableDataset.from_generator(rows, features=row_features(Frames()))


def test_a_stream_is_read_no_further_than_it_is_looked_at():
    pulled: list[int] = []
    browser = Browser(BrowseRows(stream_of(10_000, pulled)), sample=20)
    assert browser.page(0).positions == list(range(10))
    assert max(pulled) < 25  # the sample of the flags, and what the stream reads ahead
    assert browser.rows.total is None


def test_of_a_stream_a_window_stays_in_memory_and_going_back_gives_the_same_rows():
    rows = BrowseRows(stream_of(1000, []))
    first = rows.get(3)
    assert rows.get(900)["id"] == "r900"
    assert rows.kept() <= browse.WINDOW_ROWS
    assert rows.get(3) == first
    assert rows.get(1000) is None and rows.total == 1000
    assert rows.get(999)["id"] == "r999"


def test_the_window_is_bounded_in_bytes_too(monkeypatch):
    monkeypatch.setattr(browse, "WINDOW_BYTES", 20_000)
    rows = BrowseRows(stream_of(300, []))
    rows.get(250)
    assert 1 <= rows.kept() < 50


def test_a_stream_that_broke_is_taken_up_again():
    broken = [True]

    def generate():
        for i in range(10):
            if i == 5 and broken:
                broken.pop()
                raise ConnectionError("cut")
            yield row(f"r{i}")

    rows = BrowseRows(IterableDataset.from_generator(generate, features=row_features(Frames())))
    with pytest.raises(ConnectionError):
        rows.get(7)
    assert rows.get(7)["id"] == "r7"


def test_filters_by_source_length_and_flag_find_exactly_those_rows():
    rows = [
        row("a", n_frames=2),
        row("b", source="clips", n_frames=9),
        row("c", answer="(B)", n_frames=5),
        row("d", n_frames=0),
    ]
    browser = Browser(BrowseRows(dataset_of(rows)))

    def found(**filters):
        return [browser.rows.get(i)["id"] for i in browser.page(0, RowFilters(**filters)).positions]

    assert found(source="clips") == ["b"]
    assert found(min_frames=2, max_frames=5) == ["a", "c"]
    assert found(flags=("letter",)) == ["c"]
    assert found(flags=("no frames",)) == ["d"]
    assert found(source="clips", flags=("letter",)) == []
    assert browser.sources == ["texts", "clips"]
    with pytest.raises(InputError, match="flag"):
        RowFilters(flags=("odd",))


def test_pages_of_filtered_rows_follow_one_another_without_loss():
    browser = Browser(BrowseRows(stream_of(200, [])), sample=10)
    filters, got, number = RowFilters(min_frames=3, max_frames=3), [], 0
    while True:
        page = browser.page(number, filters)
        got += page.positions
        if not page.more:
            break
        number += 1
    assert got == [i for i in range(200) if i % 7 == 3]


def test_a_search_stops_after_a_while_and_goes_on_when_asked_again(monkeypatch):
    ticks = itertools.count(0, 0.03)  # seconds that a row takes
    monkeypatch.setattr(browsing.time, "thread_time", lambda: next(ticks))
    rows = [row(f"r{i}", answer="B" if i == 120 else "Yes.") for i in range(130)]
    browser = Browser(BrowseRows(dataset_of(rows)))
    rare = RowFilters(flags=("letter",))
    pages = [browser.page(0, rare) for _ in range(3)]
    assert 0 < pages[0].looked < pages[1].looked < pages[2].looked == 130
    assert pages[0].more and pages[0].total is None
    assert pages[-1].positions == [120] and not pages[-1].more and pages[-1].total == 1


def test_a_page_fills_by_itself_until_another_one_is_asked_for(monkeypatch):
    ticks = itertools.count(0, 0.03)
    monkeypatch.setattr(browsing.time, "thread_time", lambda: next(ticks))
    rows = [row(f"r{i}", answer="B" if i == 120 else "Yes.") for i in range(130)]
    browser = Browser(BrowseRows(dataset_of(rows)))
    rare, other = RowFilters(flags=("letter",)), RowFilters(words="nothing")
    pages = list(browser.pages(0, rare))
    assert len(pages) == 3 and pages[-1].positions == [120] and not pages[-1].more
    list(browser.pages(0, other))
    for meanwhile in (other, RowFilters()):
        filling = browser.pages(0, rare)
        next(filling)
        next(browser.pages(0, meanwhile))
        assert list(filling) == []
        browser.page(0, other)
    streamed = Browser(BrowseRows(stream_of(40, [])), sample=5)
    assert len(list(streamed.pages(0, RowFilters(words="nothing")))) == 1


def test_a_row_of_words_alone_has_no_placeholder_too_many():
    blank = dict.fromkeys(("text", "path", "bytes", "spec"))
    said = messages([("user", "Why?"), ("assistant", "It rains.")], n_frames=0)
    rows = [{"id": "a", "source": "s", "images": blank, "messages": said, "n_frames": 0}]
    rows[0]["n_words"] = 1
    browser = Browser(BrowseRows(dataset_of(rows)))
    assert browser.flags(0) == ["no frames"]
    assert browser.page(0, RowFilters(flags=("no frames",))).positions == [0]
    assert browser.page(0, RowFilters(flags=("placeholders",))).positions == []


def test_sources_and_frames_are_seen_in_columns_and_rows_that_lack_them_are_read():
    rows = [row(f"r{i}", source=f"s{i % 3}", n_frames=i % 5) for i in range(60)]
    for at in (7, 8):  # without a number: their image places are counted
        rows[at]["messages"] = messages([("user", "Why?"), ("assistant", "So.")], n_frames=3)
        rows[at]["n_frames"] = None
    browser = Browser(BrowseRows(dataset_of(rows)))
    filters = RowFilters(source="s1", min_frames=3, max_frames=3)
    page = browser.page(0, filters)
    assert page.positions == [i for i in range(60) if i % 3 == 1 and (i % 5 == 3 or i == 7)]
    assert page.total == len(page.positions)


def test_flags_name_what_many_rows_share():
    said = "The video begins with a black screen."
    rows = [row(f"r{i}", answer=said) for i in range(5)] + [row("x", answer="So.")] * 2
    rows[0]["n_frames"] = 3
    browser = Browser(BrowseRows(rows))
    # their instructions differ in a number only
    assert browser.flags(0) == ["opening", "template", "placeholders"]
    assert browser.flags(1) == ["opening", "template"]
    assert browser.flags(6) == ["twin"]


def test_words_are_looked_for_in_all_turns_and_combine_with_the_other_filters():
    rows = [
        row("a", answer="Two Boats pass."),
        row("b", answer="A boat waits.", source="clips"),
        row("c", answer="Boats and a pier.", n_frames=4),
    ]
    browser = Browser(BrowseRows(dataset_of(rows)))

    def found(**filters):
        return browser.page(0, RowFilters(**filters)).positions

    assert found(words="boat") == [0, 1, 2]
    assert found(words="BOATS pass") == [0]
    assert found(words="boat", source="clips") == [1]
    assert found(words="boats", min_frames=2) == [2]
    assert found(words="boats submarine") == []


def test_a_word_is_found_in_all_rows_at_once_however_it_is_written_and_stored():
    said = [
        "Füße",
        "ＢＯＡＴ",
        "STRASSE und Straße",
        "ΟΔΟΣ",
        "e\u0301toile",
        "İzmir",
        "7,5 km",
        "\\frac",
    ]
    rows = [
        row(f"r{i}", answer=f"{text} {i % 2}.", source=f"s{i % 3}") for i, text in enumerate(said)
    ]
    words = [
        "füsse",
        "boat",
        "strasse",
        "οδος",
        "étoile",
        "i̇zmir",
        "7,5",
        "frac",
        "r3",
        "s1",
        "user",
    ]
    listed, stored = Browser(BrowseRows(rows)), Browser(BrowseRows(dataset_of(rows)))
    for word in [*words, "boat 1.", "what of", "1. what", "2.", "image", "text"]:
        one, other = (b.page(0, RowFilters(words=word)) for b in (listed, stored))
        assert one == other, word
        assert one.total == len(one.positions)
    assert stored.page(0, RowFilters(words="füsse")).positions == [0]
    assert stored.page(0, RowFilters(words="1. what")).total == 4


def test_layouts_of_other_tools_and_numbers_are_found_too():
    rows = [
        {
            "id": i,
            "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": text}],
        }
        for i, text in enumerate(["a boat", "a pier", None, "Ein Fluß"])
    ]
    coded = [{"id": "x", "query": json.dumps("caf\u00e9"), "response": "3"}] * 3
    for some, words in ((rows, ["boat", "3", "fluss", "1"]), (coded, ["3", "x", "caf"])):
        listed, stored = Browser(BrowseRows(some)), Browser(BrowseRows(Dataset.from_list(some)))
        for word in words:
            one, other = (b.page(0, RowFilters(words=word)) for b in (listed, stored))
            assert one.positions == other.positions != [], word


def test_the_list_tells_instruction_and_answer():
    browser = Browser(BrowseRows([row("a", answer="Yes. " * 100)]))
    head, question, answer = browser.line(0).split("\n")
    assert head.startswith("0 · a · texts · 1 frame") and question == "What of a?"
    assert answer.startswith("→ Yes. Yes.") and answer.endswith("…") and len(answer) < 100


def test_captions_tell_the_source_and_the_span_or_the_time(tmp_path):
    text = text_rows(1)
    made = shown(text[0]["images"], BrowseRows(text), source="texts")
    assert made.captions[0].startswith("texts, frame 1 of 2: characters 0 to ")
    clips = video_rows(tmp_path)
    made = shown(clips[0]["images"], BrowseRows(clips, root=tmp_path), source="clips")
    assert [c.rpartition(": ")[2] for c in made.captions] == ["0.40 s", "1.40 s", "2.40 s"]
    assert made.n_seen == 3 and not made.note


def test_a_path_outside_the_data_folder_is_not_read(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    clip = video_rows(out)[0]["images"]["path"]
    data.mkdir()
    (data / "link.mp4").symlink_to(clip)
    (data / "folder").symlink_to(out)
    rows = BrowseRows([], root=data)
    for path in [
        clip,
        "/etc/passwd",
        "../out/a/one.mp4",
        "x/../../out/a/one.mp4",
        "link.mp4",
        "folder/a/one.mp4",
        f"{clip}::member.mp4",
        "link.mp4::member",
        "https://127.0.0.1:9/x.mp4",
        f"file://{clip}",
        "zip://a::/etc/x.zip",
    ]:
        with pytest.raises(ValueError, match=r"outside|--remote"):
            shown(video_value(path), rows)
        with pytest.raises(ValueError, match=r"outside|--remote|not read"):
            shown([{"bytes": None, "path": path}], rows)
    with pytest.raises(ValueError, match="--data-dir"):
        shown(video_value(clip), BrowseRows([]))
    font = text_value("A.", SMALL) | {"spec": RenderSpec(font="/etc/passwd").to_json()}
    with pytest.raises(ValueError, match="outside"):
        shown(font, rows)
    inside = shown(video_value("a/one.mp4", SampleSpec(max_frames=2)), BrowseRows([], root=out))
    assert len(inside.frames) == 2


def test_what_is_shown_of_a_row_is_bounded(tmp_path):
    many = shown(text_value("word " * 30_000, SMALL), BrowseRows([]))
    assert len(many.frames) == MAX_SHOWN < many.n_seen and "64 of the" in many.note
    wide = RenderSpec(width=8192, height=8192, words_per_frame=1)
    huge = shown(text_value("one two three four", wide), BrowseRows([]))
    assert len(huge.frames) == 1 and huge.frames[0].size == (SHOWN_PX, SHOWN_PX)
    clip = video_rows(tmp_path)[0]["images"]["path"]
    large = shown(video_value(clip, SampleSpec(size=(8000, 4000))), BrowseRows([], root=tmp_path))
    assert large.frames[0].size == (SHOWN_PX, SHOWN_PX // 2)


def test_ready_pictures_are_shown_and_a_bomb_is_not(monkeypatch, tmp_path):
    Image.new("L", (2000, 10)).save(tmp_path / "page.png")
    stored = [{"bytes": (tmp_path / "page.png").read_bytes(), "path": None}] * 2
    made = shown(stored, BrowseRows([]), source="pages")
    assert made.frames[0].width == SHOWN_PX and made.captions[1] == "pages, frame 2 of 2"
    monkeypatch.setattr(framing, "MAX_PIXELS", 1000)
    with pytest.raises(InputError, match="2,000 x 10"):
        shown(stored, BrowseRows([]))


def test_a_row_that_cannot_be_shown_says_why():
    rows = [row("a", images={"text": "A.", "path": None, "bytes": None, "spec": "[]"})]
    made = Browser(BrowseRows(rows)).show(0)
    assert not made.frames and made.note.startswith("no frames (")


def test_rows_put_aside_are_on_disk_at_once_and_known_again(tmp_path):
    path = tmp_path / "quarantine.jsonl"
    other = {"dataset": "other", "row": 1, "id": "r1", "source": "texts", "flags": []}
    path.write_text(json.dumps(other) + "\n")
    rows = BrowseRows([row("a"), row("b", answer="C"), row("c")], name="mine")
    browser = Browser(rows, quarantine=path)
    assert browser.mark(1) and browser.mark(2)
    assert "QUARANTINED" in browser.line(1)
    again = Browser(rows, quarantine=path)
    assert [again.is_marked(i) for i in range(3)] == [False, True, True]
    assert not again.mark(2)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    mine = {"dataset": "mine", "row": 1, "id": "b", "source": "texts", "flags": ["letter"]}
    assert lines == [other, mine]
    assert json.loads(again.quarantine.to_json_lines()) == mine


def test_a_file_that_is_no_list_of_rows_is_refused(tmp_path):
    (tmp_path / "doctor.jsonl").write_text('{"video": "a.mp4"}\n')
    with pytest.raises(InputError, match="line 1"):
        Browser(BrowseRows([]), quarantine=tmp_path / "doctor.jsonl")
    assert (tmp_path / "doctor.jsonl").read_text() == '{"video": "a.mp4"}\n'


def test_everything_that_t2vid_writes_can_be_opened(tmp_path):
    from t2vid import samples
    from t2vid.mixing.build import build

    build("sample", data=samples.ROOT, out=tmp_path / "mix")
    rows = open_rows(tmp_path / "mix")
    kinds = {rows.get(i)["source"]: i for i in range(rows.total)}
    assert all(Browser(rows).show(i).frames for i in kinds.values())
    dataset_of(text_rows(3)).save_to_disk(tmp_path / "saved")
    assert open_rows(tmp_path / "saved").get(2)["id"] == "texts/2"
    dataset_of(text_rows(3)).to_parquet(tmp_path / "rows.parquet")
    assert Browser(open_rows(tmp_path / "rows.parquet")).show(1).frames
    (tmp_path / "rows.jsonl").write_text(json.dumps(text_rows(1)[0]))
    assert Browser(open_rows(tmp_path / "rows.jsonl")).show(0).frames
    assert Browser(open_rows("t2vid/mix", config="sample")).show(0).frames


def test_what_cannot_be_opened_says_what_to_give(tmp_path):
    with pytest.raises(InputError, match="is a folder; browse takes a mix"):
        open_rows(tmp_path)
    (tmp_path / "numbers.jsonl").write_text('{"n": 1}\n')
    with pytest.raises(InputError, match="fits no known layout; expected"):
        open_rows(tmp_path / "numbers.jsonl")
    (tmp_path / "notes.txt").write_text("no rows\n")
    for target, options in [
        (tmp_path / "notes.txt", {}),
        ("t2vid/mix", {"config": "nosuch"}),
        ("t2vid/mix", {"config": "sample", "split": "nosuch"}),
    ]:
        with pytest.raises(InputError, match="is a file; browse takes|cannot be opened|nosuch"):
            open_rows(target, **options)
    with pytest.raises(MissingFile, match="data_dir"):
        open_rows("t2vid/mix", config="sample", data_dir=tmp_path / "nowhere")


def test_the_answers_of_a_run_are_looked_through_with_frames_rule_and_verdict(tmp_path):
    from t2vid import evaluate

    (tmp_path / "videos").mkdir()
    make_clip(tmp_path / "videos" / "a.mp4", seconds=3, fps=5)
    asked = {"id": "q", "video": "a.mp4", "question": "Which?", "options": ["red", "blue"]}
    lines = [{**asked, "id": f"q{n}", "answer": letter} for n, letter in enumerate("BAB")]
    text = "\n".join(map(json.dumps, lines))
    (tmp_path / "questions.jsonl").write_text(text, encoding="utf-8")
    said = iter(["The answer is B.", "The answer is B.", "I cannot tell."])
    evaluate(lambda ask: next(said), "t2vid/questions", data_dir=tmp_path, out=tmp_path / "run")
    browser = Browser(open_rows(tmp_path / "run", data_dir=tmp_path))
    assert [browser.flags(i) for i in range(3)] == [["right"], ["wrong"], ["no letter"]]
    assert browser.turns(1)[-1][1] == 'read as B by the rule "statement", on "B"; right is A'
    assert len(browser.show(0).frames) == 3
    wrong = browser.page(0, RowFilters(flags=("wrong",)))
    assert wrong.positions == [1]
    assert browser.page(0, RowFilters(words="left open")).positions == [2]
    with pytest.raises(InputError, match="t2vid score"):
        (tmp_path / "run" / "judged.jsonl").unlink()
        open_rows(tmp_path / "run")


@pytest.mark.parametrize("broken", [None, [3], "words", [{}]])
def test_a_broken_row_is_listed_found_and_put_aside_like_the_others(broken):
    good = [row(name, answer="This.") for name in "abc"]
    rows = BrowseRows([*good, {"id": "bad", "source": "texts", "messages": broken}])
    browser = Browser(rows)
    assert browser.page(0).positions == [0, 1, 2, 3]
    assert "bad" in browser.line(3) and "unreadable" in browser.flags(3)
    assert browser.page(0, RowFilters(flags=("unreadable",), source="texts")).positions == [3]
    assert browser.page(0, RowFilters(words="this")).positions == [0, 1, 2]
    assert browser.turns(3)[0][0] == "unreadable" and browser.mark(3)


@pytest.mark.parametrize(
    "words", ["caf\u00e9", "cafe\u0301", "CAF\u00c9", "\u8a9e", "(a|b)*", "[", "\uff41\uff22"]
)
def test_words_are_found_as_they_look_and_regex_characters_are_characters(words):
    said = "Un caf\u00e9 au lait; \u65e5\u672c\u8a9e; (a|b)* and [ ] and ab."
    browser = Browser(BrowseRows([row("a", answer=said), row("b")]))
    assert browser.page(0, RowFilters(words=words)).positions == [0]


def test_a_search_that_takes_long_stops_and_goes_on_when_asked_again(monkeypatch):
    rows = [row(f"r{n}", answer="Here." if n == 30 else "No.") for n in range(40)]
    browser, filters = Browser(BrowseRows(rows)), RowFilters(words="here")
    ticks = iter(range(10_000))
    monkeypatch.setattr(browsing.time, "thread_time", lambda: next(ticks))
    first = browser.page(0, filters)
    assert (first.positions, first.more) == ([], True) and first.looked < 30
    while not (found := browser.page(0, filters)).positions:
        assert found.more
    assert found.positions == [30]
