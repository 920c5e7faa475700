"""The Ray engine on a real local cluster: same bytes, and a dead worker or machine costs no row."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time

import pytest

from mixing.corpora import small_recipe, write_corpora
from t2vid.mixing.build import _planned, build
from t2vid.mixing.ray_engine import write_shards
from t2vid.storage.pool import BuildError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("ray") / "data")


@pytest.fixture(scope="module")
def wanted(data, tmp_path_factory):
    return build(
        small_recipe(), data=data, out=tmp_path_factory.mktemp("local"), rows_per_shard=2
    ).hash


@pytest.fixture(scope="module")
def cluster():
    pytest.importorskip("ray", reason="needs ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    yield cluster
    cluster.shutdown()


def test_the_bytes_are_those_of_the_local_engine(cluster, data, wanted, tmp_path):
    built = build(
        small_recipe(),
        data=data,
        out=tmp_path,
        rows_per_shard=2,
        engine="ray",
        address=cluster.address,
    )
    assert built.hash == wanted and built.written == 12


def test_a_killed_worker_costs_no_row(cluster, data, wanted, tmp_path):
    killed, ended = [], threading.Event()

    def kill_a_worker():
        import psutil

        while not killed and not ended.is_set():
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if "ray::write_shard" in " ".join(process.cmdline()):
                        os.kill(process.pid, signal.SIGKILL)
                        killed.append(process.pid)
                        return
            time.sleep(0.005)

    thread = threading.Thread(target=kill_a_worker)
    thread.start()
    built = build(
        small_recipe(),
        data=data,
        out=tmp_path,
        rows_per_shard=2,
        engine="ray",
        address=cluster.address,
    )
    ended.set()
    thread.join()
    assert killed
    assert built.hash == wanted


def test_a_killed_machine_costs_no_row(cluster, data, wanted, tmp_path):
    extra = cluster.add_node(num_cpus=1)
    plan, _ = _planned(small_recipe(), data, tmp_path, None, True, 2, False)
    for n, _ in enumerate(
        write_shards(tmp_path, list(range(plan.n_shards)), address=cluster.address)
    ):
        if n == 2:
            cluster.remove_node(extra, allow_graceful=False)
    built = build(small_recipe(), data=data, out=tmp_path, rows_per_shard=2)
    assert built.written == 0 and built.hash == wanted


def test_a_shard_that_fails_for_good_is_an_error_with_its_number(cluster, data, tmp_path):
    plan, _ = _planned(small_recipe(), data, tmp_path, None, True, 2, False)
    (tmp_path / ".work" / "rows.parquet").write_bytes(b"broken")
    with pytest.raises(BuildError, match=r"shard \d+ failed for good"):
        list(write_shards(tmp_path, list(range(plan.n_shards)), address=cluster.address))
