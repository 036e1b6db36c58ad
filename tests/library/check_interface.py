# SPDX-License-Identifier: Apache-2.0
"""The shared library exports what include/faultwave declares, and nothing else.

The program exports all of that, too, so that a plugin finds it.

    check_interface.py NM INCLUDE_FOLDER SHARED_LIBRARY PROGRAM
"""

import pathlib
import re
import subprocess
import sys

# How a public header shows what it declares.
VISIBLE = "#pragma GCC visibility push(default)\nnamespace faultwave {\n"
END_OF_VISIBLE = "}  // namespace faultwave\n#pragma GCC visibility pop\n"

# Some of each kind that a user needs: functions, an overloaded one, a member, types to be caught and derived from.
NEEDED = {
    "faultwave::parse_fault",
    "faultwave::to_string",
    "faultwave::open_campaign",
    "faultwave::Network::open",
    "typeinfo for faultwave::UserError",
    "vtable for faultwave::ErrorModel",
}

# What a linker adds by itself.
OF_THE_LINKER = {"_init", "_fini", "_edata", "_end", "__bss_start"}


def exported(nm, file):
    """Mangled and readable names, each a line of nm: address, kind, name."""
    lists = []
    for flags in ([], ["-C"]):
        command = [nm, "-D", "--defined-only", *flags, file]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        lists.append([line.split(maxsplit=2)[-1] for line in run.stdout.splitlines()])
    return dict(zip(*lists))


def declared_words(folder):
    words = set()
    for header in folder.glob("*.h"):
        text = re.sub(r"//.*", "", header.read_text())
        words.update(re.findall(r"[A-Za-z_]\w*", text))
    return words


def parts_of(name):
    """["faultwave", "Injector", "run"] of "faultwave::Injector::run(at::Tensor const&)"."""
    name = re.sub(r"^(vtable|typeinfo|typeinfo name|VTT|guard variable|construction vtable) for ", "", name)
    name = re.sub(r"\[abi:\w+\]", "", name)
    match = re.match(r"(?:[\w:<>, *&]+ )?(faultwave(?:::~?\w+)+)", name)
    return match[1].split("::") if match else []


def main():
    nm, include, library, program = sys.argv[1:]
    include = pathlib.Path(include)
    problems = []
    for header in sorted(include.glob("*.h")):
        text = header.read_text()
        is_visible = "\n" + VISIBLE in text and text.endswith(END_OF_VISIBLE)
        if "\nnamespace faultwave {" in text and not is_visible:
            problems.append(
                f"{header.name} hides what it declares: expected {VISIBLE.splitlines()[0]} before its "
                f"namespace, and {END_OF_VISIBLE.splitlines()[-1]} at its end"
            )
    words = declared_words(include)
    of_library = exported(nm, library)
    for mangled, name in of_library.items():
        if mangled in OF_THE_LINKER:
            continue
        parts = parts_of(name)
        if not parts:
            problems.append(f"exported though not of namespace faultwave: {name}")
        elif any(part.removeprefix("~") not in words and part != "operator" for part in parts[1:]):
            problems.append(f"exported though no public header declares it: {name}")
    names = [name.replace("[abi:cxx11]", "") for name in of_library.values()]
    problems += [f"not exported: {needed}" for needed in sorted(NEEDED)
                 if not any(name == needed or name.startswith(needed + "(") for name in names)]
    of_program = exported(nm, program)
    problems += [f"the program does not export {name}" for mangled, name in of_library.items()
                 if mangled not in of_program and mangled not in OF_THE_LINKER]
    print("\n".join(problems) or f"{len(of_library)} exported names, all of the interface")
    if problems or len(of_library) < 100:
        sys.exit(1)


main()
