"""Other words under which a node is found in the editor."""

from dataclasses import fields

from comfy_api.latest import io


def search_words(*words: str) -> dict[str, list[str]]:
    """An argument of io.Schema, where the host has it: releases after 0.8."""
    known = any(field.name == "search_aliases" for field in fields(io.Schema))
    return {"search_aliases": list(words)} if known else {}
