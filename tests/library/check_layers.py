# SPDX-License-Identifier: Apache-2.0
"""A folder of src/ can include itself and earlier folders, and nothing else.

    check_layers.py COMPILER SOURCE_DIR LAYER=INCLUDE_ROOT:... ...

The layers come in their order. The compiler's preprocessor is asked which headers of other layers it finds
with the include roots that a layer is compiled with.
"""

import pathlib
import re
import subprocess
import sys
import tempfile


def preprocess(compiler, roots, text):
    """In an empty folder, since a source's own folder is looked at, too."""
    roots = [flag for root in roots for flag in ("-I", root)]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([compiler, "-std=c++20", "-E", "-x", "c++", *roots, "-"],
                              input=text, capture_output=True, text=True, cwd=folder)


def headers_within_reach(compiler, roots, headers):
    lines = [f'#if __has_include("{header}")\nfound {header}\n#endif\n' for header in headers]
    run = preprocess(compiler, roots, "".join(lines))
    return set(re.findall(r"^found (\S+)$", run.stdout, re.MULTILINE))


def fails_to_include(compiler, roots, header):
    run = preprocess(compiler, roots, f'#include "{header}"\n')
    return run.returncode != 0 and header in run.stderr


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
    headers = {
        name: [path.relative_to(source_dir).as_posix() for path in (source_dir / "src" / name).rglob("*.h")]
        for name in order
    }
    problems = []
    for place, (name, roots) in enumerate(layers):
        roots = roots.split(":")
        found = headers_within_reach(compiler, roots, sum(headers.values(), []))
        for other in order[:place + 1]:
            problems += [f"src/{name} cannot include {header}, which comes before it"
                         for header in headers[other] if header not in found]
        for other in order[place + 1:]:
            problems += [f"src/{name} can include {header}, which comes after it"
                         for header in headers[other] if header in found]
        for source in (source_dir / "src" / name).rglob("*"):
            if source.suffix in (".h", ".cpp"):
                problems.extend(wrong_spellings(source))
    first, last = layers[0], layers[-1]
    if not fails_to_include(compiler, first[1].split(":"), headers[last[0]][0]):
        problems.append(f"a source of src/{first[0]} that includes {headers[last[0]][0]} compiles")
    for folder in sorted((source_dir / "src").iterdir()):
        if folder.is_dir() and folder.name not in order + ["cli"]:
            problems.append(f"src/{folder.name} is no layer of src/CMakeLists.txt")
    print("\n".join(problems) or f"{len(order)} layers, each sees those before it alone")
    if problems or len(order) < 2:
        sys.exit(1)


main()
