"""What a workflow is built with: a sample of its trigger, and of what each step gives; and its steps tried with them.

May use the kinds of step, the models and the registry. Begin with `trigger_samples.py`, then `sample_checks.py`, the
only one that may ask a provider. A sample is real where there is anything real, and each says where it comes from.
"""

from workflows.definitions.samples.origin import Origin
from workflows.definitions.samples.step_samples import (
    StepSample,
    fetched_of,
    is_fetchable,
    keep_fetched,
    note_not_fetched,
    step_sample,
    step_samples,
)
from workflows.definitions.samples.trigger_samples import (
    MOST_ITEMS,
    Found,
    TriggerSample,
    choose,
    drop_typed,
    forget,
    invented,
    item_title,
    items_of,
    keep_items,
    keep_typed,
    made_for,
    note_reading,
    reading_of,
    sample_of,
)

__all__ = [
    "MOST_ITEMS",
    "Found",
    "Origin",
    "StepSample",
    "TriggerSample",
    "choose",
    "drop_typed",
    "fetched_of",
    "forget",
    "invented",
    "is_fetchable",
    "item_title",
    "items_of",
    "keep_fetched",
    "keep_items",
    "keep_typed",
    "made_for",
    "note_not_fetched",
    "note_reading",
    "reading_of",
    "sample_of",
    "step_sample",
    "step_samples",
]
