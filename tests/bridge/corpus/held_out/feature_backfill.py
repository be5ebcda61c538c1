import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.INFO,
                    format="%(asctime)s %(levelname)s backfill %(message)s")

DAYS = ["2026-11-03", "2026-11-04", "2026-11-05"]
HICCUPS = {("2026-11-04", 1): "connection reset by peer", ("2026-11-05", 1): "quota", ("2026-11-05", 2): "quota"}


def load_rows(day):
    return 1000 + int(day[-2:])


def upsert(day, rows, attempt):
    why = HICCUPS.get((day, attempt))
    if why:
        raise ConnectionError(why)
    return rows


def write(day, rows):
    for attempt in (1, 2):
        logging.info("Write attempt %d/2 for %s, %d rows", attempt, day, rows)  # @attempt
        try:
            n = upsert(day, rows, attempt)
        except ConnectionError as e:
            logging.warning("Write attempt %d/2 for %s did not succeed: %s", attempt, day, e)  # @attempt_bad
            if attempt < 2:
                logging.info("Retrying in 2s")
                continue
            raise
        logging.info("Write attempt %(n)d/2 for %(day)s stored %(rows)d rows", {"n": attempt, "day": day, "rows": n})  # @stored
        return n


def backfill(feature):
    logging.info(f"Backfill of {feature}: {len(DAYS)} partitions, started by cron")  # @backfill
    failed = []
    for i, day in enumerate(DAYS, 1):
        logging.info(f"Partition {i} of {len(DAYS)}: {day}")  # @partition
        rows = load_rows(day)
        try:
            write(day, rows)
        except ConnectionError as e:
            logging.error(f"Partition {i} of {len(DAYS)} skipped: {e}")  # @skipped
            failed.append(day)
            continue
        logging.info(f"Partition {i} of {len(DAYS)} is complete, {rows / 50:.1f} s of compute billed")  # @complete
    if failed:
        logging.error(f"Backfill of {feature} incomplete, missing: {failed}")  # @incomplete
        return False
    logging.info(f"Backfill of {feature} complete")
    return True


def train_probe(rounds):
    logging.info("Fitting a probe on the new feature")  # @fit
    loss = 1.0
    for r in range(1, rounds + 1):
        logging.info(f"--- round {r}/{rounds} ---")  # @round
        loss *= 0.6
        logging.info(f"loss {loss:.3f}")
    return loss


def validate(feature):
    logging.info(f"Validating {feature}")  # @validate
    try:
        if train_probe(3) > 0.2:
            raise ValueError("probe loss too high")
    except ValueError:
        logging.exception(f"Validation of {feature} failed")
        raise
    finally:
        logging.info(f"Validation finished for {feature}")  # @validated


def main():
    backfill("basket_size")
    try:
        validate("basket_size")
    except ValueError:
        logging.warning("Feature stays hidden until somebody has looked at it")


if __name__ == "__main__":
    main()
