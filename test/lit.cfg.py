import os
import sys

import lit.formats

config.name = "tenon"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = config.tenon_source + "/test"
config.test_exec_root = config.tenon_build + "/test"
config.environment["PATH"] = os.pathsep.join(
    [config.tenon_build + "/bin", config.llvm_tools, os.environ.get("PATH", "")])

# Pass tests say %tenon_opt, so that the suite also runs under a stock mlir-opt: lit --param plugin=1
plugin = config.tenon_build + "/lib/TenonPlugin.so"
# The packaged mlir-opt has no sanitizers: their runtime comes before it (options: cmake/SanitizerOptions.c).
preload = config.sanitizer_runtime and f"env LD_PRELOAD={config.sanitizer_runtime} ASAN_OPTIONS=allow_user_poisoning=0 "
stock = f"{preload}mlir-opt --load-dialect-plugin={plugin} --load-pass-plugin={plugin}"
config.substitutions += [
    ("%tenon_opt", stock if lit_config.params.get("plugin") else "tenon-opt"),
    ("%stock_opt", stock),
    ("%python", sys.executable),
    ("%tenon_source", config.tenon_source),
    ("%tenon_build", config.tenon_build),
    # Numeric tests: functions whose results agree in pairs, by the interpreter and as compiled code.
    ("%tenon_check", "tenon-interpret --check %s && tenon-check"),
]
