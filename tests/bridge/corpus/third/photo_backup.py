#!/usr/bin/env python3
"""Copies new photos to the backup target and prunes old generations."""
import argparse
import hashlib
import logging
import sys

log = logging.getLogger("photobackup")

TARGET = {"gen-1": 900, "gen-2": 950, "gen-3": 990}
CAMERA = [("img_001.jpg", 120), ("img_002.jpg", 0), ("img_done.jpg", 80), ("img_004.jpg", 300)]


class TargetFull(OSError):
    pass


def new_photos(camera):
    """yields (name, size) of the usable ones"""
    log.info("Scanning camera folder")  # @scan
    found = 0
    for name, size in camera:
        if size == 0:
            log.warning(f"{name} is empty, skipping")
            continue
        found += 1
        yield name, size
    log.info(f"Scan complete: {found} usable photos")


def copy(name, size, free):
    if size > free:
        raise TargetFull(f"{name} needs {size} MB, {free} MB free")
    return hashlib.sha1(name.encode()).hexdigest()[:8]


def prune(keep):
    log.info(f"Pruning old generations, keeping {keep}")  # @prune
    freed = 0
    try:
        if len(TARGET) <= keep:
            log.info("Nothing to prune")
            return 0
        for gen in sorted(TARGET)[:-keep]:
            freed += TARGET.pop(gen)
            log.info(f"Removed generation {gen}")
    finally:
        log.info(f"Prune finished, {freed} MB freed")  # @prune_done
    return freed


def backup(free):
    log.info(f"Backup run started with {free} MB free")  # @run
    copied = 0
    try:
        for name, size in new_photos(CAMERA):
            log.info(f"Copying {name} ({size} MB)")  # @copy
            digest = copy(name, size, free)
            free -= size
            copied += 1
            log.info(f"Copied {name}, checksum {digest}")  # @copied
    except TargetFull as e:
        log.critical(f"Backup run aborted: {e}")  # @run_failed
        return 2
    finally:
        log.info(f"{copied} photos copied in this run")
    log.info("Backup run finished")
    return 0


def main(argv=None):
    ap = argparse.ArgumentParser()
    ap.add_argument("--keep", type=int, default=2)
    ap.add_argument("--free", type=int, default=250)
    args = ap.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname).4s %(message)s")
    prune(args.keep)
    prune(args.keep)
    rc = backup(args.free)
    log.info(f"Exit code {rc}, next run in 24h")
    return rc


if __name__ == "__main__":
    sys.exit(main([]))
