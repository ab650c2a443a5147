"""Finding. A follower of the pages; can be thrown away and made again at any time.

In reading order:

    tree           what is asked, in the index's own terms
    languages      text as tokens: folding, stems, scripts without spaces
    index          what an index is, whichever engine it is made of
    moments        states of it that answers were given of
    presence       what of a tree can be found in one of them at all
    vocabulary     the words of an index, and those like another
    tantivy_index  the default engine
    whoosh_index   the engine in pure Python
    whoosh_postings  what it keeps in memory
    whoosh_scoring  which pages a tree finds in it, and how well
    whoosh_view    the same of all of its segments
    shelf          an index in a folder, replaceable while it serves
    words          words as trees
    query          what people type, as a tree
    indexer        the follower
    past           the follower before it: what pages once said
    files          another: what attached files say, read by `extraction` in a process of its own
    results        what people are given
    marks          what was found, marked in a text
    spelling       what somebody may have meant
    hunt           one search, for what was typed and then for what was meant
    hits           what is shown of the pages that were found
    similar        pages like a draft
    finding        results for people, within their rights
"""

from search.files import FileFollower
from search.finding import Search
from search.indexer import Indexer
from search.past import PastFollower
from search.results import Results
from search.shelf import open_index

__all__ = ["FileFollower", "Indexer", "PastFollower", "Results", "Search", "open_index"]
