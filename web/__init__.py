"""Doors and windows: `socket` lets browsers into a room; `client` is what runs in them."""
