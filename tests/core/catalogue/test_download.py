"""Downloads through a real proxy with TLS: resumed, checked, and every way in which they fail."""

import errno
import hashlib
import io
import json
import os
import random
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import torch
from hosts import ROOT
from small_internet import SmallInternet

from fcvg_core.catalogue.download import LOCK, STAGING, check_space, exclusive, fetch
from fcvg_core.catalogue.download_errors import DiskError
from fcvg_core.catalogue.families import list_files, modes_helped_by, modes_needing
from fcvg_core.catalogue.model_files import Download
from fcvg_core.catalogue.svd import SVD

pytest.importorskip("trustme", reason="needs trustme")
pytest.importorskip("gdown", reason="needs gdown")

# The command in a process of its own, with other checksums than the real files'.
PROGRAM = """
import json, resource, sys
from dataclasses import replace
from fcvg_core.catalogue.families import FAMILIES
digests, limit, arguments = json.loads(sys.argv[1])
def changed(files):
    return tuple(
        replace(file, downloads=tuple(
            replace(one, sha256=digests.get(one.url, "")) for one in file.downloads))
        for file in files)
FAMILIES[:] = [
    replace(family, **{
        kind: changed(getattr(family, kind))
        for kind in ("needed", "alternatives", "for_command", "helpful")})
    for family in FAMILIES]
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from fcvg_core.standalone.cli.main import main
sys.exit(main(arguments))
"""
CATALOGUE = [file for file in list_files() if not file.on_request]
YOLOX, DWPOSE = (file.downloads[0].url for file in CATALOGUE if "DWPose" in file.name)
GLUESTICK = next(file.downloads[0].url for file in CATALOGUE if file.key == "gluestick")
FCVG_NET = next(file.downloads[0].url for file in CATALOGUE if file.name == "FCVG's ControlNeXt")


@pytest.fixture
def internet(tmp_path: Path, stand_ins: Path):
    """Stand-ins for every file, under their real addresses."""
    served = SmallInternet(tmp_path)
    for file in CATALOGUE:
        for one in file.downloads:
            served.files[one.url] = stand_in(stand_ins, one.url)
    yield served
    served.close()


def stand_in(folder: Path, url: str) -> bytes:
    """Content of the stand-in of a file; what has none gets something of its form."""
    if url.endswith(".onnx"):
        return b"\x08" + random.Random(url).randbytes(4999)  # begins as ONNX files do
    if url.endswith(("/vocab.json", "/merges.txt")):
        return b"{}"
    if url.endswith((".tar", ".pth")):
        saved = io.BytesIO()
        torch.save({"weight": torch.zeros(5)}, saved)
        return saved.getvalue()
    name = url.rsplit("/", 1)[1].replace("controlnext-svd_v2-", "").replace("-fp16", "")
    name = name.replace("controlnet", "controlnext")
    if "/resolve/main/" in url and "stabilityai" in url:
        name = f"svd/{url.split('/resolve/main/')[1]}".replace(".fp16", "")
    return (folder / name).read_bytes()


def get(internet, models: Path, *options: str, digests: dict | None = None, limit: int = 0, **env):
    """`models --get --yes`; its exit code and all that it wrote."""
    environment = {**os.environ, **internet.environment, "FCVG_MODELS": str(models), **env}
    if "HF_TOKEN" not in env:
        environment.pop("HF_TOKEN", None)
    said = json.dumps([digests or {}, limit, ["models", "--get", "--yes", *options]])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, said],
        cwd=ROOT,
        env=environment,
        timeout=120,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def only(internet, *urls: str) -> None:
    """Leave the other files out, as if they were there already."""
    internet.files = {url: internet.files[url] for url in urls}


def put_others(internet, models: Path, *names: str) -> None:
    """All files but the named ones, as they would be after a download."""
    for file in CATALOGUE:
        if not any(name in file.name for name in names):
            for download, target in file.targets("folder", models):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(internet.files[download.url])


@pytest.mark.slow
class TestEverything:
    def test_then_a_run_works(self, internet, tmp_path: Path) -> None:
        """The newcomer's way: download, then make a video, with nothing else."""
        models = tmp_path / "models"
        code, text = get(internet, models)
        assert code == 0, text
        assert all(file.find([("folder", models)]) for file in CATALOGUE)
        assert not (models / STAGING).exists()
        environment = {**os.environ, "FCVG_MODELS": str(models), "HF_HUB_OFFLINE": "1"}
        run = [sys.executable, "-m", "fcvg_core"]
        subprocess.run(
            [*run, "sample-frames", str(tmp_path / "in"), "--width", "128", "--height", "64"],
            cwd=ROOT,
            check=True,
        )
        frames = [str(path) for path in sorted((tmp_path / "in").glob("*.png"))]
        done = subprocess.run(
            [
                *run,
                "inbetween",
                *frames,
                "-o",
                str(tmp_path / "out"),
                "--width",
                "128",
                "--height",
                "64",
                "--frames",
                "4",
                "--steps",
                "1",
                "--matcher",
                "classic",
                "--no-poses",
            ],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "out" / "result.mp4").stat().st_size
        code, text = get(internet, models)
        assert code == 0 and f"{len(CATALOGUE)} of {len(CATALOGUE)} are there." in text

    def test_into_a_comfyui(self, internet, tmp_path: Path) -> None:
        """To the names under which the workflows look for them; what is there stays as it is."""
        comfyui = tmp_path / "ComfyUI"
        (comfyui / "models" / "dwpose").mkdir(parents=True)
        (comfyui / "models" / "dwpose" / "yolox_l.onnx").write_bytes(b"mine")
        (comfyui / "comfyui_version.py").write_text('__version__ = "0.8.0"\n')
        code, text = get(internet, Path(), "--mode", "animate", FCVG_MODELS="")
        assert code == 2 and "no folder to download to" in text
        code, text = get(
            internet, Path(), "--mode", "animate", FCVG_MODELS="", COMFYUI_PATH=str(comfyui)
        )
        assert code == 0, text
        models = comfyui / "models"
        assert (models / "dwpose" / "yolox_l.onnx").read_bytes() == b"mine"
        for file in CATALOGUE:
            there = "animate" in (*modes_needing(file), *modes_helped_by(file))
            assert bool(file.find([("comfyui", models)])) == there


class TestBroken:
    def test_broken_off_and_resumed_at_once(self, internet, tmp_path: Path) -> None:
        """A proxy that drops connections: the rest is asked for, not all of it again."""
        put_others(internet, tmp_path / "m", "yolox")
        internet.files[YOLOX] = os.urandom(24_000_000)
        internet.breaks = 1
        code, text = get(internet, tmp_path / "m")
        assert code == 0, text
        assert (tmp_path / "m" / "yolox_l.onnx").read_bytes() == internet.files[YOLOX]
        assert any(asked.startswith("bytes=") for _, _, asked in internet.asked)

    @pytest.mark.parametrize("url", [YOLOX, FCVG_NET], ids=["hub", "drive"])
    @pytest.mark.slow
    def test_broken_off_for_good_and_resumed_later(self, internet, tmp_path, url) -> None:
        models = tmp_path / "m"
        put_others(internet, models, "yolox" if url == YOLOX else "FCVG's ControlNeXt")
        if url == YOLOX:
            internet.files[url] = os.urandom(24_000_000)
        internet.breaks = 100
        code, text = get(internet, models)
        assert code == 2 and "the same command continues" in text, text
        assert any((models / STAGING).iterdir())
        internet.breaks, internet.asked = 0, []
        code, text = get(internet, models)
        assert code == 0, text
        assert any(asked.startswith("bytes=") for _, _, asked in internet.asked)
        assert not (models / STAGING).exists()
        file = next(f for f in CATALOGUE if f.downloads[0].url == url)
        assert file.find([("folder", models)]).read_bytes() == internet.files[url]
        assert file.find([("folder", models)]).stat().st_mode & 0o044  # as other files

    @pytest.mark.parametrize("url", [YOLOX, FCVG_NET], ids=["hub", "drive"])
    def test_other_bytes_than_published(self, internet, tmp_path: Path, url: str) -> None:
        models = tmp_path / "m"
        put_others(internet, models, "yolox" if url == YOLOX else "FCVG's ControlNeXt")
        internet.spoilt = {url.rsplit("/", 1)[1]}
        code, text = get(internet, models)
        assert code == 2 and "was damaged" in text and "a proxy" in text, text
        file = next(f for f in CATALOGUE if f.downloads[0].url == url)
        assert file.find([("folder", models)]) is None
        internet.spoilt = set()
        assert get(internet, models)[0] == 0

    def test_a_half_file_of_another_version(self, internet, tmp_path: Path) -> None:
        """What came before was of other content: told by the checksum, and not used."""
        put_others(internet, tmp_path / "m", "yolox")
        staging = tmp_path / "m" / STAGING
        staging.mkdir()
        name = hashlib.sha256(YOLOX.encode()).hexdigest()[:8] + "-yolox_l.onnx"
        (staging / name).write_bytes(b"old")
        code, text = get(internet, tmp_path / "m")
        assert code == 2 and "was damaged" in text, text
        assert get(internet, tmp_path / "m")[0] == 0

    def test_known_checksum(self, internet, tmp_path: Path) -> None:
        """One that we know counts more than the server's own."""
        put_others(internet, tmp_path / "m", "yolox")
        code, text = get(internet, tmp_path / "m", digests={YOLOX: "0" * 64})
        assert code == 2 and "but 000000000000" in text, text
        right = hashlib.sha256(internet.files[YOLOX]).hexdigest()
        assert get(internet, tmp_path / "m", digests={YOLOX: right})[0] == 0


class TestRefused:
    def test_licence(self, internet, tmp_path: Path) -> None:
        """The others are downloaded all the same; with a token all is well."""
        internet.gated = {"stabilityai"}
        models = tmp_path / "m"
        code, text = get(internet, models, "--mode", "animate")
        assert code == 2 and "accepted its licence" in text and "hf auth login" in text, text
        assert (models / "yolox_l.onnx").is_file()
        code, text = get(internet, models, "--mode", "animate", HF_TOKEN="token")
        assert code == 0, text
        assert not any("GlueStick" in url or "drive" in url for _, url, _ in internet.asked)

    def test_gone(self, internet, tmp_path: Path) -> None:
        del internet.files[YOLOX], internet.files[FCVG_NET]
        code, text = get(internet, tmp_path / "m")
        assert code == 2 and "the server answers 404" in text, text
        assert "any more; the folder contains unet.safetensors" in text

    def test_log_in_page(self, internet, tmp_path: Path) -> None:
        """Instead of a file that has no published checksum."""
        put_others(internet, tmp_path / "m", "GlueStick")
        internet.files[GLUESTICK] = b"<html>please log in</html>"
        code, text = get(internet, tmp_path / "m")
        assert code == 2 and "not a complete .tar file" in text and "login page" in text, text

    def test_what_is_damaged(self, internet, tmp_path: Path, stand_ins: Path) -> None:
        """Never replaced, but named; moved away, it is downloaded again."""
        models = tmp_path / "m"
        shutil.copytree(stand_ins, models)
        broken = [models / "unet.safetensors", *(models / "svd" / "vae").glob("*.safetensors")]
        for path in broken:
            path.write_bytes(path.read_bytes()[:-1])
        options = "--mode", "inbetween", "--needed"
        code, text = get(internet, models, *options)
        assert code == 2, text
        assert all(f"{path} is DAMAGED" in text for path in (broken[0], broken[1])), text
        for path in broken:
            path.rename(path.with_suffix(".away"))
        code, text = get(internet, models, *options)
        assert code == 0, text
        assert SVD.find([("folder", models)]).parent.name.startswith("stable-video")

    def test_one_server_is_forbidden(self, internet, tmp_path: Path) -> None:
        """Said of each file, with the proxy's answer; what the others have is downloaded."""
        internet.forbidden = {"huggingface.co"}
        code, text = get(internet, tmp_path / "m", "--mode", "inbetween")
        lines = [line for line in text.splitlines() if "can't be reached" in line]
        assert code == 2 and len(lines) == 3 and all("403" in line for line in lines), text
        names = ("SVD-XT-1.1", "DWPose, yolox_l.onnx", "DWPose, dw-ll_ucoco_384.onnx")
        assert all(map(str.startswith, lines, names))
        found = {file.key for file in CATALOGUE if file.find([("folder", tmp_path / "m")])}
        assert found == {"fcvg-unet", "fcvg-controlnext", "gluestick", "superpoint", "taesdv"}
        left = {path.name for path in (tmp_path / "m").rglob("*")}
        assert len(left - {LOCK}) == len(found), left  # no empty folders and files

    def test_without_what_is_optional(self, internet, tmp_path: Path) -> None:
        code, text = get(internet, tmp_path / "m", "--mode", "inbetween", "--needed")
        assert code == 0, text
        found = {file.key for file in CATALOGUE if file.find([("folder", tmp_path / "m")])}
        assert found == {"svd", "fcvg-unet", "fcvg-controlnext"}

    def test_no_network(self, internet, tmp_path: Path) -> None:
        """A line for each file, and once what to do; nothing of the attempts."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
        code, text = get(internet, tmp_path / "m", HTTPS_PROXY=closed, https_proxy=closed)
        said = text.partition("Error: Not everything is there.\n")[2].splitlines()
        assert code == 2 and len(said) == len(CATALOGUE) + 1, text
        for file, line in zip(CATALOGUE, said[:-1], strict=True):
            server = urlsplit(file.downloads[0].url).netloc
            assert line.startswith(f"{file.name}: {server} can't be reached"), line
        assert said[-1].startswith("Check the network and HTTPS_PROXY.")
        assert "resume" not in text.lower() and "retr" not in text.lower(), text


class TestDisk:
    def test_no_room(self, tmp_path: Path) -> None:
        files = [(Download("https://example.org/a", 10**12), tmp_path / "a")]
        with pytest.raises(ValueError, match=r"GB free, but the files need 1000000000\.0 GB"):
            check_space(files)
        check_space([(Download("https://example.org/a", 1), tmp_path / "not" / "yet" / "a")])

    @pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' limits")
    @pytest.mark.parametrize("url", [YOLOX, FCVG_NET], ids=["hub", "drive"])
    def test_it_fills_up_meanwhile(self, internet, tmp_path: Path, url: str) -> None:
        """A limit on the size of files stands in for the full disk: the same kind of error."""
        put_others(internet, tmp_path / "m", "yolox" if url == YOLOX else "FCVG's ControlNeXt")
        internet.files[url] += bytes(2_000_000)
        code, text = get(internet, tmp_path / "m", limit=1_000_000)
        assert code == 2 and "can't be written: File too large" in text, text
        assert "FAT32" in text

    def test_it_is_full_meanwhile(self, tmp_path: Path, monkeypatch) -> None:
        def full(download: Download, part: Path) -> str:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("fcvg_core.catalogue.download._from_web", full)
        with pytest.raises(DiskError, match=r"can't be written: No space.* are free\. Make room"):
            fetch(Download(YOLOX, 1), tmp_path / "new" / "yolox_l.onnx")
        assert not any(tmp_path.iterdir())

    def test_what_has_come_needs_no_room(self, tmp_path: Path, monkeypatch) -> None:
        """By gdown too, which writes into a file of a longer name."""
        monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_500_000))
        number = hashlib.sha256(FCVG_NET.encode()).hexdigest()[:8]
        part = tmp_path / STAGING / f"{number}-net.safetensorsabc12345.part"
        part.parent.mkdir()
        part.write_bytes(bytes(1_000_000))
        check_space([(Download(FCVG_NET, 2), tmp_path / "net.safetensors")])
        part.unlink()
        with pytest.raises(ValueError, match="has 1.5 MB free, but the files need 2.0 MB"):
            check_space([(Download(FCVG_NET, 2), tmp_path / "net.safetensors")])

    def test_links(self, internet, tmp_path: Path) -> None:
        """A folder that is a link is written into; a link that leads nowhere is not replaced."""
        models = tmp_path / "m"
        put_others(internet, models, "yolox", "ControlNeXt-SVD's ControlNeXt")
        elsewhere = (models / "controlnext-svd").rename(tmp_path / "elsewhere")
        (models / "controlnext-svd").symlink_to(elsewhere)
        (models / "yolox_l.onnx").symlink_to(tmp_path / "unplugged")
        code, text = get(internet, models)
        assert code == 2 and "yolox_l.onnx is a link whose target does not exist" in text, text
        assert (models / "yolox_l.onnx").is_symlink()
        assert len(list(elsewhere.iterdir())) == 2

    def test_read_only(self, internet, tmp_path: Path) -> None:
        folder = tmp_path / "m"
        put_others(internet, folder, "yolox")
        if os.geteuid() == 0:  # who may write everywhere
            (folder / STAGING).write_text("a file where a folder has to be")
            reason = "File exists|Not a directory"
        else:
            folder.chmod(0o500)
            reason = "Permission denied"
        code, text = get(internet, folder)
        folder.chmod(0o700)
        assert code == 2 and "can't be written" in text, text
        assert any(word in text for word in reason.split("|")), text


def test_one_at_a_time(internet, tmp_path: Path) -> None:
    """Two would write into the same unfinished file."""
    with exclusive(tmp_path / "m"):
        code, text = get(internet, tmp_path / "m")
        assert {path.name for path in (tmp_path / "m").iterdir()} == {LOCK}
    assert code == 2 and "is running: wait until it ends" in text, text


@pytest.mark.parametrize("folder", ["m", "a/b/m"])
@pytest.mark.parametrize("comes", [False, True])
def test_a_folder_to_which_nothing_came(tmp_path: Path, folder: str, comes: bool) -> None:
    with exclusive(tmp_path / folder):
        if comes:
            (tmp_path / folder / "file").touch()
    assert (tmp_path / folder / "file").exists() == comes
    assert bool(list(tmp_path.iterdir())) == comes


def test_an_empty_folder_of_a_user_stays(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        pass
    assert tmp_path.is_dir()
