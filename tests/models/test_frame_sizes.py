"""A frame drawn for a family reaches its vision encoder pixel by pixel: nothing resizes it."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from t2vid.catalog import paper_family
from t2vid.frames.render import render_text
from t2vid.frames.sampling import target_size
from t2vid.frames.spec import RenderSpec
from t2vid.models.families import frame_px, one_patch
from t2vid.models.pixels import frames_array

COLORED = RenderSpec(colors=("#7a1020", "#f0fff4"))


def image_processor(family: str) -> Any:
    """The family's class with the sizes that its checkpoints set."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    if family == "idefics3":
        from transformers import Idefics3ImageProcessorPil

        return Idefics3ImageProcessorPil()
    from transformers import GotOcr2ImageProcessorPil

    return GotOcr2ImageProcessorPil(size={"height": 448, "width": 448}, crop_to_patches=True)


@pytest.mark.parametrize("spec", [RenderSpec(), COLORED], ids=["gray", "colours"])
@pytest.mark.parametrize("family", ["idefics3", "internvl"])
def test_the_processor_changes_no_pixel_of_a_familys_frame(family: str, spec: RenderSpec) -> None:
    images = image_processor(family)
    processor = SimpleNamespace(image_processor=images, images_kwargs=None)
    one_patch(processor)
    (frame,) = render_text("One frame, as the encoder sees it.", spec.for_family(family))
    assert frame.size == frame_px(processor) == (paper_family(family).frame_px,) * 2
    seen = images(
        images=[[frame.convert("RGB")]], return_tensors="np", **processor.images_kwargs or {}
    )
    values = np.asarray(seen["pixel_values"]).reshape(3, *frame.size[::-1])
    mean, std = (np.array(x).reshape(3, 1, 1) for x in (images.image_mean, images.image_std))
    pixels = ((values * std + mean) / images.rescale_factor).round().astype(np.uint8)
    assert (pixels.transpose(1, 2, 0) == np.asarray(frame.convert("RGB"))).all()
    # and so does what trains without that processor
    ours = frames_array([frame], frame_px(processor), resample=3)
    assert (ours[0] == np.asarray(frame.convert("RGB"))).all()


def test_minicpms_rule_for_one_patch_keeps_its_frame() -> None:
    frame = render_text("One frame.", RenderSpec().for_family("minicpm"))[0]
    assert target_size(*frame.size, "minicpm") == frame.size == (448, 448)
