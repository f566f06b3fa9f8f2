"""Make the virtual environment from a lock file: `install.py VENV LOCK`.

Uses uv where the machine has it or pip can put it into the environment, plain pip otherwise. Standard library
only, because nothing is installed yet. Prints how long it took, so that `make demo` can show it apart.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

NEEDED = (3, 11)


def main() -> int:
    if sys.version_info < NEEDED:
        have = ".".join(map(str, sys.version_info[:3]))
        print(
            f"Python 3.11 or newer is needed, but this is {have}: run make with PYTHON=python3.11 (or newer)."
        )
        return 2
    folder, lock = Path(sys.argv[1]), Path(sys.argv[2])
    started = time.monotonic()
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True, symlinks=True)
    uv = uv_of(folder, python)
    if uv:
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
    else:
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "-r", str(lock)], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", "."], check=True)
    # Where PYTHONDONTWRITEBYTECODE is set, as in many containers, what is not compiled now is compiled by each process
    # anew: 8 s more for every run that Dagster starts.
    compiled = [str(python), "-m", "compileall", "-q", "-j", "0", "bcns_pipeline", "bcns_pipeline_tests"]
    subprocess.run(compiled, check=True)
    print(f"environment ready in {time.monotonic() - started:.0f} s ({'uv' if uv else 'pip'}, {lock.name})")
    return 0


def uv_of(folder: Path, python: Path) -> str | None:
    """Path of a usable uv, or None where there is none to be had."""
    own = folder / "bin" / "uv"
    if own.exists():
        return str(own)
    found = shutil.which("uv")
    if found:
        return found
    quiet = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"]
    got = subprocess.run(quiet, check=False, capture_output=True)
    return str(own) if got.returncode == 0 and own.exists() else None


if __name__ == "__main__":
    raise SystemExit(main())
