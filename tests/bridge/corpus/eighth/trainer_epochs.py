"""Training with epochs, validation and checkpoints."""
import logging
import math
import pathlib
import time

logger = logging.getLogger("trainer")
logging.basicConfig(level=logging.DEBUG, format="%(asctime)s - %(message)s")


class Trainer:
    def __init__(self, epochs, patience=1):
        self.epochs, self.patience, self.best = epochs, patience, math.inf

    def load_dataset(self, path):
        logger.info("Loading dataset from %s", path)  # @data
        if not pathlib.Path(path).exists():
            logger.warning("Dataset %s not found, generating synthetic data", path)  # @data_none
            return [(x, 2 * x) for x in range(20)]
        return []

    def train_epoch(self, epoch, data):
        logger.info("Epoch %d/%d", epoch, self.epochs)  # @ep
        for step in range(0, len(data), 5):
            logger.debug("step %d loss %.3f", step, 1 / (epoch + step + 1))
            time.sleep(0.0002)
        logger.info("Epoch %d done: loss %.3f, 0.4s", epoch, 1 / epoch)  # @ep_ok

    def validate(self, epoch):
        logger.info("Validating...")  # @val
        loss = [0.5, 0.3, 0.31, 0.4, 0.2][epoch - 1]
        logger.info("Validation loss: %.3f", loss)  # @val_ok
        return loss

    def save(self, epoch):
        name = f"ckpt-{epoch}.bin"
        logger.info("Saving checkpoint %s", name)  # @save
        try:
            if epoch == 2:
                raise OSError("No space left on device")
            pathlib.Path(name).write_bytes(b"w" * epoch)
        except OSError as e:
            logger.error("Saving checkpoint failed: %s", e)  # @save_bad
        else:
            logger.info("Checkpoint saved")  # @save_ok

    def fit(self, path):
        logger.info("Training started (%d epochs, early stopping patience %d)", self.epochs, self.patience)  # @fit
        data, worse = self.load_dataset(path), 0
        for epoch in range(1, self.epochs + 1):
            self.train_epoch(epoch, data)
            loss = self.validate(epoch)
            if loss < self.best:
                self.best, worse = loss, 0
                self.save(epoch)
            else:
                worse += 1
                logger.info("No improvement for %d epoch(s)", worse)
                if worse > self.patience:
                    logger.info("Early stopping at epoch %d", epoch)
                    break
        logger.info("Training complete, best loss %.3f", self.best)  # @fit_ok


Trainer(5).fit("train.csv")
