"""A Hub on the loopback: real revisions in memory, the routes that clients use, no network.

    with Hub() as hub:
        hub.put("datasets/me/corpus", {"data.json": b"[]"})
        subprocess.run([...], env=hub.environment(tmp_path))   # HF_* are read at import
        HfApi(endpoint=hub.url, token="hf_test").list_repo_files("me/corpus", repo_type="dataset")

`hub.log` lists every request; `hub.fault` may answer in the server's place, to see what follows.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self

LFS_BYTES = 4096  # a binary file or one of at least this size goes through LFS, as on the real Hub
DATE = "2024-11-29T00:00:00.000Z"

_ID = r"(?P<id>[^/]+/[^/]+)"
_API = re.compile(
    rf"/api/(?P<kind>models|datasets|spaces)/{_ID}(?:/(?P<what>[\w-]+)(?:/(?P<rest>.*))?)?"
)
_FILE = re.compile(
    rf"/(?:(?P<kind>datasets|spaces)/)?{_ID}/(?:resolve|raw)/(?P<rev>[^/]+)/(?P<path>.+)"
)
_LFS = re.compile(rf"/(?:(?P<kind>datasets|spaces)/)?{_ID}\.git/info/lfs/objects/batch")


class Fault(Exception):
    """An answer other than 200, a cut connection or a slow one.

    Args:
        status: of the answer.
        code: of the header `X-Error-Code`.
        message: of the body.
        cut: `"answer"` does what was asked and closes after half of the answer, `"request"` closes
            after half of the request's body and does nothing.
        delay_s: waits and then answers as if nothing were wrong.
        headers: further headers, such as `Retry-After`.
        body: further entries of the body.
    """

    def __init__(
        self,
        status: int = 500,
        code: str = "",
        message: str = "",
        *,
        cut: Literal["answer", "request"] | None = None,
        delay_s: float = 0,
        headers: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message or code
        self.cut, self.delay_s, self.headers = cut, delay_s, headers or {}
        self.body = {"error": self.message, **(body or {})}


@dataclass(frozen=True)
class Blob:
    """One version of a file."""

    data: bytes
    lfs: bool

    @property
    def oid(self) -> str:
        """Name of the git object; of the pointer file for LFS."""
        data = self.data
        if self.lfs:
            data = (
                f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\n".encode()
            )
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    @property
    def sha256(self) -> str:
        """Name of the LFS object."""
        return hashlib.sha256(self.data).hexdigest()

    def describe(self, path: str) -> dict[str, Any]:
        """Give the entry of a tree listing."""
        entry = {"type": "file", "path": path, "size": len(self.data), "oid": self.oid}
        lfs = {"oid": self.sha256, "size": len(self.data), "pointerSize": 134}
        return {**entry, "lfs": lfs} if self.lfs else entry


@dataclass(frozen=True)
class Commit:
    """A tree and where it comes from."""

    id: str
    parent: str | None
    title: str
    files: dict[str, Blob]


@dataclass
class Repo:
    """A repository: commits and the names that point at them."""

    private: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    proposals: dict[str, str] = field(default_factory=dict)  # titles of open pull requests, by ref

    def commit(self, branch: str, title: str, files: dict[str, Blob]) -> Commit:
        """Add a commit to a branch."""
        parent = self.branches.get(branch)
        tree = "".join(f"{path}{blob.oid}" for path, blob in sorted(files.items()))
        name = hashlib.sha1(f"{parent}{title}{len(self.commits)}{tree}".encode()).hexdigest()
        self.commits[name] = Commit(name, parent, title, files)
        self.branches[branch] = name
        return self.commits[name]

    def at(self, revision: str) -> Commit:
        """Give the commit of a branch, a tag or a (shortened) commit id."""
        name = self.branches.get(revision) or self.tags.get(revision)
        if name is None and len(revision) >= 7:
            name = next((id for id in self.commits if id.startswith(revision)), None)
        if name is None:
            raise Fault(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return self.commits[name]


class Hub:
    """The server and its repositories, keyed like `datasets/me/corpus` or `models/me/tiny`."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.uploads: dict[str, bytes] = {}
        self.log: list[tuple[str, str, int]] = []  # method, path, bytes of the body sent
        self.fault: Callable[[str, str], Fault | None] = lambda method, path: None
        self.lock = threading.RLock()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": self})
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self, home: Path) -> dict[str, str]:
        """Give the environment in which a new process talks to this Hub and to nothing else."""
        return {
            **os.environ,
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": "hf_test",
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",  # xet needs a storage server of its own
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
        }

    def put(self, repo: str, files: dict[str, bytes], *, private: bool = False) -> Commit:
        """Commit files to `main`, creating the repository where it is new."""
        with self.lock:
            new = self.repos.setdefault(repo, Repo(private))
            old = new.at("main").files if new.branches else {}
            blobs = {path: Blob(data, _is_lfs(path, len(data))) for path, data in files.items()}
            return new.commit("main", "Put files", {**old, **blobs})

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        """Give the files of a revision."""
        return {path: blob.data for path, blob in self.repos[repo].at(revision).files.items()}

    def find(self, kind: str | None, id: str, *, token: bool) -> Repo:
        """Give a repository that the caller may see."""
        repo = self.repos.get(f"{kind or 'models'}/{id}")
        if repo is None or (repo.private and not token):
            raise Fault(404 if token else 401, "RepoNotFound", "Repository Not Found")
        return repo


def _is_lfs(path: str, size: int) -> bool:
    return size >= LFS_BYTES or Path(path).suffix in {".parquet", ".bin", ".mp4", ".safetensors"}


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        target = urllib.parse.urlsplit(self.path)
        fault = self.hub.fault(self.command, target.path)
        cut = fault is not None and fault.cut == "answer"
        length = int(self.headers.get("Content-Length") or 0)
        if fault is not None and fault.cut == "request":
            self.hub.log.append((self.command, self.path, 0))
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        self.body = self.rfile.read(length) if length else self._chunks()
        self.query = urllib.parse.parse_qs(target.query)
        self.token = bool(self.headers.get("Authorization"))
        try:
            if fault is not None and fault.delay_s:
                time.sleep(fault.delay_s)
            elif fault is not None and not cut:
                raise fault
            with self.hub.lock:
                status, headers, data = self._answer(target.path)
        except Fault as fault:
            status, data = fault.status, json.dumps(fault.body).encode()
            headers = {
                "X-Error-Code": fault.code,
                "X-Error-Message": fault.message,
                **fault.headers,
            }
        self._send(status, headers, data, cut=cut)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Stay quiet: `hub.log` has it."""

    def _send(self, status: int, headers: dict[str, str], data: bytes, *, cut: bool) -> None:
        sent = b"" if self.command == "HEAD" else data[: len(data) // 2] if cut else data
        # before the client sees anything, or it may look into the log too early
        self.hub.log.append((self.command, self.path, len(sent)))
        self.close_connection = self.close_connection or cut
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(sent)

    def _chunks(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return b""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/lfs/") and self.command == "PUT":
            name = path.rpartition("/")[2]
            if hashlib.sha256(self.body).hexdigest() != name:  # also when the client died half-way
                raise Fault(400, "", f"The content of {name} has another hash")
            self.hub.uploads[name] = self.body
            return 200, {}, b""
        if self.command in ("GET", "HEAD") and (match := _FILE.fullmatch(path)):
            return self._file(**match.groupdict())
        if match := _LFS.fullmatch(path):
            answer = self._lfs(**match.groupdict())
        elif path.startswith("/api/repos/"):
            answer = self._repos(path)
        elif match := _API.fullmatch(path):
            answer = self._api(**match.groupdict())
        elif path == "/api/whoami-v2":
            if not self.token:
                raise Fault(401, "", "Invalid username or password.")
            role = {"accessToken": {"displayName": "test", "role": "write"}}
            answer = {"type": "user", "name": "me", "fullname": "Me", "orgs": [], "auth": role}
        elif path == "/api/validate-yaml":
            answer = {"errors": [], "warnings": []}
        elif path in ("/api/models", "/api/datasets", "/api/spaces"):
            answer = self._list(path.rpartition("/")[2])
        else:
            raise Fault(404, "", f"No such route: {path}")
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _repos(self, path: str) -> Any:
        asked = json.loads(self.body)
        if not self.token:
            raise Fault(401, "", "Invalid username or password.")
        kind = f"{asked.get('type') or 'model'}s"
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if path.endswith("/delete"):
            self.hub.find(kind, name, token=True)
            del self.hub.repos[f"{kind}/{name}"]
            return {}
        url = {"url": f"{self.hub.url}/{'' if kind == 'models' else kind + '/'}{name}", "id": name}
        if f"{kind}/{name}" in self.hub.repos:
            raise Fault(409, "", "You already created this repo", body=url)
        private = asked.get("private") or asked.get("visibility") == "private"
        self.hub.put(f"{kind}/{name}", {".gitattributes": b""}, private=bool(private))
        return url

    def _list(self, kind: str) -> Any:
        wanted = self.query.get("search", [""])[0], self.query.get("author", [""])[0]
        rows = []
        for name, repo in self.hub.repos.items():
            of, _, id = name.partition("/")
            if of == kind and wanted[0] in id and (not wanted[1] or id.startswith(f"{wanted[1]}/")):
                if self.token or not repo.private:
                    rows.append(self._info(id, repo, "main"))
        return rows

    def _info(self, id: str, repo: Repo, revision: str) -> dict[str, Any]:
        commit = repo.at(revision)
        siblings = [_sibling(path, blob) for path, blob in commit.files.items()]
        dates = {"createdAt": DATE, "lastModified": DATE}
        flags = {
            "private": repo.private,
            "gated": False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
        }
        author = id.partition("/")[0]
        return {
            "_id": id,
            "id": id,
            "author": author,
            "sha": commit.id,
            "tags": [],
            "siblings": siblings,
            **dates,
            **flags,
        }

    def _api(self, kind: str, id: str, what: str | None, rest: str | None) -> Any:
        repo = self.hub.find(kind, id, token=self.token)
        revision, _, path = (rest or "main").partition("/")
        revision, path = urllib.parse.unquote(revision), urllib.parse.unquote(path)
        if what in (None, "revision"):
            return self._info(id, repo, revision)
        if what == "refs":
            named = {"branches": repo.branches, "tags": repo.tags}
            refs = {
                key: [
                    {"name": n, "ref": f"refs/{key}/{n}", "targetCommit": c}
                    for n, c in table.items()
                ]
                for key, table in named.items()
            }
            return {**refs, "converts": [], "pullRequests": [_as_ref(n) for n in repo.proposals]}
        if what == "discussions":
            return self._discussions(repo, rest)
        if what == "commits":
            return [
                {
                    "id": c.id,
                    "title": c.title,
                    "message": "",
                    "date": DATE,
                    "authors": [{"user": "me"}],
                }
                for c in _history(repo, repo.at(revision))
            ]
        if what == "tree":
            return _tree(
                repo.at(revision), path, "true" in map(str.lower, self.query.get("recursive", []))
            )
        if what == "paths-info":
            return self._paths_info(repo.at(revision))
        if not self.token:
            raise Fault(401, "", "Invalid username or password.")
        if what in ("branch", "tag"):
            return self._name(repo, what, revision)
        if what == "preupload":
            files = json.loads(self.body)["files"]
            return {"files": [_upload_mode(f, repo.at(revision)) for f in files]}
        if what == "commit":
            return self._commit(kind, id, repo, revision)
        raise Fault(404, "", f"No such route: {what}")

    def _paths_info(self, commit: Commit) -> Any:
        if "json" in self.headers.get("Content-Type", ""):
            paths = json.loads(self.body)["paths"]
        else:
            paths = urllib.parse.parse_qs(self.body.decode()).get("paths", [])
        everything = {entry["path"]: entry for entry in _tree(commit, "", True)}
        return [everything[path] for path in paths if path in everything]

    def _name(self, repo: Repo, what: str, revision: str) -> Any:
        asked = json.loads(self.body or b"{}")
        table = repo.branches if what == "branch" else repo.tags
        if self.command == "DELETE":
            if table.pop(revision, None) is None:
                raise Fault(404, "RevisionNotFound", f"No {what} {revision}")
            return {}
        name = revision if what == "branch" else asked["tag"]
        if name in table:
            raise Fault(409, "", f"Reference already exists: {name}")
        start = asked.get("startingPoint", "main") if what == "branch" else revision
        table[name] = repo.at(start).id
        return {}

    def _commit(self, kind: str, id: str, repo: Repo, branch: str) -> Any:
        lines = [json.loads(line) for line in self.body.splitlines() if line.strip()]
        header = lines[0]["value"]
        head = repo.at(branch)
        if header.get("parentCommit") not in (None, head.id):
            raise Fault(412, "", "A commit has happened since. Please refresh and try again.")
        files = dict(head.files)
        for line in lines[1:]:
            key, value = line["key"], line["value"]
            path = value["path"]
            if key == "file":
                files[path] = Blob(base64.b64decode(value["content"]), lfs=False)
            elif key == "lfsFile":
                if value["oid"] not in self.hub.uploads:
                    raise Fault(400, "", f"LFS object {value['oid']} was not uploaded")
                files[path] = Blob(self.hub.uploads[value["oid"]], lfs=True)
            elif key == "deletedFile":
                if files.pop(path, None) is None:
                    raise Fault(404, "EntryNotFound", f"{path} does not exist")
            elif key == "deletedFolder":
                files = {p: b for p, b in files.items() if not p.startswith(path.rstrip("/") + "/")}
        page = f"{self.hub.url}/{'' if kind == 'models' else kind + '/'}{id}"
        more = {}
        if "create_pr" in self.query:
            branch, number = f"refs/pr/{len(repo.proposals) + 1}", len(repo.proposals) + 1
            repo.branches[branch], repo.proposals[branch] = head.id, header["summary"]
            more = {"pullRequestUrl": f"{page}/discussions/{number}"}
        commit = repo.commit(branch, header["summary"], files)
        url = f"{page}/commit/{commit.id}"
        return {
            "success": True, "commitOid": commit.id, "commitUrl": url, "hookOutput": "", **more
        }  # fmt: skip

    def _discussions(self, repo: Repo, rest: str | None) -> Any:
        if self.command == "POST":
            del repo.proposals[f"refs/pr/{(rest or '').partition('/')[0]}"]
            event = {
                "id": "e",
                "type": "status-change",
                "createdAt": DATE,
                "author": {"name": "me"},
            }
            return {"newStatus": "closed", "newEvent": {**event, "data": {"status": "closed"}}}
        listed = [
            {
                "title": title, "num": int(ref.rpartition("/")[2]), "author": {"name": "me"},
                "isPullRequest": True, "status": "open", "createdAt": DATE,
                "repo": {"name": "me/mix", "type": "dataset"},
            }
            for ref, title in repo.proposals.items()
        ]  # fmt: skip
        return {"discussions": listed, "count": len(listed), "start": 0}

    def _lfs(self, kind: str | None, id: str) -> Any:
        self.hub.find(kind, id, token=self.token)
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            known = wanted["oid"] in self.hub.uploads
            action = {"upload": {"href": f"{self.hub.url}/lfs/{wanted['oid']}", "header": {}}}
            objects.append({**wanted, **({} if known else {"actions": action})})
        return {"transfer": "basic", "objects": objects}

    def _file(
        self, kind: str | None, id: str, rev: str, path: str
    ) -> tuple[int, dict[str, str], bytes]:
        commit = self.hub.find(kind, id, token=self.token).at(urllib.parse.unquote(rev))
        blob = commit.files.get(urllib.parse.unquote(path))
        headers = {"X-Repo-Commit": commit.id, "Accept-Ranges": "bytes"}
        if blob is None:
            raise Fault(404, "EntryNotFound", f"Entry not found: {path}")
        headers["ETag"] = f'"{blob.sha256 if blob.lfs else blob.oid}"'
        if blob.lfs:
            headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(blob.data))}
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None or asked.group() == "bytes=-":
            return 200, headers, blob.data
        size = len(blob.data)
        first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
        if first > last:
            return 416, {**headers, "Content-Range": f"bytes */{size}"}, b""
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return 206, headers, blob.data[first : last + 1]


def _upload_mode(file: dict[str, Any], head: Commit) -> dict[str, Any]:
    old = head.files.get(file["path"])
    return {
        "path": file["path"],
        "uploadMode": "lfs" if _is_lfs(file["path"], file["size"]) else "regular",
        "shouldIgnore": False,
        "oid": old and (old.sha256 if old.lfs else old.oid),
    }


def _as_ref(ref: str) -> dict[str, str]:
    return {"name": ref, "ref": ref, "targetCommit": ""}


def _sibling(path: str, blob: Blob) -> dict[str, Any]:
    lfs = {"sha256": blob.sha256, "size": len(blob.data), "pointerSize": 134} if blob.lfs else None
    return {"rfilename": path, "size": len(blob.data), "blobId": blob.oid, "lfs": lfs}


def _history(repo: Repo, commit: Commit) -> list[Commit]:
    line = [commit]
    while line[-1].parent is not None:
        line.append(repo.commits[line[-1].parent])
    return line


def _tree(commit: Commit, folder: str, recursive: bool) -> list[dict[str, Any]]:
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, blob in sorted(commit.files.items()):
        if not path.startswith(prefix):
            continue
        parts = path.removeprefix(prefix).split("/")
        parents = list(itertools.accumulate(parts[:-1], "{}/{}".format))
        for parent in parents if recursive else parents[:1]:
            oid = hashlib.sha1(parent.encode()).hexdigest()
            entry = {"type": "directory", "path": prefix + parent, "size": 0, "oid": oid}
            entries.setdefault(parent, entry)
        if recursive or len(parts) == 1:
            entries["/".join(parts)] = blob.describe(path)
    if folder and not entries:
        raise Fault(404, "EntryNotFound", f"{folder} does not exist")
    return list(entries.values())
