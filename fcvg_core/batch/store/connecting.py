"""Opens what fsspec knows, and says which package is missing."""

from typing import Any

from ...errors import UserError
from ...quoting import shorten
from . import StoreError

# Start of a URL -> the package that opens it, where fsspec needs another one.
PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "http": "aiohttp",
    "https": "aiohttp",
}


def connect(address: str) -> tuple[Any, str]:
    """The file system of a URL, without a cache of listings, and the path in it.

    Raises:
        UserError: fsspec does not know the beginning of the URL.
        StoreError: a package is missing, or the file system can't be opened.
    """
    scheme = address.partition("://")[0].lower()
    try:
        from fsspec.core import url_to_fs

        files, path = url_to_fs(address, use_listings_cache=False)
    except ImportError as error:
        packages = " ".join(["fsspec", *([PACKAGES[scheme]] if scheme in PACKAGES else [])])
        raise StoreError(
            f"{address} needs a package that is not installed ({error}): pip install {packages}"
        ) from error
    except Exception as error:
        kind = UserError if isinstance(error, ValueError) else StoreError
        raise kind(
            f"{address} can't be opened ({shorten(str(error))}): expected a path, or a URL that "
            "fsspec knows, like s3://bucket/folder."
        ) from error
    return files, path.rstrip("/")
