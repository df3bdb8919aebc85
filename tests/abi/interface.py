"""Compiles a voiceflow.h into a shared library that has its functions and types and nothing else.

    python3 interface.py HEADER LIBRARY

This is for libabigail, which of the real library sees Rust's debug information: no description of a C
interface, and changed by every compiler. Here is what programs are compiled against: each function with its
parameters, the structs and the enums. That the real library exports the same functions, and that the header
is what its sources say, other tests check.
"""

import re
import subprocess
import sys
from pathlib import Path


def stand_in(header: str) -> str:
    """C source that defines each function of the header and a variable of each enum: no function has one."""
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    functions = re.findall(r"^((?:const )?\w+ \*?vf_\w+\([^;{}]*\));", code, flags=re.MULTILINE)
    enums = re.findall(r"^typedef enum (vf_\w+) \{", code, flags=re.MULTILINE)
    if not functions or not enums:
        sys.exit("interface.py: the header has no functions or no enums")
    handles = sorted(set(re.findall(r"^typedef struct (vf_\w+) \1;", code, flags=re.MULTILINE)))
    return "\n".join(
        ["#include <voiceflow.h>"]
        + [f"struct {handle} {{ char opaque; }};" for handle in handles]
        + [f"{function} {{ __builtin_trap(); }}" for function in functions]
        + [f"enum {enum} vf_abi_{enum};" for enum in enums]
    )


def main() -> None:
    header, library = Path(sys.argv[1]), Path(sys.argv[2])
    command = [
        "gcc",
        "-g",
        "-O0",
        "-w",
        "-fPIC",
        "-shared",
        f"-I{header.parent}",
        "-x",
        "c",
        "-",
        "-o",
        library,
    ]
    subprocess.run(command, input=stand_in(header.read_text()), text=True, check=True)


if __name__ == "__main__":
    main()
