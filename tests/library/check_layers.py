# SPDX-License-Identifier: Apache-2.0
"""A folder of src/ can include itself and earlier folders, and nothing else.

    check_layers.py COMPILER SOURCE_DIR LAYER=INCLUDE_ROOT:... ...

The layers come in their order. For each pair the compiler's preprocessor is given a source of one line that
includes a header of the other layer, with the include roots that the first one is compiled with.
"""

import pathlib
import re
import subprocess
import sys


def headers_of(folder):
    return sorted(path for path in folder.rglob("*.h"))


def failure_to_include(compiler, roots, header):
    """What the compiler says about `#include "header"`, or "" where the header is found.

    Only the preprocessor runs, and it may stop at a system header further in: found is found.
    """
    roots = [flag for root in roots for flag in ("-I", root)]
    run = subprocess.run([compiler, "-std=c++20", "-E", "-x", "c++", *roots, "-"],
                         input=f'#include "{header}"\n', capture_output=True, text=True)
    missing = re.search(re.escape(header) + r"[:'’]? .*(No such file|file not found)|'" + re.escape(header) + "' file not found",
                        run.stderr)
    return run.stderr if missing else ""


def wrong_spellings(source):
    """Includes in quotes that would not pass through the include roots."""
    for number, line in enumerate(source.read_text().splitlines(), 1):
        included = re.match(r'#\s*include\s+"([^"]+)"', line)
        if not included:
            continue
        name = included[1]
        if ".." in name or not name.startswith(("src/", "faultwave/")):
            yield f'{source}:{number} includes "{name}": expected "src/..." or "faultwave/...", from the root'


def main():
    compiler, source_dir, *arguments = sys.argv[1:]
    source_dir = pathlib.Path(source_dir)
    layers = [argument.split("=", 1) for argument in arguments]
    order = [name for name, _ in layers]
    problems = []
    checked = 0
    for place, (name, roots) in enumerate(layers):
        roots = roots.split(":")
        for other in order:
            header = headers_of(source_dir / "src" / other)[:1]
            if not header:
                continue
            header = header[0].relative_to(source_dir).as_posix()
            said = failure_to_include(compiler, roots, header)
            may = order.index(other) <= place
            checked += 1
            if may and said:
                problems.append(f"src/{name} cannot include {header}, which comes before it:\n{said}")
            if not may and not said:
                problems.append(f"src/{name} can include {header}, which comes after it")
        for source in (source_dir / "src" / name).rglob("*"):
            if source.suffix in (".h", ".cpp"):
                problems.extend(wrong_spellings(source))
    for folder in sorted((source_dir / "src").iterdir()):
        if folder.is_dir() and folder.name not in order + ["cli"]:
            problems.append(f"src/{folder.name} is no layer of src/CMakeLists.txt")
    print("\n".join(problems) or f"{checked} pairs of layers are as the list says")
    if problems or checked < 100:
        sys.exit(1)


main()
