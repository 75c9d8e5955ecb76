"""The built site as one file that opens from disk: ``_build/how-sgd-escapes.zip``."""

import argparse
import os
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
TARGET = ROOT / "_build" / "how-sgd-escapes.zip"


def written(source: Path, target: Path) -> int:
    """Write all files below a folder into an archive; return how many.

    Names are sorted and times are fixed, so that the same pages give the same bytes.
    """
    files = sorted(path for path in source.rglob("*") if path.is_file())
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in files:
            name = Path(target.stem) / path.relative_to(source)
            entry = zipfile.ZipInfo(name.as_posix(), date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    os.replace(part, target)
    return len(files)


def main():
    """Archive the built pages."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if not (HTML / "index.html").exists():
        raise SystemExit(f"No pages in {HTML}: run make book first")
    count = written(HTML, TARGET)
    print(f"{TARGET}: {count} files, {TARGET.stat().st_size / 1e6:.1f} MB; open index.html in it")


if __name__ == "__main__":
    main()
