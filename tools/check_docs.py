# SPDX-License-Identifier: Apache-2.0
"""Checks that what README.md and docs/ show is what happens: `python tools/check_docs.py BUILD`.

Documents mark their blocks with comments:

- `<!-- file: PATH -->` before a block that must equal a file of this tree,
- `<!-- output: COMMAND -->` before a block that must equal what the command prints; commands run in the root of the
  tree, and a leading `build/` stands for BUILD,
- `<!-- snippet: NAME -->` before a block that must equal the piece of that name in tests/docs/snippets.cpp, which the
  tests compile and run,
- `<!-- not run: NOTE -->` before a block of Python that needs what is not here, such as a GPU; it is compiled alone.

Blocks of Python are run, those of a document one after the other in one process, with the package of BUILD, in an empty
folder. A block without a language that follows one, with nothing but blank lines between, is what that one prints.
Where BUILD has no package, they are compiled alone.

A block of C++ without a mark is an error, and so is a piece that no document shows.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
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


PYTHON = re.compile(
    r"(?:<!-- (?P<mark>not run|file|output|snippet): .+? -->\n+)?^```python\n(?P<code>.*?)^```$"
    r"(?:\n+```\n(?P<shown>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)

# Runs the blocks given as JSON one after the other; prints what each printed, as JSON.
RUNNER = """
import contextlib, io, json, sys
names, printed = {"__name__": "__main__"}, []
for number, code in enumerate(json.load(sys.stdin)):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        exec(compile(code, f"block {number + 1}", "exec"), names)
    printed.append(text.getvalue())
json.dump(printed, sys.stdout)
"""


def run_python(blocks, build):
    """What each block prints."""
    package = (ROOT / build / "python").resolve()
    environment = {**os.environ, "PYTHONPATH": str(package)}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-c", RUNNER], cwd=folder, env=environment, input=json.dumps(blocks),
                              capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None, done.stderr
    return json.loads(done.stdout), ""


def check_python(document, build):
    """Runs the document's Python, and prints what differs from what it shows; the number of wrong blocks."""
    name = document.relative_to(ROOT)
    blocks = [block for block in PYTHON.finditer(document.read_text()) if block["mark"] in (None, "not run")]
    for block in blocks:
        compile(block["code"], str(name), "exec")
    run = [block for block in blocks if block["mark"] is None]
    if not run or not (ROOT / build / "python/faultwave/builds").is_dir():
        return 0
    printed, errors = run_python([block["code"] for block in run], build)
    if printed is None:
        print(f"{name}: its Python does not run:\n{errors}")
        return 1
    wrong = 0
    for block, text in zip(run, printed):
        if block["shown"] is not None and block["shown"].strip() != text.strip():
            wrong += 1
            print(f"{name}: this Python prints something else.\n{block['code']}--- shown\n{block['shown']}--- is\n{text}")
    print(f"{name}: {len(run)} blocks of Python run" + ("" if wrong else ", as shown"))
    return wrong


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
        wrong += wrong_here + check_python(document, build)
        unused -= shown
    for name in sorted(unused):
        wrong += 1
        print(f"{SNIPPETS.name}: no document shows '{name}'")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
