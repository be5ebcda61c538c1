"""Browser agent with loguru: fills in forms on behalf of a user (browser is faked)."""
import sys

from loguru import logger

logger.remove()
logger.add(sys.stdout, level="TRACE", format="<level>{level: <8}</level> | {extra} | {function}:{line} - {message}",
           colorize=False, backtrace=False, diagnose=False)


class NoSuchElement(Exception):
    pass


class Page:
    fields = {"name", "email", "submit"}

    def click(self, what):
        if what not in self.fields:
            raise NoSuchElement(f"#{what}")
        return True


def locate(page, what):
    logger.trace("Locating #{}", what)  # @locate
    if what == "captcha":
        logger.debug("Could not locate #{}, looked for 5.0 seconds", what)  # @not_in_dom
        return False
    logger.trace("#{} located at (12, {})", what, 30 * len(what))  # @located
    return True


@logger.catch(reraise=False)
def screenshot(page):
    logger.info("Screenshot for the user")  # @shot
    page.click("camera")
    logger.info("Screenshot saved")


def ask_model(question):
    logger.info(f"Asking the model: {question!r}")  # @ask
    answer = "Start with #name, then #email. Loading finished? Failed fields: none."
    logger.debug(f"Model says: {answer}")
    logger.success(f"Plan with {answer.count('#')} steps")  # @plan
    return ["name", "email"]


def fill(page, fields):
    for n, what in enumerate(fields, 1):
        logger.info("Field {} of {}: {what}", n, len(fields), what=what)  # @field
        if not locate(page, what):
            logger.warning("Field {} left empty", n)  # @empty
            continue
        page.click(what)
        logger.success("Field {} filled in", n)  # @filled


def errand(task_id, title, fields):
    with logger.contextualize(task_id=task_id):
        logger.info("Errand: {}", title)  # @errand
        page = Page()
        try:
            plan = fields or ask_model(f"How do I {title.lower()}? My last try failed after 3s")
            fill(page, plan)
            screenshot(page)
            if "delete" in title.lower():
                page.click("delete")
        except NoSuchElement:
            logger.exception("Errand not possible")  # @impossible
            return False
        logger.success("Errand done, waiting 2s before the next start")  # @done
        return True


def main():
    log = logger.bind(agent="browser")
    log.info("Browser launched, 1 tab open, page load timeout: 30s")
    log.debug("Cookies of last session restored in {:.1f} s", 0.4)  # @cookies
    ok = [
        errand("E1", "Subscribe to the newsletter", None),
        errand("E2", "Delete my account", ["name", "captcha"]),
    ]
    log.info("Errands: {} ok, {} failed", ok.count(True), ok.count(False))


main()
