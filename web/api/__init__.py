"""`/api/v1`: the wiki for programs. JSON in and out; text as `text/markdown`.

In reading order:

    shapes     what is sent and what comes back, as msgspec models
    operation  one row of the API: address, shapes, words; and how a request is taken apart
    spaces     spaces
    pages      pages and their text
    history    a page's running record: revisions, the text at any moment, who wrote what, playback
    finding    search, and titles while typing
    openapi    the document that describes all of it, made from the rows
    routes     the addresses of all of them
"""
