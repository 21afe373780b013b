"""Arguments of schemas that newer releases of ComfyUI take; older releases would refuse them."""

from dataclasses import fields
from inspect import signature

from comfy_api.latest import io


def search_words(*words: str) -> dict[str, list[str]]:
    """For io.Schema: other words by which the editor's search finds a node. After 0.8."""
    return {"search_aliases": list(words)} if _schema_has("search_aliases") else {}


def shows_results() -> dict[str, bool]:
    """For io.Schema of a node that shows pictures or texts on itself. After 0.18.

    ComfyUI then sends both again when a later run takes the node from the cache.
    """
    return {"has_intermediate_output": True} if _schema_has("has_intermediate_output") else {}


def rarely_changed() -> dict[str, bool]:
    """For a widget: Nodes 2.0 hides it behind *Show advanced inputs*. After 0.8."""
    return {"advanced": True} if "advanced" in signature(io.Int.Input).parameters else {}


def _schema_has(name: str) -> bool:
    return any(field.name == name for field in fields(io.Schema))
