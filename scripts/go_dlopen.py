"""Writes bindings/go/dlopen_functions.h: each function of voiceflow.h as a line for dlopen.c.

    python3 scripts/go_dlopen.py [--check]

With --check, fails where the file is not what it would write.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = ROOT / "include/voiceflow.h"
WRITTEN = ROOT / "bindings/go/dlopen_functions.h"
# Where the library is missing, dlopen.c answers it.
OWN = "vf_last_error"
HEAD = "/* Written by scripts/go_dlopen.py: what dlopen.c takes from the library. */\n"


def line(result: str, name: str, parameters: str) -> str:
    """The function as a macro of dlopen.c."""
    parameters = " ".join(parameters.split())
    names = [] if parameters == "void" else [re.search(r"\w+$", part)[0] for part in parameters.split(",")]
    macro = {"void": "NOTHING", "vf_status": "STATUS"}.get(result)
    start = f"{macro}(" if macro else f"VALUE({result}, "
    return f"{start}{name}, ({parameters}), ({', '.join(names)}))\n"


def text(header: str) -> str:
    """All functions of the header but one."""
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    found = re.findall(r"^((?:const )?\w+ \*?)(vf_\w+)\(([^;{}]*)\);", code, flags=re.M)
    if len(found) < 80:
        sys.exit(f"{HEADER}: expected 80 functions or more, found {len(found)}")
    return HEAD + "".join(line(result.strip(), name, rest) for result, name, rest in found if name != OWN)


def main() -> int:
    expected = text(HEADER.read_text())
    if "--check" not in sys.argv[1:]:
        WRITTEN.write_text(expected)
    elif not WRITTEN.is_file() or WRITTEN.read_text() != expected:
        print(f"{WRITTEN}: not what voiceflow.h has: run scripts/go_dlopen.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
