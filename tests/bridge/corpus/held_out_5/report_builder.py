"""Builds reports of sections; messages are made before they are logged; a step counter."""
import logging
import time

logging.basicConfig(level=logging.INFO)
log = logging.getLogger(__name__)


class EmptySection(Exception):
    pass


class ReportBuilder:
    def __init__(self, name, sections):
        self.name, self.sections = name, sections

    def render(self, title, rows):
        msg = f"Rendering section '{title}' with {len(rows)} rows"
        log.info(msg)  # @render
        time.sleep(0.001)
        if not rows:
            raise EmptySection(title)
        msg = f"Section '{title}' rendered"
        log.info(msg)  # @render_ok

    def export(self):
        log.info("Exporting {} to PDF".format(self.name))  # @export
        time.sleep(0.002)
        if self.name == "taxes":
            log.error("Export of {} failed: font missing".format(self.name))  # @export_bad
            return False
        log.info("Export of {} complete".format(self.name))  # @export_ok
        return True

    def build(self):
        log.info("=" * 30)
        log.info("Building report {}".format(self.name))  # @build
        log.info("=" * 30)
        empty = 0
        for number, (title, rows) in enumerate(self.sections.items(), 1):
            log.info("Step {} of {}".format(number, len(self.sections)))  # @step
            try:
                self.render(title, rows)
            except EmptySection as e:
                empty += 1
                log.warning("Section {} skipped, it is empty".format(e))
        if self.export():
            log.info("Report {} built, {} sections empty".format(self.name, empty))  # @build_ok
        else:
            log.error("Report {} was not built".format(self.name))  # @build_bad


ReportBuilder("sales", {"north": [1, 2], "south": [], "west": [4]}).build()
ReportBuilder("taxes", {"all": [1]}).build()
