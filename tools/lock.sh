#!/usr/bin/env bash
# Write requirements.lock anew: a clean environment of the oldest supported Python, frozen.
# Usage: tools/lock.sh [python3.11]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${1:-python3}" -m venv "$work/venv"
# torch is pinned by hand: it decides the numbers and the size of everything below it.
"$work/venv/bin/pip" install --quiet torch==2.13.0
# soupsieve 3 refuses Python 3.11.2, which is what Debian 12 has.
"$work/venv/bin/pip" install --quiet --editable ".[book,test]" torch==2.13.0 "soupsieve<3"
{
  echo "# The exact set that CI passed with, for Python 3.11 to 3.13. Written by tools/lock.sh."
  # A local build label (+cpu) names one index; GPU libraries follow torch where it wants them.
  "$work/venv/bin/pip" freeze --exclude-editable |
    sed 's/+[a-z0-9.]*$//' | grep -v -i -E '^(nvidia|cuda|triton|setuptools|wheel|pip)'
} >"$work/lock"
mv "$work/lock" requirements.lock
