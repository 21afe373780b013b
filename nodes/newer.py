"""What newer releases of the host let a node say, and older ones refuse to be told."""

from dataclasses import fields
from inspect import signature

from comfy_api.latest import io


def search_words(*words: str) -> dict[str, list[str]]:
    """Of io.Schema: other words under which a node is found in the editor. Releases after 0.8."""
    return {"search_aliases": list(words)} if _schema_has("search_aliases") else {}


def shows_pictures() -> dict[str, bool]:
    """Of io.Schema, for a node with pictures on itself: after 0.18.

    Such a host sends the pictures again when a later run takes the node from its cache.
    """
    return {"has_intermediate_output": True} if _schema_has("has_intermediate_output") else {}


def rarely_changed() -> dict[str, bool]:
    """Of an input that is a widget: the editor folds it away until asked. After 0.8."""
    return {"advanced": True} if "advanced" in signature(io.Int.Input).parameters else {}


def _schema_has(name: str) -> bool:
    return any(field.name == name for field in fields(io.Schema))
