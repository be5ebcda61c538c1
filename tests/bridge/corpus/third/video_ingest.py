"""Ingest of viewer uploads: probe, transcode, publish. The encoder is a stub."""
import logging
import sys
from pathlib import PurePosixPath

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG,
                    format="%(asctime)s %(levelname)-7s %(name)-8s %(message)s")
log = logging.getLogger("ingest")
enc_log = logging.getLogger("encoder")


def fake_encoder(path, profile):
    """yields lines as the real program prints them, then the exit code"""
    yield "Starting encoder 6.0"
    yield f"Opening {path} for reading"
    yield "frame=  120 fps= 60 time=00:00:04.00 speed=2.1x"
    if profile == "av1":
        yield "Error while opening codec: av1 not built in"
        yield 1
        return
    yield "Conversion failed! (0 frames), continuing"
    yield "Finished in 2.31s"
    yield 0


def run_program(path, profile):
    for line in fake_encoder(path, profile):
        if isinstance(line, int):
            return line
        enc_log.debug(f"| {line}")
    return -1


class EncodeError(RuntimeError):
    def __init__(self, profile, code):
        super().__init__(f"encoder exited with {code} for profile {profile}")
        self.profile = profile


def transcode(path, profile):
    log.info(f"Transcoding {path.name} -> {profile}")  # @trans
    code = run_program(path, profile)
    if code != 0:
        log.error(f"Transcoding {path.name} -> {profile} ended with exit code {code}")  # @trans_bad
        raise EncodeError(profile, code)
    log.info(f"Transcoded {path.name} -> {profile}")  # @trans_ok
    return path.with_suffix(f".{profile}")


def probe(path):
    log.info(f"Probing {path}")  # @probe
    info = {"seconds": 12, "codec": "mpeg2"}
    log.info(f"Probe result: {info}")  # @probed
    return info


def publish(files):
    for f in files:
        log.info(f"published {f}")


def ingest(path, profiles):
    log.info(f"##### upload {path.stem} #####")  # @upload
    info = probe(path)
    if info["seconds"] < 5:
        log.warning("Clip shorter than 5 seconds, not publishing")
        return []
    files = []
    for profile in profiles:
        try:
            files.append(transcode(path, profile))
        except EncodeError as e:
            log.warning(f"Profile {e.profile} left out: {e}")
    publish(files)
    log.info(f"##### upload {path.stem}: {len(files)} of {len(profiles)} profiles ready #####")  # @upload_done
    return files


def main():
    log.info("ingest ready, spool has 2 uploads, poll interval 10s")
    for name in ("/spool/holiday.mpg", "/spool/failed_start_of_race.mpg"):
        ingest(PurePosixPath(name), ["h264", "av1"])
    log.info("spool empty, sleeping 10 s")


if __name__ == "__main__":
    main()
