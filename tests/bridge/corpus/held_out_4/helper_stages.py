"""All lines go through one helper with a context manager for stages."""
import contextlib
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(message)s")
_logger = logging.getLogger("pipeline")


def say(level, text, **fields):
    tail = " ".join(f"{k}={v}" for k, v in fields.items())
    _logger.log(level, f"[pipeline] {text} {tail}".rstrip())


@contextlib.contextmanager
def stage(name):
    started = time.perf_counter()
    _logger.info(f"▶ {name}")  # @stage
    try:
        yield
    except Exception as e:
        _logger.error(f"✗ {name}: {e}")  # @stage_bad
        raise
    _logger.info(f"✔ {name} ({time.perf_counter() - started:.2f}s)")  # @stage_ok


class Pipeline:
    def __init__(self, urls):
        self.urls, self.pages, self.facts = urls, {}, []

    def fetch(self, url):
        say(logging.INFO, "fetching", url=url)  # @fetch
        time.sleep(0.001)
        if "404" in url:
            say(logging.WARNING, "fetch failed", url=url, status=404)  # @fetch_bad
            return
        self.pages[url] = f"text of {url}"
        say(logging.INFO, "fetched", url=url, size=len(self.pages[url]))  # @fetch_ok

    def extract(self):
        for url, page in self.pages.items():
            words = page.split()
            say(logging.INFO, "extracting facts", url=url)  # @facts
            self.facts += words
            say(logging.INFO, "facts extracted", url=url, count=len(words))  # @facts_ok

    def publish(self):
        if len(self.facts) > 3:
            raise PermissionError("token expired")

    def run(self):
        with stage("fetch pages"):
            for url in self.urls:
                self.fetch(url)
        with stage("extract facts"):
            self.extract()
        with stage("publish"):
            self.publish()


for urls in (["a", "b404"], ["c", "d"]):
    try:
        Pipeline(urls).run()
    except PermissionError:
        say(logging.ERROR, "pipeline run failed, facts kept for the next run")
say(logging.INFO, "bye")
