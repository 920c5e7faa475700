"""`t2vid/sharegemini`: long captions of WebVid clips, decoded when a row is read.

    from datasets import load_dataset
    rows = load_dataset("t2vid/sharegemini", data_files="sharegemini_webvid_core100k.json", data_dir="videos/")

Without `data_files=` the annotation comes from `data_dir` if it is there, else from the Hub; the
videos are always local, in any nesting and with any extension. Without the registered name:
`ShareGemini(data_dir="videos/").download_and_prepare()`, then `.as_dataset()`.

>>> ShareGemini.HUB_FILE.rpartition("/")[2]
'sharegemini_webvid_core100k.json'
"""

from __future__ import annotations

from collections.abc import Iterator

from t2vid.corpora import share_gemini
from t2vid.corpora.clips import Clip
from t2vid.dataset_scripts.clips import Clips, read
from t2vid.dataset_scripts.corpus import Job
from t2vid.schema import Counts


class ShareGemini(Clips):
    """Builder behind `load_dataset("t2vid/sharegemini", …)`."""

    SOURCE = share_gemini.SOURCE
    HUB_FILE = "hf://datasets/Share14/ShareGemini/sharegemini_webvid_core100k.json"

    def convert(self, job: Job, counts: Counts) -> Iterator[Clip]:
        """Give the conversations of a job."""
        return share_gemini.convert(read(job), counts, source=job.source)
