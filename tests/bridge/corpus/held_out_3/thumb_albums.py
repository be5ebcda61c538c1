"""Thumbnails in a shared thread pool; images interleave, one cannot be read."""
import logging
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)-12s %(levelname)-7s %(message)s")
logger = logging.getLogger(__name__)

pool = ThreadPoolExecutor(max_workers=3, thread_name_prefix="thumb")
SIZES = {"sea": 0.05, "hill": 0.02, "torn": 0.01, "cat": 0.03, "dog": 0.02}


def resize(name):
    logger.info(f"[{name}] resizing")  # @rs
    time.sleep(SIZES[name])
    if name == "torn":
        raise OSError("image file is truncated (3 bytes not processed)")
    logger.info(f"[{name}] resized to 64x64")  # @rs_ok


def thumbnail(name):
    resize(name)
    return sharpen(name)


def sharpen(name):
    if name == "hill":
        logger.info(f"[{name}] sharp enough, leaving as is")
        return name
    logger.info(f"[{name}] sharpening")  # @sh
    time.sleep(0.006)
    logger.info(f"[{name}] sharpened")  # @sh_ok
    return name


def write_index(title, names):
    logger.info(f"Writing index page of '{title}'")  # @idx
    time.sleep(0.004)
    page = "\n".join(sorted(names))
    if not page:
        raise ValueError("empty page")


def render_album(title, names):
    logger.info(f"Rendering album '{title}' ({len(names)} images, 3 threads)")  # @album
    t0 = time.time()
    futures = {pool.submit(thumbnail, n): n for n in names}
    good = []
    for future in as_completed(futures):
        name = futures[future]
        try:
            good.append(future.result())
        except OSError:
            logger.exception(f"[{name}] could not be resized")
    logger.info(f"progress: {len(good)} done, {len(names) - len(good)} failed")
    try:
        write_index(title, good)
    except ValueError as e:
        logger.error(f"Album '{title}' not rendered: {e}")  # @album_bad
        return 0
    logger.info(f"Album '{title}' rendered in {time.time() - t0:.2f}s: {len(good)} thumbnails")  # @album_ok
    return len(good)


def main():
    logger.info("thumbnailer started, pool of 3")
    total = render_album("holiday", ["sea", "hill", "torn"])
    total += render_album("pets", ["cat", "dog"])
    total += render_album("nothing", [])
    logger.info("Total thumbnails: %d", total)
    logger.info("Closing thread pool")  # @close
    pool.shutdown(wait=True)
    logger.info("Thread pool closed")  # @close_ok


if __name__ == "__main__":
    main()
