# SPDX-License-Identifier: Apache-2.0
"""Checks that what the README shows is what happens: `python tools/check_readme.py BUILD`.

The README marks its blocks with comments: `<!-- file: PATH -->` before a block that must equal a file of this tree, and
`<!-- output: COMMAND -->` before a block that must equal what the command prints. Commands run in the root of the tree;
a leading `build/` stands for BUILD.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- (file|output): (.+?) -->\n+```\w*\n(.*?)```", re.DOTALL)


def expected_text(kind, what, build):
    if kind == "file":
        return (ROOT / what).read_text()
    command = what.replace("build/", f"{build}/")
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"README: `{what}` ended with {done.returncode}: {done.stderr}")
    return done.stdout


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    if not blocks:
        raise SystemExit("README: no marked block found; it should show at least one program and its output")
    wrong = 0
    for kind, what, shown in blocks:
        actual = expected_text(kind, what, build)
        if shown.strip() == actual.strip():
            print(f"README: {what}: as shown")
            continue
        wrong += 1
        print(f"README: {what} differs.\n--- shown\n{shown}--- is\n{actual}")
    raise SystemExit(wrong)


if __name__ == "__main__":
    main()
