"""Model files from where they are offered: resumed, checked, and never over another file."""

import hashlib
import logging
import shutil
from importlib import metadata
from pathlib import Path

from .catalogue import DRIVE, HUB, Download
from .integrity import is_whole

# Unfinished files wait here, in the folder of models: beside it may be another disk.
STAGING = ".fcvg_downloads"
RETRIES, TIMEOUT = 5, 60.0  # of Google Drive; seconds
GDOWN = (6, 5)  # older ones can't read the pages of today's Drive
SHA256, GIT_SHA1 = 64, 40  # hexadecimal digits
MEGABYTE = 10**6
RESUME = "What has come is kept: the same command goes on from there."


class UnreachableError(ValueError):
    """The network is to blame: further files would fail too."""


def check_space(files: list[tuple[Download, Path]], root: Path) -> None:
    """Refuse what the disk has no room for.

    Raises:
        ValueError: less is free than the files will take, without what has come of them.
    """
    staging = root / STAGING
    begun = sum(path.stat().st_size for path in staging.glob("*")) if staging.is_dir() else 0
    needed = sum(download.size for download, _ in files) * MEGABYTE - begun
    existing = next(path for path in (root, *root.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise ValueError(
            f"{root} has {free / 1e9:.1f} GB free, but the files take {needed / 1e9:.1f} GB. Make "
            "room, or let FCVG_MODELS name a folder on another disk."
        )


def fetch(download: Download, target: Path, root: Path) -> None:
    """Bring one file to where it belongs, below the folder of models `root`.

    Raises:
        UnreachableError: there is no way to the server, or it broke off.
        ValueError: the server refuses, the file is not what it should be, or can't be written.
    """
    part = root / STAGING / f"{hashlib.sha256(download.url.encode()).hexdigest()[:8]}-{target.name}"
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        from_drive = download.url.startswith(DRIVE)
        digest = (_from_drive if from_drive else _from_web)(download, part)
        _check(part, target.suffix, download.sha256 or digest)
        if target.exists():
            raise ValueError(f"{target} has come into being meanwhile; {part} is the other one.")
        part.rename(target)
    except OSError as error:
        if error.errno is None:  # no fault of this machine's
            raise UnreachableError(
                f"{download.url} broke off: {_reason(error)}. {RESUME}"
            ) from error
        raise ValueError(
            f"{target} can't be written: {error.strerror}. Make room or give yourself the right "
            f"to write there, or let FCVG_MODELS name another folder. {RESUME}"
        ) from error


def remove_staging(root: Path) -> None:
    """Remove the folder of unfinished files, unless there are any."""
    folder = root / STAGING
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _from_web(download: Download, part: Path) -> str:
    """Download by the hub's own function, which resumes; the digest that the hub names."""
    from huggingface_hub import constants, errors, get_hf_file_metadata
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    url, size, digest, headers = download.url, None, "", {}
    try:
        if url.startswith(HUB):
            url = f"{constants.ENDPOINT}/{url.removeprefix(HUB)}"
            found = get_hf_file_metadata(url)
            size, digest, headers = found.size, found.etag or "", build_hf_headers()
        begun = part.stat().st_size if part.exists() else 0
        if size is not None and begun > size:
            part.unlink()
            begun = 0
        with open(part, "ab") as opened:
            http_get(url, opened, resume_size=begun, headers=headers, expected_size=size,
                     displayed_filename=part.name.partition("-")[2])  # fmt: skip
    except errors.RepositoryNotFoundError as error:  # what needs a licence is one of these
        page = download.url.partition("/resolve/")[0]
        raise ValueError(
            f"{page} gives its files only to those who have accepted its licence: do so on that "
            "page, then `hf auth login`, or let HF_TOKEN be a token of yours."
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status != 416 or not begun:  # the server has no more: all has come
            raise ValueError(
                f"{download.url} can't be had: the server answers {status}."
            ) from error
    except OSError:
        raise
    except Exception as error:  # those of httpx, or of requests, by the hub's version
        raise _unreachable(download, error) from error
    return digest


def _from_drive(download: Download, part: Path) -> str:
    """Download one file of a shared folder by gdown, which resumes."""
    folder, name = download.url.removeprefix(DRIVE).split("/")
    try:
        import gdown
        import requests
    except ImportError as error:
        raise ValueError(
            "Files on Google Drive are downloaded by gdown, which is not installed: pip install "
            f"gdown. Or take {name} from {DRIVE}{folder} with a browser."
        ) from error
    version = metadata.version("gdown")
    if tuple(int(number) for number in version.split(".")[:2]) < GDOWN:
        raise ValueError(f"gdown {version} is too old for Google Drive: pip install -U gdown.")
    begun = False
    try:
        files = gdown.download_folder(
            id=folder, skip_download=True, quiet=True, use_cookies=False, timeout=TIMEOUT
        )
        found = next((file for file in files if Path(file.path).name == name), None)
        if found is None:
            there = ", ".join(file.path for file in files) or "nothing"
            raise ValueError(f"{DRIVE}{folder} has no {name} any more; there is {there}.")
        begun = True
        gdown.download(id=found.id, output=str(part), resume=True, retries=RETRIES,
                       timeout=TIMEOUT, use_cookies=False)  # fmt: skip
    except requests.exceptions.RequestException as error:  # an OSError, too
        raise _unreachable(download, error) from error
    except gdown.exceptions.DownloadError as error:
        if begun and not isinstance(error, gdown.exceptions.FileURLRetrievalError):
            raise _unreachable(download, error) from error
        raise ValueError(
            f"Google Drive does not give {name}: {_reason(error)} Try again later, or take it "
            f"from {DRIVE}{folder} with a browser."
        ) from error
    return ""


def _check(part: Path, suffix: str, digest: str) -> None:
    """Remove a file that is not what it should be, and say so. Without digest: by its form."""
    if digest and len(digest) in (SHA256, GIT_SHA1):
        found = _digest(part, digest)
        if found == digest:
            return
        what = f"its checksum is {found[:12]}..., that of its author's {digest[:12]}..."
    elif is_whole(part, suffix):
        logging.info("%s: no checksum is published, its form is right.", part.name)
        return
    else:
        what = f"it is no whole {suffix} file"
    part.unlink()
    raise ValueError(
        f"{part.name.partition('-')[2]} came damaged ({what}) and was removed. Run the command "
        "again; where it stays so, a proxy or a log-in page stands between."
    )


def _digest(path: Path, like: str) -> str:
    """Of the kind that a given digest is: SHA-256, or what git calls a file that is no LFS one."""
    digest = hashlib.sha256()
    if len(like) == GIT_SHA1:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with open(path, "rb") as opened:
        while block := opened.read(MEGABYTE):
            digest.update(block)
    return digest.hexdigest()


def _unreachable(download: Download, error: Exception) -> UnreachableError:
    server = download.url.split("/")[2]
    return UnreachableError(
        f"{server} can't be reached, or broke off ({_reason(error)}). Look at the network and "
        f"at HTTPS_PROXY. {RESUME}"
    )


def _reason(error: Exception) -> str:
    """What an error says, in one line that is not too long."""
    return " ".join(str(error).split())[:200] or type(error).__name__
