"""The database. `store` opens it and runs given functions; `tables` says what is in it;
`migrations` bring an older file up to date; `edition` counts what pages show."""

from wiki.store.store import Store

__all__ = ["Store"]
