"""Nightly backup: pack the folders, verify the archives, prune the old ones. loguru all over."""
import hashlib
import io
import sys
import tarfile
import threading
import time

from loguru import logger

logger.remove()
logger.add(sys.stdout, format="{time:HH:mm:ss.SSS} | {level: <8} | {function}:{line} - {message}", level="DEBUG", colorize=False)

SOURCES = {
    "etc": {"hosts": b"127.0.0.1 localhost\n", "fstab": b"/dev/sda1 / ext4\n"},
    "mail": {"inbox": b"From: a\n" * 50, "failed": b"bounce\n", "done": b"ok\n"},
    "photos": None,
}
OLD = ["etc-20250101.tar.gz", "etc-20250108.tar.gz", "mail-20250101.tar.gz"]


class SourceMissing(Exception):
    pass


class Backup:
    def __init__(self, sources, keep=1):
        self.sources, self.keep = sources, keep
        self.archives = {}
        self.errors = []

    def pack(self, name):
        logger.info("Packing {} ...", name)  # @pack
        files = self.sources[name]
        if files is None:
            raise SourceMissing(f"/srv/{name} is not mounted")
        buf = io.BytesIO()
        with tarfile.open(fileobj=buf, mode="w:gz") as tar:
            for i, (fn, data) in enumerate(files.items(), 1):
                info = tarfile.TarInfo(fn)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
                logger.debug("{}: added {} ({}/{})", name, fn, i, len(files))
        self.archives[name] = buf.getvalue()
        logger.success("Packed {}: {} files", name, len(files))  # @pack_ok

    def verify(self, name):
        logger.info("Verifying archive of {}", name)  # @ver
        data = self.archives[name]
        digest = hashlib.sha256(data).hexdigest()[:8]
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            names = tar.getnames()
        if "failed" in names and len(names) > 2:
            logger.warning("{} holds a file with a suspicious name, not a reason to stop", name)
        assert len(digest) == 8
        logger.success("Archive of {} verified, {} members", name, len(names))  # @ver_ok

    def prune(self, names):
        t0 = time.perf_counter()
        by_source = {}
        for n in sorted(names):
            by_source.setdefault(n.split("-")[0], []).append(n)
        gone = 0
        for src, files in by_source.items():
            for f in files[: -self.keep]:
                logger.debug("would delete {}", f)
                gone += 1
        logger.info(f"Pruned {gone} old archives in {(time.perf_counter() - t0) * 1000:.2f} ms")  # @prune

    def run(self):
        logger.info("===== NIGHTLY BACKUP =====")
        logger.info("Backup of {} sources started", len(self.sources))  # @all
        for name in self.sources:
            try:
                self.pack(name)
            except SourceMissing as e:
                logger.error("Packing {} failed: {}", name, e)  # @pack_bad
                self.errors.append(name)
                continue
            self.verify(name)
        self.prune(OLD)
        size = sum(map(len, self.archives.values()))
        logger.debug("archive sizes: {} bytes in all, free space 81%", size)
        if self.errors:
            logger.error("Backup failed for {}", ", ".join(self.errors))  # @all_bad
            return 1
        logger.success("Backup finished without errors")
        return 0


def offsite(names):
    logger.info("Uploading {} archives to the offsite store", len(names))  # @offsite
    threading.Event().wait()
    logger.success("Upload to the offsite store done")


if __name__ == "__main__":
    logger.debug("keep=1, compression=gz, schedule='0 3 * * *'")
    backup = Backup(SOURCES)
    rc = backup.run()
    threading.Thread(target=offsite, args=(list(backup.archives),), daemon=True).start()
    time.sleep(0.005)
    logger.info("exit code will be {}, next backup in 24 h", rc)
    sys.exit(rc)
