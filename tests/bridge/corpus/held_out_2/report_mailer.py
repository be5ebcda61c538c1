"""Renders the weekly reports and mails them; structlog with its own printer."""
import sys
import time

import structlog

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S"),
        structlog.dev.ConsoleRenderer(colors=False),
    ],
)
log = structlog.get_logger()

REPORTS = [
    {"name": "sales", "to": ["ines@shop.example", "karl@shop.example"], "rows": [120, 80, 44]},
    {"name": "returns", "to": ["nobody@"], "rows": [3, 1]},
    {"name": "stock", "to": ["lager@shop.example"], "rows": []},
]


class MailRefused(Exception):
    pass


class Mailbox:
    """Stands for the SMTP relay."""

    def __init__(self):
        self.sent = 0
        self.hiccups = 1

    def send(self, to, body):
        time.sleep(0.001)
        if to.endswith("@"):
            raise MailRefused("550 no such user")
        if self.hiccups:
            self.hiccups -= 1
            raise TimeoutError("relay busy")
        self.sent += 1


def render(report):
    rlog = log.bind(report=report["name"])
    rlog.info("rendering report", rows=len(report["rows"]))  # @render
    if not report["rows"]:
        rlog.error("report rendering failed", reason="no rows")  # @render_bad
        return None
    for n, value in enumerate(report["rows"]):
        rlog.debug("row", n=n, value=value)
    rlog.debug("template loaded", template="plain.txt", cached=True)
    time.sleep(0.002)
    body = f"{report['name']}: total {sum(report['rows'])}\n" * 3
    rlog.info("report rendered", size=len(body))  # @render_ok
    return body


def send_mail(relay, to, body):
    log.info("sending mail", to=to, size=len(body))  # @mail
    for attempt in range(2):
        try:
            relay.send(to, body)
        except TimeoutError as exc:
            log.warning("relay busy", attempt=attempt + 1, error=str(exc), wait="1ms")
            time.sleep(0.001)
        except MailRefused as exc:
            log.error("mail refused", to=to, error=str(exc))  # @mail_bad
            return False
        else:
            log.info("mail sent", to=to)  # @mail_ok
            return True
    return False


def process(relay, report):
    structlog.contextvars.bind_contextvars(job=f"weekly-{report['name']}")
    try:
        log.info("recipients", count=len(report["to"]), list=",".join(report["to"]))
        body = render(report)
        if body is None:
            log.warning("nothing to mail")
            return 0
        return sum(send_mail(relay, to, body) for to in report["to"])
    finally:
        structlog.contextvars.unbind_contextvars("job")


def main():
    log.info("mailer configuration", relay="loopback", reports=len(REPORTS), dry_run=False)
    relay = Mailbox()
    start = time.perf_counter()
    delivered = 0
    for report in REPORTS:
        delivered += process(relay, report)
    log.info("weekly run complete", delivered=delivered, elapsed=f"{time.perf_counter() - start:.3f}s")  # @run
    return 0 if delivered == 3 else 1


if __name__ == "__main__":
    sys.exit(main())
