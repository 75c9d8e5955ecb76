"""Make or renew the environment .venv of this folder from requirements.lock.

Run as ``python3 tools/setup.py`` (the Makefile does). Only the standard library is used, and no
syntax newer than Python 3.6, so that an unsuitable Python still reads its own error message.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "stamp"  # what the environment was made from; the Makefile compares its time


def main():
    """Install the locked packages if they changed, then the package itself."""
    version = "{}.{}".format(*sys.version_info[:2])
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit(
            f"Python 3.11, 3.12 or 3.13 is needed; {sys.executable} is {version}. "
            "Name another one: make PYTHON=python3.12 ..."
        )
    lock = (ROOT / "requirements.lock").read_bytes()
    made_from = f"{version} {hashlib.sha256(lock).hexdigest()}"
    wanted = f"{made_from}\n{ROOT}\n"  # a copied environment imports the other folder's code
    if stamp() not in (wanted, f"{made_from}\n") or not made_here():
        print(f"Making .venv with Python {version} (some minutes the first time)", flush=True)
        if run(sys.executable, "-m", "venv", "--clear", str(VENV)):
            sys.exit("No environment could be made. On Debian: apt-get install python3-venv")
        if pip("--requirement", "requirements.lock"):
            sys.exit("The packages of requirements.lock could not be installed: see above")
    if pip("--no-deps", "--editable", "."):
        sys.exit("The package could not be installed: see above")
    STAMP.write_text(wanted, encoding="utf-8")


def stamp():
    """Return what the environment was made from, "" where there is none."""
    return STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""


def made_here():
    """Tell whether the environment was made in this folder: its scripts hold the path."""
    settings = VENV / "pyvenv.cfg"
    if not settings.exists():
        return False
    for line in settings.read_text(encoding="utf-8").splitlines():
        if line.startswith("command = "):
            return line.rstrip().endswith(" " + str(VENV))
    return True  # a Python that does not say


def pip(*arguments):
    """Run pip install in the environment; return its exit status."""
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return run(str(python), "-m", "pip", "install", "--quiet", *arguments)


def run(*command):
    """Run a command in the root; return its exit status."""
    return subprocess.call(command, cwd=str(ROOT))


if __name__ == "__main__":
    main()
