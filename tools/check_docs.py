# SPDX-License-Identifier: Apache-2.0
"""Checks that what README.md and docs/ show is what happens: `python tools/check_docs.py BUILD`.

Documents mark their blocks with comments:

- `<!-- file: PATH -->` before a block that must equal a file of this tree,
- `<!-- output: COMMAND -->` before a block that must equal what the command prints; commands run in the root of the
  tree, and a leading `build/` stands for BUILD,
- `<!-- snippet: NAME -->` before a block that must equal the piece of that name in tests/docs/snippets.cpp, which the
  tests compile and run.

A block of C++ without a mark is an error, and so is a piece that no document shows.
"""

import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
SNIPPETS = ROOT / "tests/docs/snippets.cpp"
BLOCK = re.compile(r"(?:<!-- (file|output|snippet): (.+?) -->\n+)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PIECE = re.compile(r"^ *// snippet ([^\n]+)\n(.*?)^ *// end snippet$", re.DOTALL | re.MULTILINE)


def pieces():
    return {name: textwrap.dedent(text) for name, text in PIECE.findall(SNIPPETS.read_text())}


def output_of(command, build):
    command = command.replace("build/", f"{build}/")
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"`{command}` ended with {done.returncode}: {done.stderr}")
    return done.stdout


def expected_text(kind, what, snippets, build):
    if kind == "file":
        return (ROOT / what).read_text()
    if kind == "snippet":
        return snippets.get(what, f"no piece of {SNIPPETS.name} has this name\n")
    return output_of(what, build)


def check(document, snippets, build):
    """Prints what differs; the number of wrong blocks, and the names of the pieces that are shown."""
    wrong = 0
    shown_pieces = set()
    name = document.relative_to(ROOT)
    for kind, what, language, shown in BLOCK.findall(document.read_text()):
        if not kind:
            if language == "cpp":
                wrong += 1
                print(f"{name}: this C++ is not compiled by a test; put it into {SNIPPETS.name}:\n{shown}")
            continue
        if kind == "snippet":
            shown_pieces.add(what)
        actual = expected_text(kind, what, snippets, build)
        if shown.strip() == actual.strip():
            print(f"{name}: {what}: as shown")
            continue
        wrong += 1
        print(f"{name}: {what} differs.\n--- shown\n{shown}--- is\n{actual}")
    return wrong, shown_pieces


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    snippets = pieces()
    wrong = 0
    unused = set(snippets)
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        wrong_here, shown = check(document, snippets, build)
        wrong += wrong_here
        unused -= shown
    for name in sorted(unused):
        wrong += 1
        print(f"{SNIPPETS.name}: no document shows '{name}'")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
