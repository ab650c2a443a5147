"""What people say beside the texts: how much of it one person may, and what it looks like."""

from __future__ import annotations

from web.markdown import Renderer
from web.throttle import Throttle
from wiki.errors import RateLimited, TooManyRemarks

KEPT = 5000  # of comments and answers as HTML, apart from pages: a long talk pushes no page out


class Remarks:
    """`per_minute` of one person, as many at once; 0 is no limit."""

    def __init__(self, per_minute: int) -> None:
        seconds = 60 / per_minute if per_minute else 0.0
        self._throttle = Throttle("remarks", per_minute, seconds) if per_minute else None
        self.renderer = Renderer(KEPT)

    def check(self, person_id: str) -> None:
        """One more. Raises TooManyRemarks."""
        if self._throttle is None:
            return
        try:
            self._throttle.check(person_id)
        except RateLimited as error:
            raise TooManyRemarks(error.retry_seconds) from error
