"""The Dockerfiles of a corpus, each laid out in a folder with the files that it uses."""

from __future__ import annotations

import csv
from pathlib import Path

from envcheck.docker.instructions import read_dockerfile

__all__ = ["contexts"]


def contexts(corpus: Path, scratch: Path, only: Path | None = None) -> list[tuple[Path, Path]]:
    """Every Dockerfile of a corpus, or only one, laid out with its files, and its build context."""
    with (corpus / "INDEX.tsv").open(encoding="utf-8", newline="") as stream:
        entries = list(csv.DictReader(stream, delimiter="\t"))
    found = []
    for entry in entries:
        if entry["kind"] != "I" or (only is not None and corpus / entry["file"] != only):
            continue
        folder = Path(entry["file"]).parent
        root = scratch / folder.name
        for other in entries:
            if Path(other["file"]).parent == folder:
                target = root / other["path"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((corpus / other["file"]).read_bytes())
        dockerfile = root / entry["path"]
        found.append((dockerfile, _context_of(dockerfile, root)))
    return found


def _context_of(dockerfile: Path, root: Path) -> Path:
    """The folder, from the Dockerfile's up to the repository's root, that has most of what COPY names."""
    parsed = read_dockerfile(dockerfile.read_bytes(), str(dockerfile))
    sources = [
        word
        for stage in parsed.stages
        for one in stage.instructions
        if one.keyword in ("COPY", "ADD") and one.flag("from") is None
        for word in one.words[:-1]
        if word not in (".", "./", "/")
    ]
    candidates = [dockerfile.parent]
    while candidates[-1] != root:
        candidates.append(candidates[-1].parent)
    scores = [(sum((folder / word.lstrip("/")).exists() for word in sources), folder) for folder in candidates]
    return max(scores, key=lambda one: (one[0], one[1] == root))[1]
