"""Exit status 1 if a module has some texts and tenon-opt, with the arguments behind `--`, says another one.

interesting.py TEXT.. -- SAID ARGUMENT.. FILE: SAID is what is on its standard error, or "" if it has to end well.
"""

import pathlib
import subprocess
import sys

split = sys.argv.index("--")
texts, (said, *arguments) = sys.argv[1:split], sys.argv[split + 1:]
run = subprocess.run(["tenon-opt", *arguments, "-o", "/dev/null"], capture_output=True, text=True)
holds = said in run.stderr if said else run.returncode == 0
module = pathlib.Path(sys.argv[-1]).read_text()
sys.exit(holds and all(text in module for text in texts))
