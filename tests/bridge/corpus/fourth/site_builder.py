"""Static site builder with an incremental cache, percent-style logging."""
import hashlib
import logging
import re
import time

LOG = logging.getLogger("sitegen")

SOURCES = {
    "index.md": "# Home\nWelcome",
    "posts/first.md": "# First\nWe *started* a blog",
    "posts/broken.md": "# Broken\n{{ undefined_var }}",
    "posts/old.md": "# Old\nunchanged since 2019",
}
ASSETS = {"style.css": "body {  color :  red ; }\n\n\n", "app.js": "let  failed  =  0 ;"}


class TemplateError(Exception):
    pass


class Builder:
    def __init__(self):
        self.cache = {"posts/old.md": self.digest(SOURCES["posts/old.md"])}
        self.warnings = 0

    @staticmethod
    def digest(text):
        return hashlib.sha1(text.encode()).hexdigest()[:8]

    def render(self, name):
        began = time.perf_counter()
        body = SOURCES[name]
        if "{{" in body:
            raise TemplateError("'undefined_var' is undefined")
        time.sleep(0.001)
        html = re.sub(r"^# (.*)$", r"<h1>\1</h1>", body, flags=re.M)
        LOG.info("  %-18s rendered in %.1f ms", name, 1000 * (time.perf_counter() - began))  # @page
        return html

    def render_all(self):
        LOG.info("Rendering %d pages", len(SOURCES))  # @pages
        n = 0
        for name in SOURCES:
            if self.cache.get(name) == self.digest(SOURCES[name]):
                LOG.debug("  %-18s cached", name)
                continue
            try:
                self.render(name)
                n += 1
            except TemplateError as err:
                self.warnings += 1
                LOG.warning("  %-18s skipped: %s", name, err)
        LOG.info("Rendering finished: %d pages written, %d from cache", n, len(self.cache))  # @pages_ok

    def minify(self):
        LOG.info("Minifying %d assets ...", len(ASSETS))  # @min
        before = sum(map(len, ASSETS.values()))
        after = sum(len(re.sub(r"\s+", " ", a)) for a in ASSETS.values())
        LOG.info("... minified, %d -> %d bytes", before, after)  # @min_ok

    def search_index(self):
        LOG.info("Building search index")  # @idx
        words = set()
        for text in SOURCES.values():
            words |= set(re.findall(r"[a-z]{4,}", text))
        LOG.debug("search index: %d words, stop list 'en'", len(words))

    def link_check(self):
        LOG.info("checking links")  # @links
        for name in SOURCES:
            LOG.debug("  links of %s: 0 broken", name)
        LOG.info("links ok")  # @links_ok

    def build(self):
        t0 = time.perf_counter()
        LOG.info("Building site 'notes' from content/ (4 jobs)")  # @build
        self.render_all()
        self.minify()
        self.search_index()
        self.link_check()
        LOG.info("Build finished in %.2fs with %d warning(s)", time.perf_counter() - t0, self.warnings)  # @build_ok


def main():
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(message)s")
    LOG.debug("options: %r", {"drafts": False, "watch": False, "timeout": 60})
    b = Builder()
    b.build()
    LOG.info("output is in public/, serve it with: sitegen serve")


if __name__ == "__main__":
    main()
