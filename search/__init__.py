"""Finding. A follower of the pages; can be thrown away and made again at any time.

In reading order:

    tree           what is asked, in the index's own terms
    languages      text as tokens: folding, stems, scripts without spaces
    index          what an index is, whichever engine it is made of
    tantivy_index  the default engine
    whoosh_index   the engine in pure Python
    shelf          an index in a folder, replaceable while it serves
    query          what people type, as a tree
    indexer        the follower
    results        what people are given
    marks          what was found, marked in a text
    similar        pages like a draft
    finding        results for people, within their rights
"""

from search.finding import Search
from search.indexer import Indexer
from search.results import Results
from search.shelf import open_index

__all__ = ["Indexer", "Results", "Search", "open_index"]
