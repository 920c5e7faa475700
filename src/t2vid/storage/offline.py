"""Gives up a Hub that cannot be reached after two tries, instead of half a minute for every file.

>>> away = HubIsAway()
>>> said = logging.makeLogRecord({"msg": "'no route' thrown while requesting HEAD https://hf.co/a"})
>>> away.filter(said), away.tries
(False, 1)
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time

LOGGER = "huggingface_hub.utils._http"  # says each failed try, before it waits for the next
# A connection that is lost later, in the middle of a training run say, may come back.
AT_FIRST_S = 120.0
_FAILED = re.compile(r"'(.*)' thrown while requesting \w+ (?:https?://)?([^/\s]+)", re.DOTALL)

logger = logging.getLogger(__name__)


class HubIsAway(logging.Filter):
    """Turns `huggingface_hub` to its offline mode at the second failed try to connect.

    It would try each request six times within 23 seconds, and one command asks for several files.
    Offline, what was fetched before is read from the cache, and the rest fails at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()
        self.tries = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Leave out the lines about tries; one line says what was found."""
        said = record.getMessage()
        failed = _FAILED.match(said)
        if failed is None or time.monotonic() - self.began > AT_FIRST_S:
            return not (self.tries and said.startswith("Retrying"))
        self.tries += 1
        if self.tries == 2:
            logger.warning(
                "%s cannot be reached (%s); only what was fetched before is used",
                failed[2],
                " ".join(failed[1].split()),
            )
            _go_offline()
        return False


def _go_offline() -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"  # of processes that begin later
    for module in ("huggingface_hub.constants", "datasets.config"):
        if module in sys.modules:
            vars(sys.modules[module])["HF_HUB_OFFLINE"] = True
