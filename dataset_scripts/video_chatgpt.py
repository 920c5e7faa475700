"""`t2vid/video_chatgpt`: questions about ActivityNet videos; `t2vid.dataset_scripts.clips` has the options.

    from datasets import load_dataset
    rows = load_dataset("t2vid/video_chatgpt", data_files="VideoInstruct100K.json", data_dir="videos/")

>>> VideoChatGpt.CORPUS.SOURCE
'video_chatgpt'
"""

from t2vid.corpora import video_chatgpt
from t2vid.dataset_scripts.clips import Clips


class VideoChatGpt(Clips):
    """Builder behind `load_dataset("t2vid/video_chatgpt", …)`."""

    CORPUS = video_chatgpt
