# SPDX-License-Identifier: Apache-2.0
"""The library prints nothing and never ends the process: no object refers to what would do either.

    check_quiet.py NM LAYER.txt...

Each file lists the objects of the layer that it is named for.
"""

import pathlib
import re
import subprocess
import sys

# Names as nm -C prints them: streams and functions that write to standard output or error, or end the
# process.
LOUD = re.compile(
    r"^(std::(cout|cerr|clog|wcout|wcerr|wclog|exit|_Exit|quick_exit|abort)(\(.*\))?"
    r"|stdout|stderr|printf|vprintf|puts|putchar|perror|__printf_chk|__vprintf_chk"
    r"|exit|_exit|_Exit|quick_exit|abort)(@.*)?$")

# What may stay, each with its reason, as (folder, symbol).
ALLOWED = {
    # A child between fork and exec, or of a parent that is gone, has nobody to throw to.
    ("workers", "_exit"),
    # The watching process ends with the exit code of the child that did the work.
    ("workers", "_Exit"),
}


def undefined_symbols(nm, object_file):
    run = subprocess.run([nm, "-u", "-C", object_file], capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        yield line.strip().removeprefix("U ").removeprefix("w ").strip()


def main():
    nm, *lists = sys.argv[1:]
    problems = []
    used = set()
    objects = 0
    for list_of_objects in map(pathlib.Path, lists):
        name = list_of_objects.stem
        for object_file in list_of_objects.read_text().split():
            if not object_file.endswith(".o"):  # a precompiled header stands among them
                continue
            objects += 1
            for symbol in undefined_symbols(nm, object_file):
                if not LOUD.match(symbol):
                    continue
                plain = symbol.split("@")[0]
                if (name, plain) in ALLOWED:
                    used.add((name, plain))
                else:
                    problems.append(f"src/{name}: {pathlib.Path(object_file).name} uses {plain}")
    for name, symbol in sorted(ALLOWED - used):
        problems.append(f"src/{name} no longer uses {symbol}: take it out of the list")
    print("\n".join(problems) or f"{objects} objects neither print nor exit")
    if problems or objects < len(lists):
        sys.exit(1)


main()
