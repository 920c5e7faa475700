"""The loopback Hub behaves as clients expect: revisions, LFS, ranges, conflicts, faults."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import IncompleteRead, RemoteDisconnected
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hub import LFS_BYTES, Fault, Hub

# huggingface_hub 2.4 hands a file object to httpx in the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        yield server


@pytest.fixture
def api(hub: Hub) -> HfApi:
    return HfApi(endpoint=hub.url, token="hf_test")


def upload(api: HfApi, files: dict[str, bytes], **kwargs: str) -> str:
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    message = kwargs.pop("message", "Add")
    commit = api.create_commit(
        "me/x", operations, commit_message=message, repo_type="dataset", **kwargs
    )
    return str(commit.oid)


def test_what_is_pushed_is_what_every_revision_gives_back(
    hub: Hub, api: HfApi, tmp_path: Path
) -> None:
    api.create_repo("me/x", repo_type="dataset")
    small, large = b"one", bytes(range(256)) * (LFS_BYTES // 256)
    first = upload(api, {"a.txt": small, "deep/er/b.bin": large})
    upload(api, {"a.txt": b"two"}, message="Change")
    assert hub.files("datasets/me/x")["a.txt"] == b"two"
    for revision, expected in ((first, small), ("main", b"two")):
        path = hf_hub_download(
            "me/x",
            "a.txt",
            repo_type="dataset",
            revision=revision,
            endpoint=hub.url,
            cache_dir=tmp_path,
        )
        assert Path(path).read_bytes() == expected
    got = api.hf_hub_download("me/x", "deep/er/b.bin", repo_type="dataset", cache_dir=tmp_path)
    assert Path(got).read_bytes() == large
    titles = [commit.title for commit in api.list_repo_commits("me/x", repo_type="dataset")]
    assert titles == ["Change", "Add", "Put files"]


def test_large_files_travel_through_lfs_and_are_listed_so(hub: Hub, api: HfApi) -> None:
    api.create_repo("me/x", repo_type="dataset")
    upload(api, {"small.txt": b"s", "d/large.txt": b"x" * LFS_BYTES})
    assert any(method == "PUT" and path.startswith("/lfs/") for method, path, _ in hub.log)
    tree = {
        entry.path: entry
        for entry in api.list_repo_tree("me/x", repo_type="dataset", recursive=True)
    }
    assert set(tree) == {".gitattributes", "small.txt", "d", "d/large.txt"}
    assert tree["small.txt"].lfs is None and tree["d/large.txt"].lfs.size == LFS_BYTES
    top = [entry.path for entry in api.list_repo_tree("me/x", repo_type="dataset")]
    assert top == [".gitattributes", "d", "small.txt"]
    (info,) = api.get_paths_info("me/x", ["d/large.txt", "nowhere"], repo_type="dataset")
    assert info.size == LFS_BYTES


def test_deletions_branches_and_tags(hub: Hub, api: HfApi) -> None:
    api.create_repo("me/x", repo_type="dataset")
    upload(api, {"a": b"1", "d/b": b"2", "d/c": b"3"})
    api.create_tag("me/x", tag="v1", repo_type="dataset")
    api.create_branch("me/x", branch="dev", repo_type="dataset")
    gone = [CommitOperationDelete("a"), CommitOperationDelete("d/", is_folder=True)]
    api.create_commit("me/x", gone, commit_message="Clear", repo_type="dataset", revision="dev")
    assert set(hub.files("datasets/me/x", "dev")) == {".gitattributes"}
    assert "d/b" in hub.files("datasets/me/x", "v1")
    refs = api.list_repo_refs("me/x", repo_type="dataset")
    assert {ref.name for ref in refs.branches} == {"main", "dev"} and refs.tags[0].name == "v1"
    with pytest.raises(HfHubHTTPError, match="already exists"):
        api.create_tag("me/x", tag="v1", repo_type="dataset")
    api.delete_branch("me/x", branch="dev", repo_type="dataset")
    api.delete_tag("me/x", tag="v1", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.dataset_info("me/x", revision="dev")


def test_a_commit_on_a_stale_parent_is_refused(api: HfApi) -> None:
    api.create_repo("me/x", repo_type="dataset")
    first = upload(api, {"a": b"1"})
    upload(api, {"a": b"2"}, parent_commit=first)
    with pytest.raises(HfHubHTTPError, match="412"):
        upload(api, {"a": b"3"}, parent_commit=first)


def test_missing_things_have_their_own_errors(hub: Hub, api: HfApi, tmp_path: Path) -> None:
    hub.put("models/me/x", {"a": b"1"})
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("me/y")
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download("me/x", "b", cache_dir=tmp_path)
    hub.put("models/me/secret", {"a": b"1"}, private=True)
    assert api.model_info("me/secret").private
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.url, token=False).model_info("me/secret")
    assert [info.id for info in api.list_models(search="secret")] == ["me/secret"]
    assert not list(HfApi(endpoint=hub.url, token=False).list_models(search="secret"))
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo("me/x")
    assert api.create_repo("me/x", exist_ok=True).repo_id == "me/x"
    api.delete_repo("me/x")
    assert "models/me/x" not in hub.repos
    assert api.whoami()["name"] == "me"


@pytest.mark.parametrize(
    ("asked", "status", "got"),
    [("bytes=2-4", 206, b"234"), ("bytes=7-", 206, b"789"), ("bytes=-2", 206, b"89"),
     ("bytes=8-99", 206, b"89"), ("bytes=10-", 416, b""), ("", 200, b"0123456789")],
)  # fmt: skip
def test_ranges_of_a_file(hub: Hub, asked: str, status: int, got: bytes) -> None:
    hub.put("datasets/me/x", {"a": b"0123456789"})
    assert fetch(f"{hub.url}/datasets/me/x/resolve/main/a", Range=asked) == (status, got)
    assert hub.log[-1] == ("GET", "/datasets/me/x/resolve/main/a", len(got))


def test_faults_happen_where_they_are_asked_for(hub: Hub, api: HfApi) -> None:
    hub.put("datasets/me/x", {"a": b"0" * 1000})
    hub.fault = lambda method, path: Fault(503) if "/resolve/" in path else None
    assert fetch(f"{hub.url}/datasets/me/x/resolve/main/a")[0] == 503
    assert api.dataset_info("me/x").id == "me/x"
    hub.fault = lambda method, path: Fault(cut="answer")
    with pytest.raises(IncompleteRead):
        fetch(f"{hub.url}/datasets/me/x/resolve/main/a")
    hub.fault = lambda method, path: Fault(cut="request")
    with pytest.raises(RemoteDisconnected):
        fetch(f"{hub.url}/datasets/me/x/resolve/main/a")
    hub.fault = lambda method, path: Fault(delay_s=0.01)
    assert fetch(f"{hub.url}/datasets/me/x/resolve/main/a")[0] == 200


def fetch(url: str, **headers: str) -> tuple[int, bytes]:
    """Give status and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read() if error.code == 416 else b""


def test_datasets_pushes_loads_and_streams_through_it(hub: Hub, tmp_path: Path) -> None:
    script = """
        from datasets import Dataset, load_dataset
        Dataset.from_dict({"n": list(range(100))}).push_to_hub("me/numbers", num_shards=2)
        assert load_dataset("me/numbers", split="train")["n"][:] == list(range(100))
        stream = load_dataset("me/numbers", split="train", streaming=True)
        assert [row["n"] for row in stream.take(3)] == [0, 1, 2]
    """
    code = textwrap.dedent(script)
    subprocess.run(
        [sys.executable, "-c", code], env=hub.environment(tmp_path), check=True, cwd=tmp_path
    )
    assert sum(path.endswith(".parquet") for path in hub.files("datasets/me/numbers")) == 2
