"""What is asked beside the questions: to describe a clip, to name a picture, to read a page.

>>> len(DESCRIBE)  # as many as ShareGemini has
9
"""

from __future__ import annotations

DESCRIBE = (
    "Describe the clip.",
    "Tell what comes in the clip.",
    "Describe the clip in order.",
    "What is seen in the clip?",
    "Tell the clip from start to end.",
    "Describe each thing in the clip.",
    "Tell all of the clip.",
    "What comes in this clip?",
    "Describe all that is seen.",
)
LOOK = ("What is in the picture?", "Which thing is seen?", "Describe the picture.")
READ = ("Read the page.", "What does the page tell?", "Read the text.")
