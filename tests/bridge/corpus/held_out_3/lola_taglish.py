"""Isang memory agent na nagsasalita ng Tagalog at Taglish, may plugin na Hapon."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s - %(levelname)s - %(message)s")
logger = logging.getLogger("LolaAgent")
plugin = logging.getLogger("hapon.plugin")

ALAALA = {"ana": ["mahilig sa kape"], "carlo": []}


class Plugin:
    def __init__(self):
        plugin.info("辞書を読み込み中…")  # @dict
        start = time.time()
        time.sleep(0.005)
        plugin.info(f"辞書の読み込みが完了しました ({(time.time() - start) * 1000:.0f} ms)")  # @dict_ok

    def translate(self, text):
        plugin.info(f"翻訳開始: {text}")  # @tl
        time.sleep(0.004)
        if "???" in text:
            plugin.error(f"翻訳に失敗しました: {text}")  # @tl_bad
            return None
        plugin.info("翻訳終了")  # @tl_ok
        return "コーヒー"


class LolaAgent:
    def __init__(self):
        logger.info("Na-load na ang config, handa na si Lola")
        self.plugin = Plugin()

    def sync(self, files):
        logger.info(f"Sinisimulan ang pag-sync ng {len(files)} file")  # @sync
        for f in files:
            time.sleep(0.002)
            logger.info(f"ok ang {f}")
        logger.info(f"Tapos na ang pag-sync: {len(files)} file")  # @sync_ok

    def recall(self, sino):
        logger.info(f"Kinukuha ang alaala ni {sino}...")  # @kuha
        try:
            time.sleep(0.003)
            laman = ALAALA[sino]
        except KeyError as e:
            logger.error(f"Hindi makuha ang alaala ni {sino}: {e}")  # @kuha_bad
            return None
        logger.info(f"Nakuha ang alaala ni {sino} ({len(laman)} piraso)")  # @kuha_ok
        return laman

    def handle(self, n, sino, text):
        logger.info(f"Pinoproseso ang request {n} galing kay {sino}")  # @req
        laman = self.recall(sino)
        if laman is None:
            logger.error(f"Request {n} failed, walang alaala")  # @req_bad
            return
        if not laman:
            logger.warning(f"Walang laman kay {sino}, tuloy pa rin")
        salin = self.plugin.translate(text)
        if salin is None:
            logger.warning("Hindi naisalin, English na lang")
        logger.info(f"Natapos ang request {n}, naipadala na ang sagot")  # @req_ok

    def linis(self):
        logger.info("Naglilinis ng lumang cache")  # @linis
        time.sleep(0.002)


def main():
    lola = LolaAgent()
    lola.sync(["a.txt", "b.txt", "c.txt"])
    logger.info("Naghihintay ng bagong request")
    lola.handle(1, "ana", "kape")
    lola.handle(2, "ben", "loading na ba?")
    lola.handle(3, "carlo", "???")
    lola.linis()
    logger.info("Paalam! 3 request, 1 failed")


main()
