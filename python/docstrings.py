# SPDX-License-Identifier: Apache-2.0
"""Writes the docstrings of a stub as C++, so that help() tells what editors tell: `python docstrings.py STUB OUTPUT`.

OUTPUT has a line {"Class", "text"}, or {"Class.property", "text"}, for each class and property of the stub.
"""

import ast
import json
import pathlib
import sys


def is_property(node: ast.FunctionDef) -> bool:
    return any(
        isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in node.decorator_list
    )


def docstrings(stub: str) -> dict[str, str]:
    found = {}
    for node in ast.parse(stub).body:
        if not isinstance(node, ast.ClassDef):
            continue
        found[node.name] = ast.get_docstring(node) or ""
        for member in node.body:
            if isinstance(member, ast.FunctionDef) and is_property(member):
                found[f"{node.name}.{member.name}"] = ast.get_docstring(member) or ""
    return found


def main() -> None:
    stub, output = (pathlib.Path(argument) for argument in sys.argv[1:])
    texts = docstrings(stub.read_text())
    # A JSON string of ASCII without control characters but newlines is a C++ string.
    lines = [f"{{{json.dumps(name)}, {json.dumps(text)}}},\n" for name, text in texts.items() if text]
    output.write_text("".join(lines))


if __name__ == "__main__":
    main()
