"""Which generated graphs a test makes: a few by default, those of TENON_SEEDS=FIRST:LAST in `make test-generated`."""

import os


def seeds(default):
    given = os.environ.get("TENON_SEEDS")
    return range(*map(int, given.split(":"))) if given else default
