"""Pages cut a text without losing or doubling anything."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid.errors import InputError
from t2vid.frames.spec import RenderSpec
from t2vid.frames.text import paginate

VISIBLE = st.text(min_size=1, max_size=300).filter(lambda text: bool(text.strip()))


@settings(max_examples=100, deadline=None)
@given(VISIBLE, st.sampled_from([RenderSpec(words_per_frame=3), RenderSpec.paper()]))
def test_pages_rebuild_the_text(text: str, spec: RenderSpec) -> None:
    spans = paginate(text, spec)
    assert spans[0][0] == 0 and spans[-1][1] == len(text)
    assert all(a[1] == b[0] for a, b in zip(spans, spans[1:], strict=False))
    assert all(start < end for start, end in spans)


@pytest.mark.parametrize("text", ["", " ", "\n\t \u2003\r\n"])
@pytest.mark.parametrize("spec", [RenderSpec(), RenderSpec.paper()])
def test_a_blank_text_is_refused(text: str, spec: RenderSpec) -> None:
    with pytest.raises(InputError, match="blank"):
        paginate(text, spec)
