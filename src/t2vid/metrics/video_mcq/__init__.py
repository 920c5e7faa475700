"""Multiple-choice accuracy over free-text answers: `evaluate.load("t2vid/video_mcq")`."""
