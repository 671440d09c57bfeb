"""Kernels have no more machine instructions than recorded, with 5 % of slack: `python python/tests/instructions.py` records anew."""

import json

import pytest
from instructions import KERNELS, RECORD, TARGETS, count

SLACK = 0.05
# What a contraction may have at most, whatever is recorded.
LIMITS = {"contraction_static": 600, "contraction_static_ragged": 600, "contraction_dynamic": 1000}


def test_all_are_recorded():
    assert json.loads(RECORD.read_text()).keys() == KERNELS.keys()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", KERNELS)
def test_no_more_than_recorded(name, target):
    recorded, counted = json.loads(RECORD.read_text())[name][target], count(name, target)
    assert counted <= (1 + SLACK) * recorded
    assert counted <= LIMITS.get(name, counted)
