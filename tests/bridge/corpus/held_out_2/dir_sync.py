"""Mirror a folder tree into another one, as cron calls it."""
import filecmp
import logging
import logging.config
import shutil
import sys
import tempfile
from pathlib import Path

logging.config.dictConfig({
    "version": 1,
    "formatters": {"f": {"format": "%(asctime)s %(process)d %(levelname)s %(funcName)s: %(message)s"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "f"}},
    "root": {"level": "DEBUG", "handlers": ["out"]},
})


class SyncStats(dict):
    def hit(self, key):
        self[key] = self.get(key, 0) + 1


def make_tree(root):
    for rel, text in {
        "docs/readme.txt": "hello", "docs/old.txt": "same", "img/logo.svg": "<svg/>",
        "img/huge.bin": "x" * 4000, "tmp/lock": "",
    }.items():
        p = root / rel
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)


def scan(root):
    logging.info(f"scanning {root.name}/")  # @scan
    found = sorted(p for p in root.rglob("*") if p.is_file())
    for p in found:
        logging.debug(f"  {p.name} {p.stat().st_size}")
    logging.info(f"scanned {root.name}/, {len(found)} files")  # @scan_ok
    return found


def copy(src, dst, limit, stats):
    if dst.exists() and filecmp.cmp(src, dst, shallow=False):
        logging.debug(f"unchanged: {src.name}")
        stats.hit("unchanged")
        return
    logging.debug(f"copying {src.name}")  # @copy
    try:
        if src.stat().st_size > limit:
            raise OSError(28, "quota exceeded")
        dst.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(src, dst)
    except OSError as e:
        logging.error(f"error copying {src.name}: {e.strerror}")  # @copy_bad
        stats.hit("failed")
    else:
        logging.debug(f"copied {src.name} ({src.stat().st_size} bytes)")  # @copy_ok
        stats.hit("copied")


def sync(source, target, skip=("tmp",), limit=2000):
    stats = SyncStats()
    logging.info(f"sync {source.name} -> {target.name} started")  # @sync
    for path in scan(source):
        rel = path.relative_to(source)
        if rel.parts[0] in skip:
            logging.debug(f"ignoring {rel}")
            stats.hit("ignored")
            continue
        copy(path, target / rel, limit, stats)
    for path in scan(target):
        if not (source / path.relative_to(target)).exists():
            path.unlink()
            logging.info(f"removed {path.name}, it is gone at the source")
            stats.hit("removed")
    logging.info(f"sync {source.name} -> {target.name} done: {dict(sorted(stats.items()))}")  # @sync_ok
    return stats


def main():
    logging.info("dir_sync, dry run: no, size limit: 2000 bytes")
    with tempfile.TemporaryDirectory() as tmp:
        source, target = Path(tmp, "master"), Path(tmp, "mirror")
        make_tree(source)
        (target / "docs").mkdir(parents=True)
        (target / "docs" / "old.txt").write_text("same")
        (target / "docs" / "stale.txt").write_text("bye")
        stats = sync(source, target)
    if stats.get("failed"):
        logging.warning(f"{stats['failed']} file(s) could not be mirrored, see above")
    return 0


if __name__ == "__main__":
    sys.exit(main())
