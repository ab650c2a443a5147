"""`groundswell`: the site from a terminal, for its operator and for scripts.

    program        all commands, and how what goes wrong is told
    folder         the data folder as one command finds it: settings, store, key
    who            people by name
    telling        words for people on stderr, data for scripts on stdout
    log_lines      what the log looks like
    serve          the server
    person, api_token, space, page   making and listing things
    export, verify                   taking a wiki along
    importing, markdown_import, losses   bringing one in, and what is lost by it
    check, reindex                   whether all is whole; the search index, made anew
    key                              the key that the site signs with
    backup                           a copy of all of it while the server runs, and back
    cleaning                         after a redaction: no byte of the folder keeps it

Rights are not asked here: who may read the folder may do everything.
"""

from web.cli.program import main

__all__ = ["main"]
