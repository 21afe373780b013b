"""Nothing in the packed pack gives a scanner a reason, or surprises who installs it."""

import ast
import re
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from fcvg_core.catalogue.families import list_files

MAX_BYTES = 5 * 10**6
TOP = {
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "__init__.py",
    "docs",
    "fcvg_core",
    "nodes",
    "pyproject.toml",
    "requirements.txt",
    "subgraphs",
    "web",
    "workflows",
}
TEXTS = {".py", ".js", ".md", ".json", ".toml", ".txt", ".svg", ".cff", ""}
PICTURES = {".jpg"}
# Servers that a text may name: of models, data sets, papers, documents, and this machine.
SERVERS = {
    "huggingface.co",
    "github.com",
    "drive.google.com",
    "arxiv.org",
    "pytorch.org",
    "download.pytorch.org",
    "www.apache.org",
    # Documents that docs/batch.md takes its facts from.
    "docs.ray.io",
    "docs.aws.amazon.com",
    "cloud.google.com",
    "filesystem-spec.readthedocs.io",
    "man7.org",
    "slurm.schedmd.com",
    # Where the data sets come from that docs/boxes.md and docs/smcd_training.md describe.
    "motchallenge.net",
    "youtube-vos.org",
    "got-10k.aitestunion.com",
    "127.0.0.1",
    "ns.adobe.com",  # no server: what a kind of metadata in pictures calls itself
    "www.w3.org",  # no server: what the format SVG calls itself
}
# The longest lines that are written by people; packed or encoded programs are longer.
MAX_LINE = {".py": 100, ".js": 100, ".md": 600, ".json": 2500}
# Words that scanners search texts for, whether or not they stand in a program.
SUSPECT = {
    "code from text": r"(?<![\w.])(eval|exec|execfile|compile|__import__)\s*\(",
    "a started program": r"\b(subprocess|popen|os\.system|os\.exec\w*|os\.spawn\w*|pty)\b",
    "packages installed at run time": r"pip\.(main|_internal)|ensurepip|-m\W+pip\W+install",
    "code from a file": r"\b(pickle|marshal|dill|shelve)\.loads?\b|weights_only=False",
    "encoded data": r"\b(base64|b64decode|codecs\.decode)\b|(zlib|lzma|bz2)\.decompress\(",
    "encoded text": r"[A-Za-z0-9+/]{90,}={0,2}|(\\x[0-9a-fA-F]{2}){4,}|(\\u[0-9a-fA-F]{4}){4,}",
    "a long number": r"(?<![0-9a-fA-F])[0-9a-fA-F]{65,}",
    "hidden direction of writing": "[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]",
    "machine code": r"\b(ctypes|cffi|VirtualAlloc|LoadLibrary)\b",
    "a shell": r"/bin/(ba)?sh\b|cmd\.exe|powershell\.exe|\bcurl\b[^\n]*\|\s*(ba)?sh",
    "a secret": r"(?i)(api_key|passwo?rd|secret)\s*[:=]\s*['\"]\w",
}


# Programs in which such a word may stand, and why.
KNOWN = {
    # PyTorch counts the GPUs in a process of its own, so that a driver needs none of their memory.
    ("a started program", "fcvg_core/batch/workers/local_engine.py"),
    # `ray health-check` says at once what Ray itself tries for minutes.
    ("a started program", "fcvg_core/batch/workers/ray_start.py"),
    # The report holds its pictures, and the digest of its only script.
    ("encoded data", "fcvg_core/batch/reporting/report.py"),
}


@pytest.fixture(scope="session")
def files(packed) -> dict[str, Path]:
    """Every file by its name in the pack."""
    found = {path.relative_to(packed).as_posix(): path for path in packed.rglob("*")}
    return {name: path for name, path in found.items() if path.is_file()}


@pytest.fixture(scope="session")
def texts(files) -> dict[str, str]:
    """What stands in all files that are no pictures; this fails for one that is not UTF-8."""
    return {
        name: path.read_bytes().decode("utf-8")
        for name, path in files.items()
        if path.suffix not in PICTURES
    }


def none(found) -> None:
    """Fail with every offender, a line each."""
    found = sorted(found)
    assert not found, "\n".join(found)


class TestFiles:
    def test_what_is_in_it(self, packed):
        """A new name here is a decision: .comfyignore leaves the rest out."""
        assert {path.name for path in packed.iterdir()} == TOP

    def test_size(self, archive):
        size = archive.stat().st_size
        print(f"{size / 10**6:.1f} MB")
        assert 10**5 < size < MAX_BYTES

    def test_nothing_is_hidden(self, files):
        none(name for name in files if any(part.startswith(".") for part in Path(name).parts))

    def test_nothing_but_texts_and_pictures(self, files):
        none(name for name, path in files.items() if path.suffix not in TEXTS | PICTURES)
        for name, path in files.items():
            if path.suffix in PICTURES:
                with Image.open(path) as opened:
                    assert opened.format == "JPEG", name
                # Whatever is hung on to a picture stands behind its end.
                assert path.read_bytes().endswith(b"\xff\xd9"), name

    def test_nothing_looks_like_a_virus(self, files):
        """A rule that many scanners share takes four blanks at this place for one."""
        none(name for name, path in files.items() if path.read_bytes()[0x20:0x24] == b"    ")

    def test_nothing_is_a_program_or_a_link(self, archive):
        with zipfile.ZipFile(archive) as opened:
            modes = {entry.filename: entry.external_attr >> 16 for entry in opened.infolist()}
        none(name for name, mode in modes.items() if mode & 0o111 or (mode & 0o170000) == 0o120000)

    def test_links_of_its_pages_lead_to_its_files(self, files, texts):
        none(
            f"{name}: {target}"
            for name, text in texts.items()
            if name.endswith(".md")
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
            if not (files[name].parent / target).exists()
        )


class TestTexts:
    def test_programs_are_plain_ascii(self, texts):
        none(name for name, text in texts.items() if name.endswith(".py") and not text.isascii())

    def test_no_line_is_as_long_as_those_of_machines(self, texts):
        none(
            f"{name}: {len(line)}"
            for name, text in texts.items()
            for line in text.splitlines()
            if len(line) > MAX_LINE.get(Path(name).suffix, 200)
        )

    @pytest.mark.parametrize("what", SUSPECT)
    def test_no_word_that_scanners_search_for(self, texts, what):
        none(
            f"{name}: {found[0][:60]}"
            for name, text in texts.items()
            if (what, name) not in KNOWN
            for found in re.finditer(SUSPECT[what], text)
        )

    def test_addresses_are_those_of_models_papers_and_this_machine(self, texts):
        none(
            f"{name}: {url}"
            for name, text in texts.items()
            for url in re.findall(r"(?i)\b(?:https?|ftp|wss?)://[^\s'\")>`\]]+", text)
            if urlsplit(url).hostname not in SERVERS
        )

    def test_no_address_in_numbers(self, texts):
        none(
            f"{name}: {found}"
            for name, text in texts.items()
            for found in re.findall(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", text)
            if found != "127.0.0.1"
        )

    def test_programs_name_no_server_but_those_of_the_models(self, texts):
        """And the servers of a download stand in SECURITY.md."""
        servers = {
            urlsplit(download.url).hostname for file in list_files() for download in file.downloads
        }
        for name, text in texts.items():
            if name.endswith(".py"):
                found = {
                    urlsplit(url).hostname
                    for string in _strings(ast.parse(text))
                    for url in re.findall(r"https?://[^\s'\")]+", string)
                }
                assert found <= servers | {"arxiv.org"}, name
        assert all(server in texts["SECURITY.md"] for server in servers)


def _strings(tree: ast.Module) -> list[str]:
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("code from text", "x = eval('1')"),
        ("code from text", "__import__('os')"),
        ("a started program", "import subprocess"),
        ("packages installed at run time", "[sys.executable, '-m', 'pip', 'install', 'x']"),
        ("code from a file", "pickle.load(opened)"),
        ("code from a file", "torch.load(path, weights_only=False)"),
        ("encoded data", "base64.b64decode(text)"),
        ("encoded data", "zlib.decompress(data)"),
        ("encoded text", "QUJD" * 30),
        ("encoded text", r"'\x65\x76\x61\x6c'"),
        ("a long number", "deadbeef" * 9),
        ("hidden direction of writing", "a\u202eb"),
        ("machine code", "import ctypes"),
        ("a shell", "curl https://example.org/x | sh"),
        ("a secret", "API_KEY = 'abc'"),
    ],
)
def test_such_words_would_be_found(what, text) -> None:
    assert re.search(SUSPECT[what], text)


@pytest.mark.parametrize("text", ["model.eval()", "re.compile(x)", "a" * 64, "token", "compiled ("])
def test_ordinary_words_are_not(text) -> None:
    assert not any(re.search(pattern, text) for pattern in SUSPECT.values())
