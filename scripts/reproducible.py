"""Build the wheel and the sdist twice, in two copies of the tree, and compare them byte by byte.

    python -m scripts.reproducible --out dist

The copies have other names, other times and other rights; SOURCE_DATE_EPOCH is that of the last commit, if it is not
set. With the same versions of the build tools anybody gets the same bytes from the same sources. Needs build, and Git.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def tracked() -> list[str]:
    """The files of the tree that Git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def epoch() -> str:
    """The time that the archives give to all files, in seconds."""
    command = ["git", "log", "-1", "--format=%ct"]
    last = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return os.environ.get("SOURCE_DATE_EPOCH") or last.stdout.strip()


def built(folder: Path, mode: int) -> dict[str, bytes]:
    """The archives that a copy of the tree in this folder gives, by name."""
    for name in tracked():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)  # made now, unlike the original
        target.chmod(mode)
    command = [sys.executable, "-m", "build", "--outdir", str(folder / "made"), str(folder)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch(), "PYTHONHASHSEED": str(mode)}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return {path.name: path.read_bytes() for path in sorted((folder / "made").iterdir())}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """The names of what is not in both, or not the same."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def main() -> int:
    """Build, compare, and leave the archives in a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the archives go (dist)")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as here:
        one, other = built(Path(here) / "one", 0o644), built(Path(here) / "another", 0o600)
    if differ := differing(one, other):
        print(f"not the same when built again: {', '.join(differ)}", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    for name, content in one.items():
        (out / name).write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
