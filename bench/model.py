"""The slot model's speed: random layouts, and the time that their prediction takes."""

from __future__ import annotations

import time
from itertools import islice

import numpy as np

from xenlab.slots.bulk import predict_bulk
from xenlab.slots.columns import LayoutColumns
from xenlab.slots.random_layouts import random_layouts

SEED = 1
READ = 20_000
DIFFERENT = 4_000


def spread_layouts(count: int) -> LayoutColumns:
    """So many layouts: the first few thousand of a stream, over and over."""
    columns = LayoutColumns.of(list(islice(random_layouts(SEED), DIFFERENT)))
    return columns.pick(np.arange(count) % DIFFERENT)


def rate_of_reading() -> float:
    """Layouts a second, no two alike, from their objects to all fates."""
    layouts = tuple(islice(random_layouts(SEED), READ))
    start_s = time.perf_counter()
    predicted = predict_bulk(LayoutColumns.of(layouts))
    elapsed_s = time.perf_counter() - start_s
    assert len(predicted.fates) == len(layouts)
    return len(layouts) / elapsed_s


def time_prediction(columns: LayoutColumns) -> float:
    """Seconds from the arrays to all fates."""
    start_s = time.perf_counter()
    predicted = predict_bulk(columns)
    elapsed_s = time.perf_counter() - start_s
    assert len(predicted.fates) == len(columns)
    return elapsed_s
