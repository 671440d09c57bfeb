"""Files in the tree that a script wrote are what it would write."""

import pathlib
import subprocess
import sys

import pytest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"


@pytest.mark.parametrize("script", ["update_signatures.py"])
def test_file_is_what_its_script_writes(script):
    subprocess.run([sys.executable, SCRIPTS / script, "--check"], check=True)
