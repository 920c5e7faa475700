"""The page of `t2vid browse`: what it says, to whom it answers, and what it refuses."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import unquote

import pytest
from PIL import Image

from browser import chromium
from rows import dataset_of, text_rows, video_rows
from t2vid.browse.app import browse, export_html, frames_html, mask_html, talk_html
from t2vid.browse.browser import Browser
from t2vid.browse.encoders import Encoders, mask_runs
from t2vid.browse.frames import ShownFrames
from t2vid.browse.rows import BrowseRows, open_rows
from t2vid.browse.server import Server
from t2vid.errors import InputError
from t2vid.models.rows import RowEncoder
from t2vid.models.tiny import tiny_idefics3, tiny_minicpm

pytest.importorskip("gradio", reason="gradio is not installed (extra browse)")
# gradio's own, at import and for its server
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with browse("t2vid/mix", config="sample", quarantine=None, port=0) as running:
        yield running


def ask(
    server: Server, path: str, *, method: str = "GET", body: object = None, **headers: str
) -> tuple[int, str]:
    """Send a path as it is: http.client changes no `..`."""
    host = server.url.split("/")[2]
    connection = http.client.HTTPConnection(host, timeout=60)
    sent = {"Host": host, **headers}
    data = None
    if body is not None:
        data, sent = json.dumps(body), {**sent, "Content-Type": "application/json"}
    connection.request(method, path, data, sent)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, text


def call(server: Server, name: str, *values: object) -> list[Any]:
    """Do what the page does when something on it changes."""
    config = json.loads(ask(server, "/config")[1])
    number = next(d["id"] for d in config["dependencies"] if d["api_name"] == name)
    session = "one"  # the page knows which rows it listed
    joined = {"data": values, "fn_index": number, "session_hash": session, "event_data": None}
    status, text = ask(server, "/gradio_api/queue/join", method="POST", body=joined)
    assert status == 200, text
    _, stream = ask(server, f"/gradio_api/queue/data?session_hash={session}")
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
    done = next(event for event in events if event["msg"] == "process_completed")
    assert done["success"], done
    return done["output"]["data"]


def test_the_page_shows_frames_with_captions_the_talk_and_the_mask(server):
    listed, status = call(server, "page", 1, "", "texts", 0, 0, [])
    assert listed["value"] == 1 and "looked at" in status
    frames, talk, _ = call(server, "show", 1)
    assert frames.count("<figure") > 1 and "data:image/webp;base64," in frames
    assert "texts, frame 1 of" in frames and "characters 0 to" in frames
    assert "<b>user</b>" in talk and "<b>assistant</b>" in talk


@pytest.mark.parametrize("family", ["idefics3", "minicpm", "internvl"])
def test_the_mask_of_each_family_of_the_paper_is_the_answer(server, family):
    call(server, "page", 1, "", "texts", 0, 0, [])
    (mask,) = call(server, "mask", 1, f"{family} (tiny stand-in)", "answer")
    answer = open_rows("t2vid/mix", config="sample").get(1)["messages"][1]["content"][0]["text"]
    in_loss = re.findall(r'<mark class="t2v-loss"[^>]*>(.*?)</mark>', mask, re.DOTALL)
    said = [re.split(r"<(?:end|\|)", unescape(text))[0].strip() for text in in_loss]
    assert said == [answer]


OUTSIDE = ["/etc/passwd", "../../../../../../etc/passwd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd"]


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize(
    "route",
    [
        "/gradio_api/file=",
        "/gradio_api/file/",
        "/file=",
        "/file/",
        "/gradio_api/proxy=",
        "/assets/",
        "/static/",
        "/svelte/",
        "/gradio_api/queue/../file=",
        "/gradio_api/stream/",
    ],
)
def test_no_file_is_served(server, route, path):
    for asked in (route + path, "/" + route + path):
        status, text = ask(server, asked)
        assert status in (403, 404) and "root:" not in text


def test_a_link_and_an_upload_are_refused_too(server, tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert ask(server, f"/gradio_api/file={tmp_path}/link")[0] == 403
    assert ask(server, f"/gradio_api/file={__file__}")[0] == 403
    assert ask(server, "/gradio_api/upload", method="POST", body={})[0] == 403
    assert ask(server, "/gradio_api/component_server", method="POST", body={})[0] == 403


def test_only_this_machine_is_answered(server):
    port = int(server.url.rpartition(":")[2].strip("/"))
    with socket.socket(socket.AF_INET6) as outside, pytest.raises(OSError):
        outside.connect(("::1", port))
    with socket.socket() as outside, pytest.raises(OSError):
        outside.connect(("127.0.0.2", port))  # bound to 127.0.0.1, not to every address
    assert ask(server, "/", Host=f"localhost:{port}")[0] == 200
    assert ask(server, "/", Host="evil.example")[0] == 403
    assert ask(server, "/config", Origin="http://evil.example")[0] == 403
    assert ask(server, "/config", Origin=server.url.rstrip("/"))[0] == 200


def test_the_page_names_nothing_outside_and_may_load_nothing_outside(server):
    _, page = ask(server, "/")
    _, theme = ask(server, "/theme.css")
    loaded = re.findall(r"""(?:src|href)=["'](https?://[^"']+)""", page)
    loaded += re.findall(r"""url\(["']?(https?://[^"')]+)""", theme + page)
    assert [url for url in loaded if not url.startswith(server.url)] == []
    assert "@import" not in theme
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=60)
    connection.request("GET", "/")
    policy = connection.getresponse().getheader("content-security-policy")
    connection.close()
    assert "default-src 'self'" in policy and "http" not in policy


def test_what_rows_say_cannot_become_markup():
    bad = "<img src=x onerror=alert(1)> ${alert(1)} {{x}}"
    rows = text_rows(1)
    rows[0]["messages"][0]["content"][-1]["text"] = bad
    assert "<img" not in talk_html(Browser(BrowseRows(rows)), 0)
    made = ShownFrames([Image.new("L", (4, 4))], ['"><b>'], 1, "<b>")
    assert "<b" not in frames_html(made).replace("<button", "")


def test_the_runs_of_a_row_are_its_tokens_and_the_loss_is_on_the_answer():
    _, processor = tiny_idefics3(["Which is 0? 0."])
    encoder = RowEncoder(processor, family="idefics3")
    browser = Browser(BrowseRows(dataset_of(text_rows(1))))
    found = mask_runs(encoder, browser, 0)
    assert [piece.kind for piece in found] == ["seen", "frame", "seen", "loss", "seen"]
    assert found[1].text == "2 × frame"
    assert found[3].text.strip() == "0.<end_of_utterance>"
    whole = encoder(browser.row_with(0, browser.show(0).frames))
    assert sum(piece.n_tokens for piece in found) == len(whole.ids)


def test_a_row_whose_file_is_gone_says_so_and_shows_no_mask(tmp_path):
    browser = Browser(BrowseRows(dataset_of(video_rows(tmp_path)), root=tmp_path))
    encoders = Encoders(())
    shown = mask_html(encoders, browser, 0, encoders.names[0], "answer")
    assert "tokens:" in shown
    (tmp_path / "a/one.mp4").unlink()
    assert "one.mp4" in browser.show(0).note
    gone = mask_html(encoders, browser, 0, encoders.names[0], "answer")
    assert "without its frames this row has no prompt" in gone and "places" not in gone


def test_a_checkpoint_whose_family_has_another_name_than_its_type_is_taken(tmp_path):
    model, processor = tiny_minicpm(["Why so?"])
    for part in (model, processor):
        part.save_pretrained(tmp_path / "mine")
    encoder = Encoders([str(tmp_path / "mine")]).get("mine", "answer")
    assert encoder.family.name == "minicpm"


def test_an_unknown_family_and_a_taken_port_are_named():
    with pytest.raises(InputError, match="idefics3"):
        Encoders().get("nobody", "answer")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="cannot be used"):
            Server(None, port=taken.getsockname()[1])
    with pytest.raises(InputError, match="cannot be used"):
        Server(None, port=70_000)


def test_the_list_is_exported_as_json_lines():
    browser = Browser(BrowseRows(text_rows(2), name="mine"))
    assert "no row" in export_html(browser)
    browser.mark(1)
    link = re.search(r'href="data:[^,]*,([^"]*)"', export_html(browser))[1]
    assert json.loads(unquote(link))["id"] == "texts/1"


def test_keys_go_from_row_to_row_across_pages_put_aside_and_play(tmp_path):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.support.wait import WebDriverWait

    dataset_of(text_rows(12)).save_to_disk(str(tmp_path / "rows"))
    aside = tmp_path / "aside.jsonl"
    with (
        browse(tmp_path / "rows", quarantine=aside, port=0) as server,
        chromium(tmp_path / "profile") as page,
    ):
        page.get(server.url)
        chosen = "return document.querySelector('.t2v-rows input:checked')?.value"

        def comes(script: str, value: object) -> None:
            WebDriverWait(page, 30).until(lambda _: page.execute_script(script) == value)

        comes(chosen, "0")
        for n in range(1, 11):
            ActionChains(page).send_keys("j").perform()
            comes(chosen, str(n))
        ActionChains(page).send_keys("k").perform()
        comes(chosen, "9")  # the last of the page before
        ActionChains(page).send_keys("x").perform()
        comes("return document.getElementById('t2v-mark').innerText", "Take it back")
        comes("return document.querySelectorAll('.t2v-show figure').length > 0", True)
        ActionChains(page).send_keys("p").perform()
        comes("return document.querySelector('[data-do=play]').textContent", "Stop")
    assert '"texts/9"' in aside.read_text(encoding="utf-8")


def test_ctrl_c_ends_it(tmp_path):
    command = [sys.executable, "-m", "t2vid", "browse", "t2vid/mix", "--config", "sample"]
    command += ["--port", "0", "--quarantine", str(tmp_path / "q.jsonl")]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        # whoever runs the tests in the background of a script has them ignore it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with running:
        assert "http://127.0.0.1:" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        try:
            _, said = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 0 and "Traceback" not in said
