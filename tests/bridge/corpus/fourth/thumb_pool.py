import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

# quick and dirty thumbnailer, grew over the years; uses the root logger

logging.basicConfig(level=logging.INFO, stream=sys.stdout,
                    format="%(asctime)s %(levelname)s %(threadName)s %(message)s")

IMAGES = {
    "cat.jpg": (1200, 800),
    "done_failed_final.png": (640, 640),
    "broken.png": None,
    "huge.tif": (9000, 9000),
    "sunset.jpg": (1920, 1080),
}
BOX = 200


def read_size(name):
    size = IMAGES[name]
    if size is None:
        raise ValueError("truncated file, expected IEND chunk")
    return size


def shrink(name):
    logging.info("resizing %s to fit %dx%d", name, BOX, BOX)  # @rs
    try:
        w, h = read_size(name)
        if w * h > 50_000_000:
            logging.warning("%s has %d megapixels, using draft mode", name, w * h // 1_000_000)
        time.sleep(0.003)
        k = BOX / max(w, h)
        thumb = (round(w * k), round(h * k))
    except ValueError as e:
        logging.error("could not resize %s: %s", name, e)  # @rs_bad
        raise
    logging.info("resized %s -> %dx%d", name, *thumb)  # @rs_ok
    return name, thumb


def contact_sheet(thumbs):
    logging.info("composing contact sheet from %d thumbnails", len(thumbs))  # @sheet
    rows = -(-len(thumbs) // 3)
    time.sleep(0.002)
    logging.info("contact sheet composed (%d rows)", rows)  # @sheet_ok


def process(names, workers=3):
    t0 = time.time()
    logging.info("processing batch of %d images with %d workers", len(names), workers)  # @batch
    thumbs, failed = {}, []
    with ThreadPoolExecutor(workers, thread_name_prefix="resize") as pool:
        futures = {pool.submit(shrink, n): n for n in names}
        for i, fut in enumerate(as_completed(futures), 1):
            try:
                name, thumb = fut.result()
                thumbs[name] = thumb
            except ValueError:
                failed.append(futures[fut])
            if i % 2 == 0:
                logging.info("%d%% (%d/%d)", 100 * i // len(names), i, len(names))
    contact_sheet(thumbs)
    logging.info("batch finished in %.2fs: ok=%d failed=%d", time.time() - t0, len(thumbs), len(failed))  # @batch_ok
    return failed


def main():
    print("thumb_pool 2.3")
    logging.info("max box %d, cache dir /tmp/thumbs, cache size 0/500MB", BOX)
    failed = process(list(IMAGES))
    for name in failed:
        print(f"  !! {name}")
    logging.info("left for manual work: %s", failed or "nothing")


if __name__ == "__main__":
    main()
