"""What the log looks like: one line a decision, on stderr, as text or JSON.

Lines of the libraries (uvicorn, asyncio) look like ours; of those only warnings are shown.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

from web.config import Config


def configure(config: Config) -> None:
    """For the whole process, from `log.level` and `log.json`."""
    level = logging.getLevelNamesMapping()[config.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, *_rendering(config)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(config),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))


def _rendering(config: Config) -> list[Processor]:
    if config.log_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # Rich's tracebacks show the values of variables, which may be texts of pages.
    plain = structlog.dev.plain_traceback
    colours = sys.stderr.isatty()
    return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
