"""Agents that log with structlog and loguru, for the versions of the environment that runs them."""

STRUCTLOG = """
    import logging, sys
    import structlog
    from opentelemetry import trace
    from obs_run.context.log_context import attached
    from obs_run.logging.structlog_processors import add_context, record_event

    structlog.configure(processors=[
        structlog.processors.add_log_level, add_context, record_event, structlog.processors.JSONRenderer(),
    ], cache_logger_on_first_use=False)
    log = structlog.get_logger()

    def work():
        with attached(user_id="u1", correlation_id="c1"), trace.get_tracer("t").start_as_current_span("work"):
            log.warning("printed", items=[1, 2], user_id="own", n=1)
        try:
            int("x")
        except ValueError:
            log.exception("failed")
        log.info("outside")
    work()

    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    structlog.configure(
        processors=[add_context, record_event, structlog.processors.KeyValueRenderer(key_order=["event"])],
        logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
    )
    structlog.get_logger("std").info("rendered", n=3)
    structlog.configure(
        processors=[add_context, record_event, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        processor=structlog.processors.JSONRenderer(), foreign_pre_chain=[add_context, record_event]))
    logging.getLogger().handlers[:] = [handler]
    with attached(user_id="u2"):
        structlog.get_logger("std").info("by the logging module", n=2)
    logging.getLogger("foreign").info("plain")
"""

LOGURU = """
    import logging, sys
    from loguru import logger
    from opentelemetry import trace
    from obs_run.context.log_context import attached
    from obs_run.logging.loguru_sink import add_context, sink

    logger.remove()
    logger.configure(patcher=add_context)
    logger.add(sys.stdout, format="{message} {extra}")
    logger.add(sink, level="TRACE")
    logger.add(sink, level="CRITICAL", enqueue=True)

    def work():
        with attached(user_id="u1"), trace.get_tracer("t").start_as_current_span("work"):
            logger.bind(n=1, user_id="own").warning("bound {}", "one")
            logger.success("succeeded")
            logger.trace("traced")
        try:
            int("x")
        except ValueError:
            logger.exception("failed")
    work()

    class Intercept(logging.Handler):
        def emit(self, record):
            logger.opt(depth=6, exception=record.exc_info).log(record.levelname, record.getMessage())
    logging.basicConfig(handlers=[Intercept()], level=logging.INFO)
    logging.getLogger("lib").info("intercepted")
    logger.complete()
"""
