"""The report of a batch: its text here, and what a person does with it in a real browser."""

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from editor import ARTIFACTS, open_browser
from PIL import Image

from fcvg_core.batch.reporting import report
from fcvg_core.batch.reporting.report import write_report
from fcvg_core.batch.store import open_store
from fcvg_core.batch.store.local import LocalStore
from fcvg_core.errors import UserError

EVIL = '</script><script>document.title="broken"</script><img src=x onerror=alert(1)>&"\'\x1b[31m'
KEY = "-0123456789ab"


class Results(LocalStore):
    """A folder with the results and failures that the tests put there."""

    def add_done(self, name: str, *, strip: bytes | None = None, **more) -> None:
        folder = self.folder / "results" / (name + KEY)
        folder.mkdir(parents=True)
        (folder / "preview.mp4").write_bytes(b"a video")
        files = {"preview.mp4": 7}
        if strip:
            (folder / "strip.jpg").write_bytes(strip)
            files["strip.jpg"] = len(strip)
        record = {
            "id": name,
            "mode": "preview",
            "seconds": 12.5,
            "worker": "w0",
            "finished": "2026-05-01T14:03:22+00:00",
            "files": files,
            **more,
        }
        (folder / "record.json").write_text(json.dumps(record))

    def add_failed(self, name: str, error: str, **more) -> None:
        folder = self.folder / "failed"
        folder.mkdir(parents=True, exist_ok=True)
        record = {"id": name, "error": error, "traceback": "", "attempts": 1, **more}
        (folder / f"{name}{KEY}.json").write_text(json.dumps(record))


@pytest.fixture
def store(tmp_path) -> Results:
    (tmp_path / "out").mkdir()
    return Results(tmp_path / "out")


def strip(seed: int = 0, tiles: int = 5) -> bytes:
    """A small picture of coloured frames, as JPEG."""
    colours = np.random.default_rng(seed).integers(40, 220, (1, tiles, 3), np.uint8)
    pixels = np.repeat(np.repeat(colours, 54, 0), 96, 1)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG")
    return content.getvalue()


class Page(HTMLParser):
    """What a browser would make of the page: elements with attributes, and the text of each row."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.rows, self.ids, self._in_title = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "li":
            self.rows.append("")
            self.ids.append("")
        self._in_title = tag == "h2" or (self._in_title and tag == "a")

    def handle_endtag(self, tag):
        self._in_title = self._in_title and tag != "h2"

    def handle_data(self, data):
        if self._in_title:
            self.ids[-1] += data
        if self.rows:
            self.rows[-1] += data


def written(store: Results, **more) -> tuple[str, Page]:
    path = Path(write_report(store, left=more.pop("left", 0), **more))
    assert path == store.folder / "report.html"
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


class TestWriteReport:
    def test_counts_failures_and_strips(self, store):
        store.add_done("b", strip=strip(), seed=7, options={"prompt": "a boat leaves"})
        store.add_done("a10", strip=strip(1))
        store.add_done("a9")
        store.add_failed("c", "There is no file last.png.", attempts=3, seconds=70)
        text, page = written(store, left=1234, notes=["The disk is full."])
        assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text) == [
            ("done", "3"),
            ("failed", "1"),
            ("left", "1,234"),
            ("mean time of a pair", "12.5 s"),
            ("time of all pairs", "37.5 s"),
        ]
        assert "The disk is full." in text
        assert page.ids == ["c", "a9", "a10", "b"]
        assert "There is no file last.png." in page.rows[0] and "3 attempts" in page.rows[0]
        assert "seed 7" in page.rows[3] and "a boat leaves" in page.rows[3]
        assert "2026-05-01 14:03 UTC" in page.rows[3]
        pictures = [x["src"] for tag, x in page.tags if tag == "img"]
        assert len(pictures) == 2 and all(x.startswith("data:image/jpeg;") for x in pictures)

    def test_a_batch_without_any_end(self, store):
        text, page = written(store, left=3)
        assert page.rows == [] and "mean time" not in text

    def test_nothing_leaves_the_page(self, store):
        store.add_done("a", strip=strip())
        text, page = written(store)
        loading = ("script", "link", "iframe", "object", "embed", "video", "audio", "source")
        assert all("src" not in x and "style" not in x for tag, x in page.tags if tag != "img")
        assert {tag for tag, _ in page.tags} & set(loading) == {"script"}
        assert "://" not in text and "url(" not in text and "@import" not in text

    def test_ids_and_messages_are_data(self, store):
        store.add_done("a", id=EVIL, worker=EVIL, seed=EVIL, finished=EVIL, mode=EVIL)
        store.add_done("b", files={EVIL: 1, f"{EVIL}.mp4": 2}, options={"prompt": EVIL})
        store.add_failed("c", EVIL, traceback=EVIL, worker=EVIL, time=EVIL)
        text, page = written(store, notes=[EVIL])
        assert text.count("<script") == 1 and "\x1b" not in text
        assert not any("onerror" in x for _, x in page.tags)
        assert {tag for tag, _ in page.tags if tag == "img"} == set()
        assert all("</script><script>" in row and r"\x1b" in row for row in page.rows[:2])

    @pytest.mark.parametrize("content", ["", "[]", "{broken", '{"seconds": "long", "files": 3}'])
    def test_a_record_that_is_no_record(self, store, content):
        store.add_failed("a", "x")
        (store.folder / "failed" / f"a{KEY}.json").write_text(content)
        store.add_done("b", seconds=None, files=None, finished=7, options=[], worker=None)
        _, page = written(store)
        assert page.rows[0].startswith("afailed") and "not readable" in page.rows[0]
        assert page.rows[1].startswith("bdone")

    def test_a_strip_that_is_no_small_picture_is_linked(self, store):
        store.add_done("a", strip=b"<svg onload=alert(1)>")
        store.add_done("b", strip=strip()[:3] + bytes(report.LARGEST_STRIP))
        _, page = written(store)
        links = [x["href"] for tag, x in page.tags if tag == "a"]
        assert links.count(f"results/a{KEY}/strip.jpg") == links.count(f"results/b{KEY}/strip.jpg")
        assert "img" not in {tag for tag, _ in page.tags}

    def test_of_very_many_pairs_some_are_shown(self, store, monkeypatch):
        monkeypatch.setattr(report, "MOST_STRIPS", 2)
        monkeypatch.setattr(report, "MOST_ROWS", 5)
        monkeypatch.setattr(report, "AT_ONCE", 2)
        for number in range(6):
            store.add_done(f"a{number}", strip=strip())
        store.add_failed("z", "no")
        text, page = written(store)
        assert len(page.rows) == 5 and page.rows[0].startswith("zfailed")
        assert [tag for tag, _ in page.tags].count("img") == 2
        assert "Only 5 of 7 pairs are shown." in text

    def test_a_failure_that_was_made_good_is_no_failure(self, store):
        store.add_failed("a", "no")
        store.add_done("a")
        text, page = written(store)
        assert len(page.rows) == 1 and '<div class="failed"><dt>failed</dt><dd>0</dd>' in text

    def test_names_with_spaces_are_linked(self, store):
        store.add_done("a b 1")
        _, page = written(store)
        assert f"results/a%20b%201{KEY}/" in [x.get("href") for _, x in page.tags]

    def test_a_bucket_gets_it_in_one_piece(self, store):
        pytest.importorskip("fsspec")
        bucket = open_store("memory://bucket/out")
        store.add_done("a", strip=strip())
        (made,) = (store.folder / "results").iterdir()
        bucket.publish(made, made.name, json.loads((made / "record.json").read_text()))
        assert write_report(bucket, left=0) == "memory://bucket/out/report.html"
        page = bucket.read("report.html")
        assert page.endswith(b"</html>\n") and b"data:image/jpeg" in page

    def test_a_full_disk(self, store, small_disk):
        folder = small_disk(1 << 16)
        small = Results(folder)
        for number in range(8):
            small.add_failed(str(number), "x" * 900, traceback="y\n" * 300)
        with pytest.raises(UserError, match="is full"):
            for number in range(8, 100):
                write_report(small, left=0)
                small.add_done(str(number))
        assert not list(folder.glob(".*.part"))


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


class Reader:
    """A person who reads the page."""

    def __init__(self, page):
        self.page = page

    def seen(self) -> list[str]:
        """The ids of the rows that are shown, in their order."""
        return self.page.locator(".pairs li:not([hidden]) h2").all_inner_texts()

    def type(self, words: str) -> None:
        self.page.get_by_label("Search").fill(words)
        self.page.wait_for_timeout(200)  # it searches when the typing has stopped

    def counted(self) -> str:
        return self.page.locator("output").inner_text()


@pytest.fixture
def reader(store, browser, request):
    store.add_failed("scene_02", "There is no file /pictures/scene_02/last.png.", attempts=1)
    store.add_failed("scene_11", EVIL, traceback="Traceback:\n  boom", seconds=3.0, attempts=3)
    for number, seconds in ((1, 9.0), (10, 61.0), (3, 30.0)):
        store.add_done(
            f"scene_{number:02d}" if number < 10 else "scene_100",
            strip=strip(number),
            seconds=seconds,
            seed=number,
            finished=f"2026-05-01T14:{number:02d}:00+00:00",
            options={"prompt": "a boat leaves the harbour" if number == 3 else ""},
        )
    path = write_report(store, left=4, notes=["The batch was stopped: 2 pairs have failed."])
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    requests, problems = [], []
    page.on("request", lambda x: requests.append(x.url))
    page.on("console", lambda x: problems.append(x.text) if x.type == "error" else None)
    page.on("pageerror", lambda x: problems.append(str(x)))
    page.goto(Path(path).as_uri())
    reader = Reader(page)
    yield reader
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"batch_report_{request.node.name}.png")
    assert [x for x in requests if not x.startswith("data:")] == [Path(path).as_uri()]
    assert problems == []
    page.close()


class TestInABrowser:
    def test_shows_everything(self, reader):
        page = reader.page
        assert page.title() == "Batch report"  # no message has changed it
        assert reader.counted() == "5 of 5 pairs"
        assert reader.seen() == ["scene_02", "scene_11", "scene_01", "scene_03", "scene_100"]
        assert page.get_by_text("/pictures/scene_02/last.png").is_visible()
        loaded = "() => [...document.images].map(x => [x.naturalWidth, x.naturalHeight])"
        page.locator("img").last.scroll_into_view_if_needed()
        assert page.evaluate(loaded) == [[480, 54]] * 3

    def test_is_searched(self, reader):
        reader.type("harbour BOAT")
        assert reader.seen() == ["scene_03"] and reader.counted() == "1 of 5 pairs"
        reader.type("no file")
        assert reader.seen() == ["scene_02"]
        reader.type("<script>")
        assert reader.seen() == ["scene_11"]
        reader.type("nothing has this")
        assert reader.seen() == [] and reader.counted() == "0 of 5 pairs"
        reader.type("")
        assert len(reader.seen()) == 5

    def test_is_filtered_and_sorted(self, reader):
        page = reader.page
        page.get_by_role("button", name="failed", exact=True).click()
        assert reader.seen() == ["scene_02", "scene_11"]
        page.get_by_role("button", name="done", exact=True).click()
        order = page.get_by_label("Order")
        order.select_option("slowest first")
        assert reader.seen() == ["scene_100", "scene_03", "scene_01"]
        order.select_option("newest first")
        assert reader.seen() == ["scene_100", "scene_03", "scene_01"]
        page.get_by_role("button", name="all", exact=True).click()
        order.select_option("by id")
        assert reader.seen() == ["scene_01", "scene_02", "scene_03", "scene_11", "scene_100"]
        order.select_option("failed first")
        assert reader.seen() == ["scene_02", "scene_11", "scene_01", "scene_03", "scene_100"]

    def test_links_lead_to_results(self, reader, store):
        link = reader.page.get_by_role("link", name="scene_01", exact=True)
        assert link.evaluate("x => x.href") == (
            (store.folder / "results" / f"scene_01{KEY}").as_uri() + "/"
        )
        video = reader.page.get_by_role("link", name="preview.mp4").first
        assert video.evaluate("x => x.href").endswith(f"scene_01{KEY}/preview.mp4")

    def test_a_traceback_opens(self, reader):
        text = reader.page.locator("pre")
        assert not text.is_visible()
        reader.page.get_by_text("traceback", exact=True).click()
        assert text.is_visible() and "boom" in text.inner_text()

    def test_the_keyboard_is_enough(self, reader):
        page = reader.page
        page.keyboard.press("Tab")
        page.keyboard.type("scene_100")
        page.wait_for_timeout(200)
        assert reader.seen() == ["scene_100"]
        for _ in range(3):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert reader.seen() == []

    @pytest.mark.parametrize("width", [1280, 390])
    def test_fits_into_the_window_in_the_dark(self, reader, width):
        page = reader.page
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        background = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(background) == "rgb(20, 22, 26)"

    def test_of_many_pairs_more_come_as_one_scrolls(self, store, browser):
        for number in range(450):
            store.add_done(f"pair_{number:03d}", strip=strip(0, 1))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(Path(write_report(store, left=0)).as_uri())
        reader = Reader(page)
        assert reader.counted() == "450 of 450 pairs" and len(reader.seen()) == 200
        page.keyboard.press("End")
        page.locator("h2", has_text="pair_399").wait_for()
        page.keyboard.press("End")
        page.locator("h2", has_text="pair_449").wait_for()
        assert reader.seen() == [f"pair_{number:03d}" for number in range(450)]
        assert not page.get_by_text("show more").is_visible()
        reader.type("pair_44")
        assert reader.seen() == [f"pair_{number}" for number in range(440, 450)]
        page.close()

    def test_without_scripts_the_first_rows_are_seen(self, store, browser):
        for number in range(210):
            store.add_done(f"pair_{number:03d}")
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(Path(write_report(store, left=0)).as_uri())
        assert page.locator("h2").count() == 200 and not page.locator(".tools").is_visible()
        assert page.get_by_text("More pairs are shown where scripts may run.").is_visible()
        page.close()
