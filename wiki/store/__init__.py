"""The database. `store` opens it and runs given functions; `tables` says what is in it;
`migrations` bring an older file up to date; `edition` counts what pages show;
`kept` is what is read once in each."""

from wiki.store.kept import Kept
from wiki.store.store import Store

__all__ = ["Kept", "Store"]
