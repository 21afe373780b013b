"""Downloads model files. Downloads are resumed and checked, and never replace another file."""

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
from ..files.marks import digest_whole
from .download_errors import disk_error, reason_of, unreachable
from .integrity import is_whole
from .model_files import DRIVE, HUB, Download
from .packages import COMMAND_LINE, parse_version, pip

# Folder for unfinished files, beside the target: another folder may be on another disk.
STAGING = ".fcvg_downloads"
LOCK = ".fcvg_downloads.lock"  # in the folder of models
RETRIES, TIMEOUT = 5, 60.0  # for Google Drive; the timeout is in seconds
SHA256, GIT_SHA1 = 64, 40  # lengths in hexadecimal digits
MEGABYTE = 10**6
# Status code of a server -> remedy.
STATUS = {
    401: "The file was removed, or the token in HF_TOKEN or from `hf auth login` is not valid.",
    403: "Accept the licence on the file's page, or check whether a proxy blocks the download.",
    404: "The authors have moved or removed the file: look at its page.",
    416: "Remove the unfinished file in {staging}, and start again.",
}


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Make a folder of models and lock it against a second download.

    A folder that was made and stays empty is removed again.

    Raises:
        UserError: another download to the folder is running.
    """
    from filelock import FileLock, Timeout

    lock, made = FileLock(root / LOCK), missing_folders(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"Another download to {root} is running: wait until it ends.") from error
    except OSError as error:
        raise disk_error(root, error) from error
    except NotImplementedError:
        logging.warning("The disk of %s has no file locks: start no second download to it.", root)
    try:
        yield
    finally:  # the lock file stays in a used folder, because another process may wait for it
        if made and os.listdir(root) == [LOCK]:
            (root / LOCK).unlink()
        lock.release()
        remove_empty(made)


def check_space(files: list[tuple[Download, Path]]) -> None:
    """Check that the disks have room for the files; parts already downloaded are subtracted.

    Raises:
        UserError: a disk has less free room than its files need.
    """
    needed: dict[int, tuple[Path, float]] = {}
    for download, target in files:
        folder = next(path for path in target.absolute().parents if path.is_dir())
        part = _part(download, target)
        # gdown appends letters to the name.
        begun = sum(path.stat().st_size for path in part.parent.glob(f"{part.name}*"))
        size = max(download.size * MEGABYTE - begun, 0)
        disk = folder.stat().st_dev
        needed[disk] = (folder, needed.get(disk, (folder, 0.0))[1] + size)
    for folder, size in needed.values():
        remedy = "Make room, or set FCVG_MODELS to a folder on another disk."
        check_room(folder, size, what="the files need", remedy=remedy)


def fetch(download: Download, target: Path) -> None:
    """Download one file to `target`.

    Raises:
        UnreachableError: the server can't be reached, or the connection broke off.
        DiskError: the file can't be written.
        UserError: the server refuses the file, or the downloaded file is damaged.
    """
    if target.is_symlink():
        raise UserError(
            f"{target} is a link whose target does not exist: mount its disk, or remove the link."
        )
    part = _part(download, target)
    made = missing_folders(part.parent)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        from_drive = download.url.startswith(DRIVE)
        digest = (_from_drive if from_drive else _from_web)(download, part)
        _check(part, target, download.sha256 or digest)
        if target.exists():
            raise UserError(
                f"{target} was created during the download; the downloaded file is {part}: keep "
                "one of them."
            )
        part.chmod(0o666 & ~_umask())  # gdown's files are readable only by their owner
        part.rename(target)
    except OSError as error:
        if error.errno is None:  # an error of the network, not of this machine
            raise unreachable(download.url, error) from error
        raise disk_error(target, error) from error
    finally:
        # An empty file is removed; a partial file stays for the next try.
        if part.is_file() and not part.stat().st_size:
            part.unlink()
        remove_empty([part.parent, *made])


def server_of(download: Download) -> str:
    """Server of a download."""
    return urlsplit(download.url).netloc


def _part(download: Download, target: Path) -> Path:
    """Path of a file until it is complete; a hash of its URL keeps equal names apart."""
    number = hashlib.sha256(download.url.encode()).hexdigest()[:8]
    return target.parent / STAGING / f"{number}-{target.name}"


def _umask() -> int:
    """The process's umask: permissions that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _from_web(download: Download, part: Path) -> str:
    """Download with huggingface_hub's own function, which resumes; returns the hub's digest."""
    _check_version("huggingface-hub")
    # Its log would say each failed attempt; the error that this function raises says the last.
    logging.getLogger("huggingface_hub.file_download").setLevel(logging.ERROR)
    from huggingface_hub import constants, errors, get_hf_file_metadata
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    url, size, digest, headers = download.url, None, "", {}
    try:
        if url.startswith(HUB):
            url = f"{constants.ENDPOINT}/{url.removeprefix(HUB)}"
            published = get_hf_file_metadata(url)
            size, digest = published.size, published.etag or ""
            headers = build_hf_headers()
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
            f"{page} offers its files only to users who have accepted its licence. Accept it on "
            "this page, then run `hf auth login` or set HF_TOKEN to your token (a fine-grained "
            "token needs the right to read gated repositories)."
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status != 416 or not begun:  # 416 after a resume: the file is already complete
            remedy = STATUS.get(status, "Try again later.").format(staging=part.parent)
            answer = f"{url} can't be downloaded: the server answers {status}."
            raise UserError(f"{answer} {remedy}") from error
    except (OSError, TypeError, AttributeError, ImportError):  # faults of a program or of the disk
        raise
    except Exception as error:  # errors of httpx or of requests, depending on the hub's version
        raise unreachable(url, error) from error
    return digest


def _from_drive(download: Download, part: Path) -> str:
    """Download one file of a shared Google Drive folder with gdown, which resumes."""
    folder, name = download.url.removeprefix(DRIVE).split("/")
    try:
        import gdown
        import requests
    except ImportError as error:
        raise UserError(
            "The package gdown, which downloads files from Google Drive, is not installed: "
            f"{pip('install', 'gdown')}. Or download {name} from {DRIVE}{folder} with a browser."
        ) from error
    _check_version("gdown")
    begun = False
    refused = (
        f"Google Drive refuses {name}: {{}} Try again later, or download it from {DRIVE}{folder} "
        "with a browser."
    )
    try:
        files = gdown.download_folder(
            id=folder, skip_download=True, quiet=True, use_cookies=False, timeout=TIMEOUT
        )
        shared = next((file for file in files if Path(file.path).name == name), None)
        if shared is None:
            names = ", ".join(file.path for file in files) or "nothing"
            raise UserError(
                f"{name} is not in {DRIVE}{folder} any more; the folder contains {names}."
            )
        begun = True
        gdown.download(
            id=shared.id,
            output=str(part),
            resume=True,
            retries=RETRIES,
            timeout=TIMEOUT,
            use_cookies=False,
        )
    except (requests.exceptions.HTTPError, gdown.exceptions.FileURLRetrievalError) as error:
        raise UserError(refused.format(reason_of(error))) from error
    except requests.exceptions.RequestException as error:  # also a subclass of OSError
        raise unreachable(download.url, error) from error
    except gdown.exceptions.DownloadError as error:
        if begun and isinstance(error.__cause__ or error.__context__, OSError):
            raise unreachable(download.url, error) from error
        unfinished = f" Or remove the unfinished files in {part.parent}." if begun else ""
        raise UserError(refused.format(reason_of(error)) + unfinished) from error
    return ""


def _check_version(package: str) -> None:
    """Raise UserError for a version that lacks the caught errors or can't read Drive's pages."""
    version = metadata.version(package)
    if parse_version(version) < COMMAND_LINE[package]:
        raise UserError(
            f"{package} {version} is too old for downloads; update it: "
            f"{pip('install', '-U', package)}"
        )


def _check(part: Path, target: Path, digest: str) -> None:
    """Check a downloaded file by its digest, or without a digest by its format.

    Raises:
        UserError: the file is wrong; it is removed.
    """
    if digest and len(digest) in (SHA256, GIT_SHA1):
        actual = _digest(part, digest)
        if actual == digest:
            return
        fault = f"its checksum is {actual[:12]}..., but {digest[:12]}... is published"
    elif is_whole(part, target.suffix):
        logging.info("%s: no checksum is published; its format is right.", target.name)
        return
    else:
        fault = f"it is not a complete {target.suffix} file"
    part.unlink()
    raise UserError(
        f"The downloaded {target.name} was damaged ({fault}) and was removed. Run the command "
        "again; if it fails again, a proxy or login page is returning something else."
    )


def _digest(path: Path, like: str) -> str:
    """Digest of a file, of the same kind as `like`: SHA-256, or git's SHA-1 of a blob."""
    digest = hashlib.sha256()
    if len(like) == GIT_SHA1:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    return digest_whole(path, digest)
