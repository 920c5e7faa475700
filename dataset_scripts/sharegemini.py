"""`t2vid/sharegemini`: long captions of WebVid clips; `t2vid.dataset_scripts.clips` has the options.

    from datasets import load_dataset
    rows = load_dataset("t2vid/sharegemini", data_dir="videos/")

>>> ShareGemini.CORPUS.SOURCE
'sharegemini'
"""

from t2vid.corpora import share_gemini
from t2vid.dataset_scripts.clips import Clips


class ShareGemini(Clips):
    """Builder behind `load_dataset("t2vid/sharegemini", …)`."""

    CORPUS = share_gemini
