"""Frames become files: complete or not at all, once, with every refused file named."""

from __future__ import annotations

import io
import json
import os
import threading

import pytest
from PIL import Image

import t2vid
from t2vid import cli
from t2vid.errors import InputError
from t2vid.frames.export import contact_sheet, render_files
from t2vid.frames.spec import RenderSpec

TEXT = "".join(f"Line {n} of text.\n" for n in range(60, 135))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("format", ["webp", "png"])
def test_images_are_lossless_and_numbered(source, tmp_path, format):
    (done,) = render_files([source], tmp_path / "out", format=format)
    files = sorted(done.path.glob(f"*.{format}"))
    drawn = t2vid.render_text(TEXT)
    assert len(files) == len(drawn) == done.n_frames
    for file, frame in zip(files, drawn, strict=True):
        with Image.open(file) as stored:
            assert stored.convert("L").tobytes() == frame.tobytes()


def test_a_gif_and_an_mp4_hold_every_frame(source, tmp_path):
    (gif,) = render_files([source], tmp_path / "out", format="gif")
    with Image.open(gif.path) as moving:
        assert moving.n_frames == gif.n_frames
    (mp4,) = render_files([source], tmp_path / "out", format="mp4")
    frames = t2vid.sample_video(mp4.path, t2vid.SampleSpec(max_frames=None))
    assert len(frames) == mp4.n_frames


def test_a_contact_sheet_is_one_picture(source, tmp_path):
    (done,) = render_files([source], tmp_path, format="contact-sheet")
    with Image.open(done.path) as sheet:
        assert sheet.width > 448


def test_a_second_run_draws_nothing_again_unless_something_changed(source, tmp_path, monkeypatch):
    (first,) = render_files([source], tmp_path / "out")
    monkeypatch.setattr("t2vid.frames.export.iter_frames", lambda *_: pytest.fail("drawn again"))
    (again,) = render_files([source], tmp_path / "out")
    assert again == first
    monkeypatch.undo()
    (dense,) = render_files([source], tmp_path / "out", preset="dense")
    assert dense.n_frames < first.n_frames
    assert len(list(dense.path.glob("*.webp"))) == dense.n_frames


def test_a_gif_too_long_and_a_file_too_large_are_refused(source, tmp_path, monkeypatch):
    monkeypatch.setattr("t2vid.frames.export.GIF_FRAMES", 2)
    (gif,) = render_files([source], tmp_path / "out", format="gif")
    assert "frames are more than the 2 of a gif; take mp4" in gif.error
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(300_000_000)
    (huge,) = render_files([tmp_path / "huge.txt"], tmp_path / "out")
    assert "300,000,000 bytes, more than" in huge.error


def test_a_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    thread = threading.Thread(target=(tmp_path / "pipe").write_text, args=(TEXT,))
    thread.start()
    (done,) = render_files([tmp_path / "pipe"], tmp_path / "out", dry_run=True)
    thread.join()
    assert done.n_words == 300


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_what_somebody_else_put_there_stays(source, tmp_path, format):
    out = tmp_path / "out"
    own = out / "notes" / "thesis.tex" if format == "webp" else out / "notes.gif"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    (done,) = render_files([source], out, format=format)
    assert own.read_text() == "mine" and "did not write; move it away" in done.error
    own.unlink()
    (done,) = render_files([source], out, format=format)
    assert not done.error
    if format == "webp":
        own.write_text("mine")
        (dense,) = render_files([source], out, preset="dense")
        assert own.read_text() == "mine" and "did not write" in dense.error


def test_an_interrupted_run_leaves_no_frame_behind(source, tmp_path):
    left = tmp_path / "out" / ".notes.part" / "frame_00099.webp"
    left.parent.mkdir(parents=True)
    left.touch()
    (done,) = render_files([source], tmp_path / "out")
    assert len(list(done.path.glob("*.webp"))) == done.n_frames
    (sheet,) = render_files([source], tmp_path / "out", format="contact-sheet")
    record = sheet.path.with_name("notes.webp.json")
    record.write_text(json.dumps({"key": "", "n_frames": 0}))  # killed before the last line
    (again,) = render_files([source], tmp_path / "out", format="contact-sheet")
    assert again == sheet and json.loads(record.read_text())["n_frames"] == sheet.n_frames


def test_files_that_cannot_be_drawn_are_named_and_the_others_are_done(source, tmp_path):
    (tmp_path / "blank.txt").write_text("  ")
    (tmp_path / "latin1.txt").write_bytes(b"caf\xe9")
    (tmp_path / "pile").mkdir()
    names = [tmp_path / f"{stem}.txt" for stem in ("blank", "latin1", "gone")] + [source]
    errors = [done.error for done in render_files([*names, tmp_path / "pile"], tmp_path / "out")]
    assert "blank" in errors[0] and "UTF-8" in errors[1] and "does not exist" in errors[2]
    assert errors[3] == ""
    assert "pile is a folder; give the text files in it" in errors[4]


def test_two_files_of_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match="several files"):
        render_files(["a/x.txt", "b/x.txt"], tmp_path)


def test_the_command_reads_standard_input_and_counts(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(TEXT))
    assert cli.main(["render", "-", "--dry-run"]) == 0
    assert "300 words" in capsys.readouterr().out
    assert cli.main(["render", "no-such-file.txt", "--dry-run"]) == 2


def test_rows_of_a_sheet_are_as_high_as_their_frames():
    frames = [Image.new("L", (100, 100))] * 2 + [Image.new("L", (100, 50))]
    high = contact_sheet(frames, columns=2)
    assert high.height == contact_sheet(frames[:2], columns=2).height + 50 + 8
    with pytest.raises(InputError, match="captions"):
        contact_sheet(frames, captions=["one"])


def test_the_command_takes_every_field_of_the_spec(tmp_path, capsys):
    text = tmp_path / "notes.txt"
    text.write_text("Some words to draw. " * 120)
    out = tmp_path / "out"
    options = "--width 200 --height 160 --font serif --font-px 16 --margin-px 10 --align center"
    options += (
        " --lang ja --words-per-frame 20 --whitespace flow --on-missing escape --line-spacing 1.2"
    )
    options += " --colors #102030 #fff8e7 --layout t2vid --ink 0 --paper-gray 255"
    options += " --markup code --code-language python --columns 1 --header {page} --footer {time}"
    options += " --overlap-lines 0 --scroll-lines none --wear 0 --wear-seed 3"
    options += " --no-newline-marks --crop-last"
    command = ["render", str(text), "--out", str(out), *options.split(), "--max-frames", "3"]
    assert cli.main(command) == 0
    assert "3 frames (" in (said := capsys.readouterr().out) and "more left out)" in said
    drawn = sorted((out / "notes").glob("*.webp"))
    assert len(drawn) == 3
    with Image.open(drawn[0]) as image:
        assert (image.size, image.mode) == ((200, 160), "RGB")
        assert image.getpixel((0, 0)) == (255, 248, 231)
    stored = json.loads((out / "notes" / "frames.json").read_text())["spec"]
    given = {word[2:].replace("-", "_") for word in options.split() if word.startswith("--")}
    assert set(RenderSpec().to_dict()) <= set(stored)
    given = given - {"color", "no_newline_marks"} | {"colors", "newline_marks"}
    assert given == set(RenderSpec().to_dict())
    with pytest.raises(InputError, match="colour"):
        render_files([text], out, colour="red")
    with pytest.raises(InputError, match=r"max_frames \(0\)"):
        render_files([text], out, max_frames=0)


def test_options_take_nothing_for_what_it_is_not(tmp_path, capsys):
    text = tmp_path / "notes.txt"
    text.write_text("Some words.")
    command = ["render", str(text), "--out", str(tmp_path / "out"), "--format", "png"]
    for options, said in (
        (["--width", "448.5"], "448.5 is no whole number"),
        (["--columns", "1.01"], "1.01 is no whole number"),
        (["--colors", "black"], "a value of --colors is missing"),
        (["--colors", "grey", "white"], "a contrast of"),
        (["--colors", "#00000080", "white"], "two opaque colours"),
        (["--lang", ""], "lang ('') must be"),
        (["--font", ""], "font '' is neither"),
    ):
        assert cli.main([*command, *options]) == 2
        told = capsys.readouterr()
        assert said in told.out + told.err and len((told.out + told.err).splitlines()) == 1
    assert cli.main([*command, "--width", "300.0", "--header", "", "--colors", "Navy", "#ffe"]) == 0
    with Image.open(tmp_path / "out" / "notes" / "frame_00001.png") as image:
        assert (image.width, image.getpixel((0, 0))) == (300, (255, 255, 238))


@pytest.mark.parametrize("pair", [("navy", "ivory"), ("#008", "rgb(255, 255, 240)")])
def test_colours_are_stored_in_one_way(pair):
    spec = RenderSpec(colors=pair)
    assert spec.colors in (("#000080", "#fffff0"), ("#000088", "#fffff0"))
    assert RenderSpec.from_dict(spec.to_dict()) == spec
