"""A frame drawn for a family reaches its vision encoder pixel by pixel: nothing resizes it."""

from __future__ import annotations

import dataclasses
import logging
import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from t2vid.catalog import paper_family
from t2vid.frames.render import render_text
from t2vid.frames.sampling import target_size
from t2vid.frames.spec import RenderSpec
from t2vid.models.families import frame_px, one_patch
from t2vid.models.pixels import EncodedRow, frames_array, put_pixels

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


@pytest.mark.parametrize("spec", [RenderSpec(), COLORED], ids=["gray", "colours"])
@pytest.mark.parametrize("direct", [True, False])
def test_a_cropped_page_is_shown_whole_to_a_model_of_one_size(
    spec: RenderSpec, direct: bool
) -> None:
    processor = SimpleNamespace(image_processor=image_processor("internvl"), images_kwargs=None)
    one_patch(processor)
    seen = []
    for crop in (False, True):
        spec = dataclasses.replace(spec, crop_last=crop)
        frames = render_text("Some words of a text. " * 40, spec)
        assert (frames[-1].height < frames[0].height) == crop
        frames = pickle.loads(pickle.dumps(list(frames)))  # as a worker hands them over
        row = EncodedRow("r", "s", *[np.zeros(0)] * 3, n_frames=len(frames))
        row = put_pixels(row, frames, processor, paper_family("internvl"), direct=direct)
        seen.append(row.frames if direct else row.pixels["pixel_values"].numpy())
    assert (seen[0] == seen[1]).all()


def test_a_model_that_keeps_shapes_sees_the_cropped_page() -> None:
    images = SimpleNamespace(
        patch_size=14, fit=lambda width, height: (width // 14 * 14, height // 14 * 14), resample=3
    )
    page = render_text("A few words.", RenderSpec(crop_last=True))[0]
    row = EncodedRow("r", "s", *[np.zeros(0)] * 3, n_frames=1)
    processor = SimpleNamespace(image_processor=images)
    row = put_pixels(row, [page], processor, paper_family("minicpm"), direct=True)
    assert row.pixels["target_sizes"].tolist() == [[page.height // 14, 32]]
