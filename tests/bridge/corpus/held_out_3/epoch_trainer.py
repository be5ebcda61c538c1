"""A training script: data, epochs, steps, evaluation, checkpoints, an export that fails quietly."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s | %(levelname)-8s | %(funcName)s | %(message)s")
logger = logging.getLogger("trainer")


class Trainer:
    def __init__(self, epochs):
        self.epochs = epochs
        self.best = 9.9
        self.data = self.load_data()
        logger.info("Model initialized: 1,204 parameters, device=cpu")

    def load_data(self):
        logger.info("Loading dataset 'finished-novels'")  # @data
        time.sleep(0.006)
        rows = list(range(16))
        logger.info(f"Dataset ready: {len(rows)} samples, 1 failed to parse")  # @data_ok
        return rows

    def step(self, n):
        t0 = time.perf_counter()
        time.sleep(0.002)
        loss = 1.0 / n
        if n % 4 == 0:
            logger.info(f"step {n} loss={loss:.3f} lr=1e-3 eta=3s")
        if n == 2:
            logger.info(f"graph compilation took {(time.perf_counter() - t0) * 1000:.1f} ms")  # @graph
        return loss

    def evaluate(self, epoch):
        logger.info(f"Evaluating on 4 samples (epoch {epoch})")  # @ev
        time.sleep(0.005)
        acc = 0.5 + epoch / 10
        logger.info(f"Eval done: acc={acc:.2f}")  # @ev_ok
        return acc

    def checkpoint(self, epoch):
        logger.info(f"Saving checkpoint to ckpt_{epoch}.pt")  # @ck
        time.sleep(0.003)
        if epoch == 2:
            logger.error(f"Could not save checkpoint ckpt_{epoch}.pt: disk full")  # @ck_bad
            return
        logger.info(f"Checkpoint saved: ckpt_{epoch}.pt (12 KB)")  # @ck_ok

    def export(self):
        logger.info("Exporting to ONNX")  # @onnx
        try:
            time.sleep(0.002)
            raise ModuleNotFoundError("onnx")
        except ModuleNotFoundError:
            logger.exception("ONNX export failed, continuing without it")  # @onnx_bad

    def fit(self):
        logger.info(f"Training for {self.epochs} epochs")  # @fit
        t_all = time.time()
        for epoch in range(1, self.epochs + 1):
            logger.info(f"Epoch {epoch}/{self.epochs}")  # @ep
            t0 = time.time()
            losses = [self.step(4 * (epoch - 1) + n) for n in range(1, 5)]
            self.evaluate(epoch)
            loss = sum(losses) / len(losses)
            if loss < self.best:
                self.best = loss
                self.checkpoint(epoch)
            logger.info(f"Epoch {epoch}/{self.epochs} - loss {loss:.3f} - {time.time() - t0:.2f}s")  # @ep_ok
            if loss < 0.12:
                logger.warning("Early stopping: loss below 0.12")
                break
        self.export()
        logger.info(f"Training complete in {time.time() - t_all:.2f}s. Best loss: {self.best:.3f}")  # @fit_ok


def main():
    logger.info("Training script started with args: epochs=4 resume=False")
    Trainer(4).fit()
    logger.info("Cleaning up workers")  # @clean
    time.sleep(0.002)
    logger.info("Bye")


if __name__ == "__main__":
    main()
