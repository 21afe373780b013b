"""Inputs that URLs name: paths stand for the URLs until a worker has fetched the files."""

import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..store import is_remote, local_path
from ..store.urls import download, is_url
from ..types import Task

HOLDER = "remote"  # folder of the paths that stand for URLs


def holder_of(url: str) -> str:
    """A path that stands for a URL; its name is that of the file."""
    name = posixpath.basename(url.partition("?")[0].rstrip("/")) or "file"
    name = re.sub(r"[^\w.-]", "_", name)[-100:]
    return str(Path(HOLDER, hashlib.sha256(url.encode()).hexdigest()[:16], name))


def hide_urls(value: Any, urls: dict[str, str]) -> Any:
    """A value of a manifest in which a path stands for each URL; several stand between `;`.

    Path would write s3://a as s3:/a.

    Args:
        value: a text, or a list of texts; others stay as they are.
        urls: path -> URL; it grows.
    """
    if isinstance(value, list):
        return [_hide_all(item, urls) for item in value]
    return _hide_all(value, urls)


def _hide_all(value: Any, urls: dict[str, str]) -> Any:
    if not isinstance(value, str) or "://" not in value:
        return value
    return ";".join(_hide(part, urls) for part in value.split(";"))


def _hide(part: str, urls: dict[str, str]) -> str:
    url = part.strip()
    if not is_url(url):
        return part
    if not is_remote(url):
        return part.replace(url, str(local_path(url)))
    holder = holder_of(url)
    urls[holder] = url
    return part.replace(url, holder)


def show_urls(text: str, urls: Mapping[str, str]) -> str:
    """A text with its URLs again: an option may hold a URL that is no path."""
    for holder, url in urls.items():
        text = text.replace(holder, url)
    return text


def fetch_inputs(task: Task, folder: Path) -> Task:
    """Download the remote inputs of a task.

    Args:
        folder: to put them in.

    Returns:
        The same task, whose options name the downloaded files. A task without remote inputs is
        returned as it is.

    Raises:
        UserError: there is no such file, or it may not be read.
        StoreError: the store does not answer, or a package for it is not installed.
    """
    if not task.remote:
        return task
    local = {holder: folder / Path(holder).relative_to(HOLDER) for holder in task.remote}
    for holder, url in task.remote.items():
        download(url, local[holder])
    paths = {holder: str(path.absolute()) for holder, path in local.items()}
    options = {key: _local(value, paths) for key, value in task.options.items()}
    return replace(task, options=options)


def _local(value: Any, paths: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_local(item, paths) for item in value]
    return paths.get(value, value) if isinstance(value, str) else value
