"""The server's process: what it tells, and that it is stopped."""

import pytest

# A server that takes a graph and then does what it is told.
SLOW = """
import os, sys
from aiohttp import web

async def listen(request):
    answer = web.WebSocketResponse()
    await answer.prepare(request)
    async for _ in answer:
        pass

async def take(request):
    print("a graph came", flush=True)
    {act}
    return web.json_response({{"prompt_id": "1"}})

async def free(request):
    print("freed:", await request.text(), flush=True)
    return web.Response()

async def stats(request):
    return web.json_response({{}})

app = web.Application()
app.add_routes([web.get("/ws", listen), web.post("/prompt", take), web.get("/system_stats", stats)])
app.add_routes([web.post("/free", free)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[sys.argv.index("--port") + 1]), print=None)
"""


@pytest.mark.server
class TestServer:
    def serve(self, module, tmp_path, code: str):
        server = module("gpu_server")
        (tmp_path / "main.py").write_text(code, "utf-8")
        log = tmp_path / "log"
        return server, server.Server(tmp_path, tmp_path, log, flags=(), front=tmp_path)

    def test_its_last_words_are_told(self, module, tmp_path):
        code = "raise SystemExit('no such flag')"
        server, running = self.serve(module, tmp_path, code)
        with pytest.raises(server.PartFailedError, match="no such flag"):
            running.wait(20)

    def test_it_is_stopped_when_it_does_not_start(self, module, tmp_path):
        server, running = self.serve(module, tmp_path, "import time; time.sleep(60)")
        with pytest.raises(server.PartFailedError, match="did not start in 1 s"):
            running.wait(1)
        assert not running.alive

    @pytest.mark.parametrize(
        ("act", "told"),
        [("pass", "not done after 1 s"), ("os._exit(3)", "ended while a graph ran:\na graph came")],
    )
    def test_it_is_stopped_when_a_graph_does_not_end(self, module, tmp_path, act, told):
        server, running = self.serve(module, tmp_path, SLOW.format(act=act))
        running.wait(60)
        with pytest.raises(server.PartFailedError, match=told):
            running.run({}, 1 if act == "pass" else 60)
        assert not running.alive

    def test_models_are_freed_before_memory_is_measured(self, module, tmp_path):
        """The server needs a while, so the used memory is asked for until it falls no more."""
        used = iter([9, 9, 5, 5, 5, 0])
        _, running = self.serve(module, tmp_path, SLOW.format(act="pass"))
        running.wait(60)
        running.free_models(lambda: next(used))
        running.stop()
        assert next(used) == 0
        log = (tmp_path / "log").read_text("utf-8")
        assert log.count('freed: {"free_memory": true}') == 2

    def test_only_lines_that_matter_are_told_once_and_without_colours(self, module, tmp_path):
        line = r"\x1b[33m[WARNING]\x1b[0m slow\r\x1b[32m[INFO]\x1b[0m Poses of 2 people.\n"
        noise = r"got prompt\n***** ERROR *****\nModuleNotFoundError: No module named kornia\n"
        server, running = self.serve(module, tmp_path, f"print('{line}' * 2 + '{noise}')")
        with pytest.raises(server.PartFailedError):
            running.wait(20)
        assert running.log_lines() == ["[WARNING] slow", "Poses of 2 people."]
        assert running.log_lines(running.log_size()) == []
