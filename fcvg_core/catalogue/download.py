"""Downloads of model files: resumed, checked, and never written over another file."""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import UserError
from ..failures import check_room
from ..files.claim import missing_folders, remove_empty
from .download_errors import disk_error, reason_of, unreachable
from .integrity import is_whole
from .model_files import DRIVE, HUB, Download
from .packages import COMMAND_LINE, parse_version, pip

# Folder for unfinished files, beside the place that a file goes to: so both are on one disk.
STAGING = ".fcvg_downloads"
LOCK = ".fcvg_downloads.lock"  # in the folder of models
RETRIES, TIMEOUT = 5, 60.0  # for Google Drive; the timeout is in seconds
SHA256, GIT_SHA1 = 64, 40  # hexadecimal digits
MEGABYTE = 10**6
# What to do about an answer of a server.
STATUS = {
    401: "The file is gone, or the token in HF_TOKEN or of `hf auth login` is not valid any more.",
    403: "Accept the licence on the file's page, or look for a proxy that forbids the download.",
    404: "The authors have moved or removed the file: look at its page.",
    416: "Remove the unfinished file in {staging}, and start the download again.",
}


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Make a folder of models and lock it against a second download.

    If nothing was downloaded, a folder that was made here is removed at the end.

    Raises:
        UserError: another download to this folder is under way.
    """
    from filelock import FileLock, Timeout

    lock, made = FileLock(root / LOCK), missing_folders(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"Another download to {root} is under way: wait until it ends.") from error
    except OSError as error:
        raise disk_error(root, error) from error
    except NotImplementedError:
        logging.warning("The disk of %s knows no locks: start no second download to it.", root)
    try:
        yield
    finally:  # in other cases the lock file stays: a process that waits for it needs the same file
        if made and os.listdir(root) == [LOCK]:
            (root / LOCK).unlink()
        lock.release()
        remove_empty(made)


def check_space(files: list[tuple[Download, Path]]) -> None:
    """Refuse files that a disk has no room for.

    Raises:
        UserError: less is free than the files will take; parts that have come already count.
    """
    needed: dict[int, tuple[Path, float]] = {}
    for download, target in files:
        folder = next(path for path in target.absolute().parents if path.is_dir())
        part = _part(download, target)
        # gdown adds letters to the name.
        begun = sum(path.stat().st_size for path in part.parent.glob(f"{part.name}*"))
        size = max(download.size * MEGABYTE - begun, 0)
        disk = folder.stat().st_dev
        needed[disk] = (folder, needed.get(disk, (folder, 0.0))[1] + size)
    for folder, size in needed.values():
        remedy = "Make room, or let FCVG_MODELS name a folder on another disk."
        check_room(folder, size, what="the files take", remedy=remedy)


def fetch(download: Download, target: Path) -> None:
    """Download one file to its target.

    Raises:
        UnreachableError: the server can't be reached, or the connection broke off.
        DiskError: the file can't be written.
        UserError: the server refuses, or the file that came is damaged.
    """
    if target.is_symlink():
        raise UserError(f"{target} is a link that leads nowhere: mount its disk, or remove it.")
    part = _part(download, target)
    made = missing_folders(part.parent)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        from_drive = download.url.startswith(DRIVE)
        digest = (_from_drive if from_drive else _from_web)(download, part)
        _check(part, target, download.sha256 or digest)
        if target.exists():
            raise UserError(
                f"{target} was made by another program meanwhile; the download is {part}."
            )
        part.chmod(0o666 & ~_umask())  # gdown's files may be read by nobody else
        part.rename(target)
    except OSError as error:
        if error.errno is None:  # the fault is not on this machine
            raise unreachable(download.url, error) from error
        raise disk_error(target, error) from error
    finally:
        # Only what a later try can go on from stays.
        if part.is_file() and not part.stat().st_size:
            part.unlink()
        remove_empty([part.parent, *made])


def server_of(download: Download) -> str:
    """Server of a download."""
    return urlsplit(download.url).netloc


def _part(download: Download, target: Path) -> Path:
    """Path of an unfinished file; the number tells files of one name but several sources apart."""
    number = hashlib.sha256(download.url.encode()).hexdigest()[:8]
    return target.parent / STAGING / f"{number}-{target.name}"


def _umask() -> int:
    """Rights that new files of this program do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _from_web(download: Download, part: Path) -> str:
    """Download by the hub's function, which resumes, and return the digest that the hub names."""
    _check_version("huggingface-hub")
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
            http_get(
                url,
                opened,
                resume_size=begun,
                headers=headers,
                expected_size=size,
                displayed_filename=part.name.partition("-")[2],
            )
    except errors.GatedRepoError as error:
        page = download.url.partition("/resolve/")[0]
        raise UserError(
            f"{page} gives its files only to people who have accepted its licence: accept it on "
            "that page, then run `hf auth login`, or set HF_TOKEN to a token of yours (a "
            "fine-grained token needs the right to read gated repositories)."
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status != 416 or not begun:  # 416: the server has no more bytes, so all have come
            remedy = STATUS.get(status, "Try again later.").format(staging=part.parent)
            said = f"{url} can't be downloaded: the server answers {status}."
            raise UserError(f"{said} {remedy}") from error
    except (OSError, TypeError, AttributeError, ImportError):  # a fault here or in the hub
        raise
    except Exception as error:  # errors of httpx or of requests, depending on the hub's version
        raise unreachable(url, error) from error
    return digest


def _from_drive(download: Download, part: Path) -> str:
    """Download one file of a folder on Google Drive by gdown, which resumes."""
    folder, name = download.url.removeprefix(DRIVE).split("/")
    try:
        import gdown
        import requests
    except ImportError as error:
        raise UserError(
            "Files on Google Drive are downloaded by gdown, which is not installed: "
            f"{pip('install', 'gdown')}. Or take {name} from {DRIVE}{folder} with a browser."
        ) from error
    _check_version("gdown")
    begun = False
    refused = (
        f"Google Drive does not give {name}: {{}} Try again later, or take it from {DRIVE}"
        f"{folder} with a browser."
    )
    try:
        files = gdown.download_folder(
            id=folder, skip_download=True, quiet=True, use_cookies=False, timeout=TIMEOUT
        )
        found = next((file for file in files if Path(file.path).name == name), None)
        if found is None:
            there = ", ".join(file.path for file in files) or "nothing"
            raise UserError(f"{DRIVE}{folder} has no {name} any more; there is {there}.")
        begun = True
        gdown.download(
            id=found.id,
            output=str(part),
            resume=True,
            retries=RETRIES,
            timeout=TIMEOUT,
            use_cookies=False,
        )
    except (requests.exceptions.HTTPError, gdown.exceptions.FileURLRetrievalError) as error:
        raise UserError(refused.format(reason_of(error))) from error
    except requests.exceptions.RequestException as error:  # an OSError, too
        raise unreachable(download.url, error) from error
    except gdown.exceptions.DownloadError as error:
        if begun and isinstance(error.__cause__ or error.__context__, OSError):
            raise unreachable(download.url, error) from error
        unfinished = f" Or remove the unfinished file in {part.parent}." if begun else ""
        raise UserError(refused.format(reason_of(error)) + unfinished) from error
    return ""


def _check_version(package: str) -> None:
    """Refuse a package that is too old to tell its errors apart or to read the pages of Drive."""
    version = metadata.version(package)
    if parse_version(version) < COMMAND_LINE[package]:
        raise UserError(
            f"{package} {version} is too old to download with: {pip('install', '-U', package)}"
        )


def _check(part: Path, target: Path, digest: str) -> None:
    """Remove a file with another digest and say so. Without a digest the file's form counts."""
    if digest and len(digest) in (SHA256, GIT_SHA1):
        found = _digest(part, digest)
        if found == digest:
            return
        what = f"its checksum is {found[:12]}..., and should be {digest[:12]}..."
    elif is_whole(part, target.suffix):
        logging.info("%s: no checksum is published, but its form is right.", target.name)
        return
    else:
        what = f"it is no complete {target.suffix} file"
    part.unlink()
    raise UserError(
        f"{target.name} came damaged ({what}) and was removed. Run the command again. If it fails "
        "again, a proxy or a log-in page sends something else in its place."
    )


def _digest(path: Path, like: str) -> str:
    """Digest of a file, of the same kind as a given digest: SHA-256, or git's for a plain file."""
    digest = hashlib.sha256()
    if len(like) == GIT_SHA1:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with open(path, "rb") as opened:
        while block := opened.read(MEGABYTE):
            digest.update(block)
    return digest.hexdigest()
