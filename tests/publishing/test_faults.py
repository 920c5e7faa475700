"""Whatever network, Hub or disk do: nothing is lost, nothing doubled, the message is clear."""

from __future__ import annotations

import functools
import hashlib
import io
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, load_dataset

import hub as hub_module
import t2vid
from hub import Fault, Hub
from t2vid.errors import InputError, PublishError
from t2vid.publishing import materialize, shards
from t2vid.storage import http

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
push = functools.partial(t2vid.push, licences="apache-2.0")
REPO = "datasets/me/mix"
UPLOAD = r"PUT /lfs/"
SHOW = r"POST .*/commit/main"

ROUTES = {
    "sign in": r"GET /api/whoami",
    "make": r"POST /api/repos/create",
    "look": r"GET /api/datasets/me/mix$",
    "ask how": r"POST .*/preupload/main",
    "announce": r"POST .*/objects/batch",
    "upload": UPLOAD,
    "head": r"GET .*/revision/main",
    "list": r"GET .*/tree/\w+$",
    "branch": r"POST .*/branch/",
    "trial": r"POST .*/commit/t2vid-trial",
    "load back": r"GET .*/resolve/.*\.parquet",
    "show": SHOW,
    "drop": r"DELETE .*/branch/",
}


@pytest.fixture(autouse=True)
def several_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough files that something can happen between two of them."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 3000)


class Trouble:
    """Answers a route with faults, `times` times or always."""

    def __init__(self, route: str, *faults: Fault, after: int = 0, always: bool = False) -> None:
        self.route, self.faults, self.after, self.always = route, list(faults), after, always
        self.met = 0

    def __call__(self, method: str, path: str) -> Fault | None:
        if not re.match(self.route, f"{method} {path}"):
            return None
        self.met += 1
        if self.met <= self.after:
            return None
        if self.always:
            return self.faults[0]
        return self.faults.pop(0) if self.faults else None


def ids(revision: str = "main") -> list[str]:
    return list(load_dataset("me/mix", split="train", revision=revision)["id"])


def parquet_files(hub: Hub) -> list[str]:
    return [path for path in hub.files(REPO) if path.endswith(".parquet")]


def uploads(hub: Hub) -> list[str]:
    return [path for method, path, _ in hub.log if method == "PUT"]


def assert_published_once(hub: Hub, dataset: Dataset) -> None:
    """Every row is there once, by one commit, and nothing else is left."""
    repo = hub.repos[REPO]
    ours = [c for c in _line(repo) if c.title.startswith("Publish")]
    assert len(ours) == 1 and set(repo.branches) == {"main"}
    assert ids() == dataset["id"][:]


def _line(repo: Any) -> list[Any]:
    commit = repo.at("main")
    line = [commit]
    while commit.parent:
        commit = repo.commits[commit.parent]
        line.append(commit)
    return line


def assert_nothing_shown(hub: Hub) -> None:
    assert REPO not in hub.repos or not parquet_files(hub)
    assert REPO not in hub.repos or set(hub.repos[REPO].branches) == {"main"}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_anywhere_costs_a_wait_and_nothing_else(
    hub: Hub, texts: Dataset, waits: list[float], route: str, status: int
) -> None:
    trouble = hub.fault = Trouble(ROUTES[route], Fault(status))
    push(texts, "me/mix")
    assert trouble.met >= 2 and waits
    hub.fault = lambda method, path: None
    assert_published_once(hub, texts)
    assert len(parquet_files(hub)) > 2 and len(uploads(hub)) <= len(parquet_files(hub)) + 2


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("cut", ["request", "answer"])
def test_a_connection_cut_anywhere_costs_a_wait_and_nothing_else(
    hub: Hub, texts: Dataset, waits: list[float], route: str, cut: Any
) -> None:
    hub.fault = Trouble(ROUTES[route], Fault(cut=cut))
    push(texts, "me/mix")
    hub.fault = lambda method, path: None
    assert_published_once(hub, texts)


def test_an_upload_that_breaks_for_good_goes_on_where_it_was(
    hub: Hub, texts: Dataset, tmp_path: Path
) -> None:
    hub.fault = Trouble(UPLOAD, Fault(cut="request"), after=2, always=True)
    with pytest.raises(PublishError, match=r"2 of \d+ files \(.* MB\) are up") as caught:
        push(texts, "me/mix")
    assert "nothing new is visible" in str(caught.value)
    assert "run the same push again" in str(caught.value)
    assert_nothing_shown(hub)
    hub.fault = lambda method, path: None
    hub.log.clear()
    push(texts, "me/mix")
    n_large = len(parquet_files(hub)) + 1  # the picture of the lengths is a large file too
    assert len(uploads(hub)) == n_large - 2
    assert_published_once(hub, texts)
    assert not list((tmp_path / "home" / "t2vid").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("route", "status"), [("show", 503), ("trial", 500), ("load back", 503), ("announce", 429)]
)
def test_a_lasting_failure_shows_nothing_and_a_later_push_succeeds(
    hub: Hub, texts: Dataset, route: str, status: int
) -> None:
    hub.fault = Trouble(ROUTES[route], Fault(status, message="come back later"), always=True)
    with pytest.raises(PublishError, match=f"{status}.* files are up|{status}.*of .* files"):
        push(texts, "me/mix")
    hub.fault = lambda method, path: None
    assert_nothing_shown(hub)
    push(texts, "me/mix")
    assert_published_once(hub, texts)


def test_a_new_version_that_fails_leaves_the_old_one_whole(hub: Hub, texts: Dataset) -> None:
    old = push(texts.select(range(11)), "me/mix").commit
    hub.fault = Trouble(SHOW, Fault(500), always=True)
    with pytest.raises(PublishError, match="the commit on main failed"):
        push(texts, "me/mix")
    hub.fault = lambda method, path: None
    assert hub.repos[REPO].at("main").id == old and len(ids()) == 11


@pytest.mark.parametrize("route", ["sign in", "show", "upload"])
def test_the_server_says_how_long_to_wait(
    hub: Hub, texts: Dataset, waits: list[float], route: str
) -> None:
    hub.fault = Trouble(ROUTES[route], Fault(429, headers={"Retry-After": "37"}))
    push(texts, "me/mix")
    assert len(waits) == 1 and 37 <= waits[0] <= 38  # huggingface_hub adds a second


def test_a_date_to_wait_for_is_understood(
    hub: Hub, texts: Dataset, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    monkeypatch.setattr(http, "datetime", SimpleNamespace(now=lambda zone: now))
    then = format_datetime(now + timedelta(seconds=50), usegmt=True)
    hub.fault = Trouble(SHOW, Fault(503, headers={"Retry-After": then}))
    push(texts, "me/mix")
    assert waits == [50]


def test_waits_grow_until_it_gives_up(hub: Hub, texts: Dataset, waits: list[float]) -> None:
    hub.fault = Trouble(r"GET /api/whoami", Fault(503), always=True)
    with pytest.raises(PublishError, match="signing in failed.*503.*nothing was uploaded"):
        push(texts, "me/mix")
    assert waits == [1, 2, 4]


def test_a_new_repository_that_got_nothing_is_taken_away(hub: Hub, texts: Dataset) -> None:
    hub.fault = Trouble(ROUTES["announce"], Fault(400, message="no"), always=True)
    with pytest.raises(PublishError, match="no"):
        push(texts, "me/mix")
    assert not hub.repos
    hub.put(REPO, {"notes.md": b"mine"})
    with pytest.raises(PublishError, match="no"):
        push(texts, "me/mix")
    assert hub.files(REPO) == {"notes.md": b"mine"}


def test_a_bad_token_is_not_tried_again(hub: Hub, texts: Dataset, waits: list[float]) -> None:
    hub.fault = Trouble(r"GET /api/whoami", Fault(401, message="Invalid token"), always=True)
    with pytest.raises(PublishError, match="401.*hf auth login"):
        push(texts, "me/mix")
    assert not waits and not hub.repos


def interfere(hub: Hub, route: str, act: Callable[[], object]) -> None:
    """Do something in the server right before it answers a route for the first time."""
    done: list[bool] = []

    def fault(method: str, path: str) -> None:
        if re.match(route, f"{method} {path}") and not done:
            done.append(True)
            act()

    hub.fault = fault  # type: ignore[assignment]


def test_somebody_elses_commit_in_between_is_kept(hub: Hub, texts: Dataset) -> None:
    interfere(hub, SHOW, lambda: hub.put(REPO, {"notes.md": b"theirs", "README.md": b"# Theirs"}))
    push(texts, "me/mix")
    assert_published_once(hub, texts)
    assert hub.files(REPO)["notes.md"] == b"theirs"
    card = hub.files(REPO)["README.md"].decode()
    assert "# Theirs" in card and "## Config `default`" in card


def test_two_who_push_the_same_config_do_not_mix(hub: Hub, texts: Dataset) -> None:
    theirs = {"data/train-00000-of-00001.parquet": b"PAR1 theirs"}
    interfere(hub, SHOW, lambda: hub.put(REPO, theirs))
    with pytest.raises(PublishError, match="somebody else changed config 'default'.*nothing of"):
        push(texts, "me/mix")
    assert hub.files(REPO) == {".gitattributes": b"", **theirs}
    assert set(hub.repos[REPO].branches) == {"main"}


def test_a_second_push_at_the_same_time_keeps_out_of_the_prepared_files(
    hub: Hub, texts: Dataset, tmp_path: Path
) -> None:
    seen: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(InputError, match="another push to me/mix.*stage_dir"):
            push(texts, "me/mix")
        seen.append(push(texts, "me/mix", stage_dir=tmp_path / "own").commit)

    interfere(hub, SHOW, meanwhile)
    push(texts, "me/mix")
    assert len(seen) == 1
    assert_published_once(hub, texts)


def test_a_repository_that_never_rests_is_given_up_on(hub: Hub, texts: Dataset) -> None:
    seen: list[int] = []

    def busy(method: str, path: str) -> None:
        if re.match(SHOW, f"{method} {path}"):
            seen.append(1)
            hub.put(REPO, {"notes.md": str(len(seen)).encode()})

    hub.fault = busy  # type: ignore[assignment]
    with pytest.raises(PublishError, match="changed 4 times.*nothing of it is visible"):
        push(texts, "me/mix")
    hub.fault = lambda method, path: None
    assert_nothing_shown(hub)


def spoil(hub: Hub, change: Callable[[bytes], bytes]) -> None:
    """Let the storage of the Hub return something else than it was sent."""
    blobs = {oid: data for oid, data in hub.uploads.items() if data[:4] == b"PAR1"}
    oid = min(blobs)
    hub.uploads[oid] = change(blobs[oid])


def test_a_file_with_a_wrong_hash_is_never_shown(hub: Hub, texts: Dataset) -> None:
    interfere(
        hub, ROUTES["trial"], lambda: spoil(hub, lambda data: data[:-40] + b"?" * 36 + data[-4:])
    )
    with pytest.raises(PublishError, match="does not hold what was sent: data/train-"):
        push(texts, "me/mix")
    assert_nothing_shown(hub)


def with_another_id(parquet: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(parquet))
    first, *rest = table["id"].to_pylist()
    out = io.BytesIO()
    pq.write_table(table.set_column(0, "id", pa.array([f"{first}!", *rest])), out)
    return out.getvalue()


def test_rows_that_come_back_different_are_never_shown(
    hub: Hub, texts: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the listing still tells the hash of what was sent, so only reading the rows can find it
    names: dict[bytes, str] = {}
    monkeypatch.setattr(
        hub_module.Blob,
        "sha256",
        property(lambda blob: names.get(blob.data) or hashlib.sha256(blob.data).hexdigest()),
    )

    def swap() -> None:
        oid = min(oid for oid, data in hub.uploads.items() if data[:4] == b"PAR1")
        hub.uploads[oid] = with_another_id(hub.uploads[oid])
        names[hub.uploads[oid]] = oid

    interfere(hub, ROUTES["trial"], swap)
    with pytest.raises(PublishError, match=r"row \d+ of split 'train' .* is not what was sent"):
        push(texts, "me/mix")
    assert_nothing_shown(hub)


def test_a_slow_server_is_waited_for(hub: Hub, texts: Dataset, waits: list[float]) -> None:
    hub.fault = lambda method, path: Fault(delay_s=0.05)
    push(texts, "me/mix")
    hub.fault = lambda method, path: None
    assert_published_once(hub, texts)
    assert not waits


def test_a_hub_without_room_is_told_apart(hub: Hub, texts: Dataset) -> None:
    hub.fault = Trouble(UPLOAD, Fault(507, message="Insufficient Storage"), always=True)
    with pytest.raises(PublishError, match="507.*0 of .*no room left"):
        push(texts, "me/mix")
    assert_nothing_shown(hub)


PUSH = """
    import sys, resource
    from datasets import load_from_disk
    import t2vid
    from t2vid.publishing import shards
    shards.SHARD_BYTES = 3000
    rows = load_from_disk(sys.argv[1])
    if len(sys.argv) > 2:
        limit = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        print(t2vid.push(rows, "me/mix", licences="apache-2.0").commit)
    except t2vid.errors.PublishError as error:
        sys.exit(str(error))
"""


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(PUSH), str(folder), *arguments]


def test_a_full_disk_is_said_and_leaves_no_broken_file(
    hub: Hub, texts: Dataset, tmp_path: Path
) -> None:
    texts.save_to_disk(tmp_path / "rows")
    home = tmp_path / "other"
    done = subprocess.run(
        command(tmp_path / "rows", "2000"),  # no file may grow beyond: the write fails for real
        env=hub.environment(home),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "File too large while writing" in done.stderr and "stage_dir=" in done.stderr
    assert "nothing was uploaded" in done.stderr
    assert not hub.repos and not list(home.rglob("*.parquet")) and not list(home.rglob("*.part"))


@pytest.mark.parametrize("moment", ["upload", "trial", "load back", "show"])
def test_a_killed_push_is_finished_by_the_next(
    hub: Hub, texts: Dataset, tmp_path: Path, moment: str
) -> None:
    texts.save_to_disk(tmp_path / "rows")
    process = subprocess.Popen(
        command(tmp_path / "rows"),
        env=hub.environment(tmp_path / "home"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    reached: list[str] = []

    def kill(method: str, path: str) -> None:
        if re.match(ROUTES[moment], f"{method} {path}") and not reached:
            reached.append(path)
            process.send_signal(signal.SIGKILL)
            process.wait()

    hub.fault = kill  # type: ignore[assignment]
    try:
        assert process.wait(timeout=60) == -signal.SIGKILL and reached
    finally:
        process.kill()
    hub.fault = lambda method, path: None
    staged = {path: path.stat().st_mtime_ns for path in (tmp_path / "home").rglob("*.parquet")}
    assert len(staged) > 2
    before = set(hub.uploads)
    hub.log.clear()
    push(texts, "me/mix")
    assert not any(path.rpartition("/")[2] in before for path in uploads(hub))
    assert_published_once(hub, texts)


def test_a_branch_that_could_not_be_deleted_goes_with_the_next_push(
    hub: Hub, texts: Dataset
) -> None:
    hub.fault = Trouble(ROUTES["drop"], Fault(503), always=True)
    done = push(texts, "me/mix")  # it is published all the same
    hub.fault = lambda method, path: None
    assert len(hub.repos[REPO].branches) == 2
    assert push(texts, "me/mix") == done
    assert_published_once(hub, texts)


def test_what_was_prepared_is_not_prepared_again(
    hub: Hub, mix: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    real = materialize.picture
    monkeypatch.setattr(materialize, "picture", lambda *a: drawn.append(1) or real(*a))
    monkeypatch.setattr(shards, "_estimate_bytes", lambda dataset, form: 4 * 3000)
    hub.fault = Trouble(UPLOAD, Fault(507), always=True)
    texts = mix.select(range(6))
    with pytest.raises(PublishError):
        push(texts, "me/mix", materialize="png")
    once = len(drawn)
    with pytest.raises(PublishError):
        push(texts, "me/mix", materialize="png")
    assert once and len(drawn) == once
    with pytest.raises(PublishError):
        push(texts, "me/mix", materialize="png", resume=False)
    assert len(drawn) == 2 * once
    changed = [*[row for row in texts.cast_column("images", t2vid.Frames(decode=False))]]
    changed[0]["images"]["text"] += " One more."
    hub.fault = lambda method, path: None
    push(Dataset.from_list(changed, features=texts.features), "me/mix", materialize="png")
    assert 2 * once < len(drawn) < 3 * once  # only the shard with the changed row
    assert len(ids()) == 6
