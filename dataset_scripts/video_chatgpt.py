"""`t2vid/video_chatgpt`: questions about ActivityNet videos, decoded when a row is read.

    from datasets import load_dataset
    rows = load_dataset("t2vid/video_chatgpt", data_files="VideoInstruct100K.json", data_dir="videos/")

Without `data_files=` the annotation comes from `data_dir` if it is there, else from the Hub; the
videos are always local, in any nesting and with any extension. Without the registered name:
`VideoChatGpt(data_dir="videos/").download_and_prepare()`, then `.as_dataset()`.

>>> VideoChatGpt.HUB_FILE.rpartition("/")[2]
'VideoInstruct100K.json'
"""

from __future__ import annotations

from collections.abc import Iterator

from t2vid.corpora import video_chatgpt
from t2vid.corpora.clips import Clip
from t2vid.dataset_scripts.clips import Clips, read
from t2vid.dataset_scripts.corpus import Job
from t2vid.schema import Counts


class VideoChatGpt(Clips):
    """Builder behind `load_dataset("t2vid/video_chatgpt", …)`."""

    SOURCE = video_chatgpt.SOURCE
    HUB_FILE = "hf://datasets/MBZUAI/VideoInstruct-100K/VideoInstruct100K.json"

    def convert(self, job: Job, counts: Counts) -> Iterator[Clip]:
        """Give the conversations of a job."""
        return video_chatgpt.convert(read(job), counts, source=job.source)
