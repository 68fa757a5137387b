"""The web server around the page: limits of each visitor, and fairness between visitors."""

import re
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file

from cnn_models import ModelHub
from tests.conftest import ROOT, run_async
from tests.ui.compare.test_tab import SEVEN
from ui.common import modules, uploads
from ui.server import connections, guard
from ui.server.page import SWEEP
from ui.tabs import build

SEVEN_PNG = ROOT / "ui" / "common" / "samples" / "mnist.7.png"


@pytest.fixture(scope="module")
def page():
    """The app in this process, with the bundled weights."""
    page = build(ModelHub(ROOT / "weights"))
    page.queue(default_concurrency_limit=None).launch(prevent_thread_lock=True, quiet=True, hosts={"demo.example"})
    yield page
    page.close()


@pytest.fixture(scope="module")
def at(page):
    return page.local_url.rstrip("/")


@pytest.fixture
def browser(at):
    with httpx.Client(base_url=at, timeout=60) as client:
        yield client


def component(page):
    return next(id for id, block in page.blocks.items() if block.elem_id == "compare-page")


def asking(page, name="predict", session="s", **data):
    """The body of a request to a function of the Compare tab."""
    return {
        "data": {"image": SEVEN, **data},
        "fn_name": name,
        "component_id": component(page),
        "session_hash": session,
    }


def wake_ups(thread):
    """How often a thread of this process has slept and woken up so far."""
    status = Path(f"/proc/self/task/{thread}/status").read_text(encoding="utf-8")
    return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE)[1])


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_an_idle_server_rests_and_wakes_for_an_event(page, browser):
    assert browser.post("/gradio_api/call/models", json={"data": []}).is_success  # the queue has started
    until = time.monotonic() + 10
    while page._queue.event_ids_to_events and time.monotonic() < until:
        time.sleep(0.01)
    before = wake_ups(page.server.thread.native_id)
    time.sleep(2)
    assert wake_ups(page.server.thread.native_id) - before < 2 * 20
    event = browser.post("/gradio_api/call/models", json={"data": []}).json()["event_id"]
    assert "complete" in browser.get(f"/gradio_api/call/models/{event}").text


# Headers and open addresses.


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/theme.css", "/nothing"])
def test_every_response_has_the_headers(browser, path):
    headers = browser.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'self' https:" in policy


def routes(router):
    """Also those of included routers."""
    for route in router.routes:
        yield from routes(route.original_router) if hasattr(route, "original_router") else [route]


def test_addresses_of_gradio_that_the_page_does_not_use_are_closed(page, browser):
    """The open routes are listed here: a new route of gradio is closed."""
    answering = {
        "/", "/config", "/static", "/assets", "/svelte", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt",
        "/pwa_icon", "/gradio_api", "/modules",
    }  # fmt: skip
    used = {
        "info", "openapi.json", "app_id", "user", "theme.css", "startup-events", "login_check", "upload",
        "component_server", "reset", "cancel", "queue", "heartbeat", "run", "api", "call", "mcp",
    }  # fmt: skip
    closed = 0
    for route in routes(page.app):
        path = re.sub(r"{(\w+):path}", r"\1", re.sub(r"{(\w+)}", r"\1", getattr(route, "path", "")))
        first, rest = f"/{path[1:].partition('/')[0]}", re.split("[/=]", path.removeprefix("/gradio_api/"))[0]
        is_used = rest in used if first == "/gradio_api" else first in answering
        for method in getattr(route, "methods", None) or ():
            if not is_used:
                answer = browser.request(method, path)
                assert answer.status_code == 404, (method, path)
                closed += 1
    assert closed > 30
    for path in ("/monitoring/summary", "/gradio_api/file=app.py", "/gradio_api/proxy=https://example.org"):
        assert browser.get(path).status_code == 404
    assert browser.post("/gradio_api/process_recording", files={"file": b"x"}).status_code == 404


def test_page_predictions_and_modules_are_compressed_and_streams_are_not(browser, page):
    predicted = browser.post("/gradio_api/component_server", json=asking(page))
    module = browser.get(next(each for each in modules.first() if "sketchpad" in each))
    for response in (browser.get("/"), predicted, module):
        assert response.headers["content-encoding"] in ("gzip", "br"), response.url
        assert int(response.headers["content-length"]) < len(response.content) / 2
        assert "accept-encoding" in response.headers["vary"].lower()
    with browser.stream("GET", "/gradio_api/heartbeat/s") as stream:
        assert "content-encoding" not in stream.headers


def test_modules_are_cached_without_limit(browser):
    for name, content in modules.MODULES.items():
        answer = browser.get(f"/modules/{modules.VERSION}/{name}")
        assert answer.content == content, name
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        f"{modules.VERSION}/compare/nothing.js",
        f"{modules.VERSION}/compare/tab.py",
        f"{modules.VERSION}/../server/guard.py",
        f"{modules.VERSION}/%2e%2e/%2e%2e/app.py",
        f"{modules.VERSION}//etc/passwd",
        f"{modules.VERSION}/",
        f"{'0' * 16}/compare/tab.js",
        "compare/tab.js",
    ],
)
def test_only_modules_of_this_version_are_served(browser, path):
    assert browser.get(f"/modules/{path}").status_code == 404


def test_mcp_tools_are_for_known_hosts_and_own_pages(browser):
    for host in ("evil.example", "evil.example:7860", "127.0.0.1.evil.example"):
        answer = browser.post("/gradio_api/mcp/", headers={"Host": host}, json={})
        assert answer.status_code == 421 and "--public-host" in answer.json()["detail"]
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
        assert browser.post("/gradio_api/mcp/", headers={"Origin": origin}, json={}).status_code == 403
    for headers in ({}, {"Host": "demo.example"}, {"Host": "[::1]:7860"}, {"Host": "localhost"}):
        assert browser.post("/gradio_api/mcp/", headers=headers, json={}).status_code not in (403, 421)
    own = {"Host": "demo.example", "Origin": "https://demo.example"}
    assert browser.post("/gradio_api/mcp/", headers=own, json={}).status_code not in (403, 421)


# Uploads.


def test_an_upload_is_returned_as_a_name_without_its_folder(browser, at):
    name = browser.post("/gradio_api/upload", files={"files": ("se ven.png", SEVEN_PNG.read_bytes())}).json()[0]
    assert re.fullmatch(r"[0-9a-f]{32}/se_ven\.png", name)
    assert uploads.upload_path(name).read_bytes() == SEVEN_PNG.read_bytes()
    answer = Client(at, verbose=False).predict(handle_file(SEVEN_PNG), "mnist", ["lenet5"], api_name="/compare")
    assert answer["verdict"]["label"] == "7"


def test_invalid_uploads_get_a_sentence(browser):
    for request in (
        {"files": [("files", (f"{index}.png", b"x")) for index in range(uploads.MOST_AT_ONCE + 1)]},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"x"},
        {"json": {}},
        {"files": {"files": ("", b"x")}, "data": {}},
        {"data": {"files": "text"}},
    ):
        answer = browser.post("/gradio_api/upload", **request)
        assert answer.status_code == 400 and answer.json()["detail"], request


# Bodies.


def multipart(content):
    return b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n' + content + b"\r\n--x--\r\n"


def test_a_body_is_limited_with_or_without_a_content_length(browser, page):
    def parts():
        for _ in range(64):
            yield b" " * 2**20

    for path, content in (
        ("/gradio_api/component_server", b" " * (guard.SMALL + 1)),
        ("/gradio_api/component_server", parts()),
        ("/gradio_api/queue/join", b" " * (guard.LARGE + 1)),
        ("/gradio_api/run/predict", parts()),
        ("/gradio_api/upload", multipart(b" " * (guard.FILE + 1))),
        ("/gradio_api/upload", multipart(b" " * (uploads.MAX_BYTES + 1))),
    ):
        try:
            answer = browser.post(path, content=content, headers={"Content-Type": "multipart/form-data; boundary=x"})
        except httpx.WriteError:  # the server closed the connection before the end
            continue
        assert answer.status_code == 413
        assert "80 MB" in answer.json()["detail"] or (path != "/gradio_api/upload" and "MB" in answer.json()["detail"])
    assert browser.post("/gradio_api/component_server", json=asking(page)).status_code == 200


def test_an_incomplete_body_times_out(at, monkeypatch):
    monkeypatch.setattr(guard, "PAUSE", 0.5)
    with socket.create_connection(address(at)) as half:
        half.sendall(b"POST /gradio_api/component_server HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        half.settimeout(10)
        assert half.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("path", ["/closed", "/gradio_api/upload"])
def test_a_response_before_the_end_of_a_body_is_not_lost(at, path):
    with socket.create_connection(address(at)) as early:
        early.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n".encode())
        early.settimeout(10)
        assert early.recv(1000).startswith(b"HTTP/1.1 4")
        for _ in range(100):
            early.sendall(b"x" * 1000)
        while early.recv(2**16):
            pass


# Connections.


def address(at):
    url = httpx.URL(at)
    return url.host, url.port


def is_closed(connection, seconds=10):
    connection.settimeout(seconds)
    try:
        while connection.recv(2**16):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTT"])
def test_an_incomplete_request_times_out(at, monkeypatch, sent):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.5)
    with socket.create_connection(address(at)) as half:
        half.sendall(sent)
        assert is_closed(half)


def test_a_second_request_on_a_connection_times_out_too(at, monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.5)
    with socket.create_connection(address(at)) as half:
        half.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        assert half.recv(1000).startswith(b"HTTP/1.1 200")
        half.sendall(b"GET / HTTP/1.1\r\n")
        assert is_closed(half)


def test_endless_headers_close_the_connection(at):
    with socket.create_connection(address(at)) as endless:
        try:
            endless.sendall(b"GET / HTTP/1.1\r\n" + b"X-A: " + b"a" * 2 * connections.HEADER_BYTES)
        except OSError:
            return
        assert is_closed(endless, 5)


def test_many_incomplete_requests_do_not_shut_out_others(at, browser, page, monkeypatch):
    monkeypatch.setattr(connections, "MOST_WAITING", 20)
    held = [socket.create_connection(address(at)) for _ in range(60)]
    try:
        for half in held:
            half.sendall(b"GET / HTTP/1.1\r\n")
        assert browser.post("/gradio_api/component_server", json=asking(page)).status_code == 200
        assert sum(is_closed(half, 0.2) for half in held[:40]) >= 39  # the oldest
    finally:
        for half in held:
            half.close()


def test_streams_hold_no_turns(at, browser, page):
    with ThreadPoolExecutor(20) as pool, httpx.Client(base_url=at, timeout=60) as held:
        streams = [held.stream("GET", f"/gradio_api/heartbeat/{index}") for index in range(guard.FRONT + 10)]
        list(pool.map(lambda stream: stream.__enter__(), streams))
        assert browser.post("/gradio_api/component_server", json=asking(page), timeout=10).is_success
        for stream in streams:
            stream.__exit__(None, None, None)


def test_streams_of_one_address_are_limited(at, browser, monkeypatch):
    monkeypatch.setattr(guard, "MOST_OPEN", 10)
    who = {"X-Forwarded-For": "192.0.2.7"}  # as a proxy on this machine sends it
    with ThreadPoolExecutor(10) as pool, httpx.Client(base_url=at, timeout=60, headers=who) as held:
        streams = [held.stream("GET", f"/gradio_api/heartbeat/{index}") for index in range(10)]
        list(pool.map(lambda stream: stream.__enter__(), streams))
        answer = browser.get("/config", headers=who)
        assert answer.status_code == 429 and "too many" in answer.json()["detail"]
        assert browser.get("/config", headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 200
        assert browser.get("/config").status_code == 200
        for stream in streams:
            stream.__exit__(None, None, None)
    until = time.monotonic() + 10
    while browser.get("/config", headers=who).status_code == 429 and time.monotonic() < until:
        pass
    assert browser.get("/config", headers=who).status_code == 200


def test_refused_requests_whose_body_is_still_to_come_are_limited_too(at, browser, monkeypatch):
    monkeypatch.setattr(guard, "MOST_OPEN", 3)
    monkeypatch.setattr(guard, "LINGER", 30)
    refused = b"POST /closed HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.5\r\nContent-Length: 9\r\n\r\n"
    with ExitStack() as stack:
        for status in (b"404", b"404", b"404", b"429"):
            last = stack.enter_context(socket.create_connection(address(at)))
            last.sendall(refused)
            last.settimeout(10)
            assert last.recv(1000).startswith(b"HTTP/1.1 " + status)
        assert is_closed(last)
        assert browser.get("/config").status_code == 200


# Fairness and state.


def test_saliency_for_one_visitor_delays_another_by_one_request(at, page):
    """Ten requests of two sessions of one visitor wait; that of another visitor is next."""
    done = []

    def ask(who, session, index):
        body = asking(page, "explain", session, part="heat", models=["googlenet"])
        with httpx.Client(base_url=at, timeout=120, headers={"X-Forwarded-For": who}) as client:
            status = client.post("/gradio_api/component_server", json=body).status_code
        done.append((who, status))

    flood = [threading.Thread(target=ask, args=("192.0.2.1", f"s{index % 2}", index)) for index in range(10)]
    for thread in flood:
        thread.start()
    until = time.monotonic() + 30
    while page.slow._pending["192.0.2.1"] < 8 and time.monotonic() < until:
        time.sleep(0.01)
    before = len(done)
    ask("192.0.2.2", "s", 0)
    between = [who for who, _ in done[before:]].index("192.0.2.2")
    for thread in flood:
        thread.join()
    assert between <= 2, done
    assert all(status == 200 for _, status in done)


def called(at, who, *options):
    """A call of /compare: its id, and the client and path of its response."""
    client = httpx.Client(base_url=f"{at}/gradio_api", timeout=120, headers={"X-Forwarded-For": who})
    path = client.post("/upload", files={"files": ("7.png", SEVEN_PNG.read_bytes())}).json()[0]
    data = [{"path": path, "meta": {"_type": "gradio.FileData"}}, "mnist", ["googlenet"], *options]
    return client, f"/call/compare/{client.post('/call/compare', json={'data': data}).json()['event_id']}"


def test_explanations_for_one_visitor_do_not_delay_compare_for_another(at, page):
    explaining = [called(at, "192.0.2.1", False, True) for _ in range(4)]
    client, answer = called(at, "192.0.2.2")
    assert "event: complete" in client.get(answer).text
    assert page.slow._pending["192.0.2.1"] >= 2  # these were still waiting
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda each: each[0].get(each[1]).text, explaining))
    assert all("event: complete" in text for text in pages)


def test_the_log_does_not_grow_with_the_length_of_requests(at, browser, page, capfd):
    long = "x" * 200_000
    capfd.readouterr()
    for path, body in (
        ("/gradio_api/run/predict", {"data": [long], "fn_index": 0}),
        ("/gradio_api/run/compare", {"data": [{"path": long}, long, [long], long, long, [long], long]}),
        ("/gradio_api/run/" + long[:5000], {"data": []}),
        ("/gradio_api/call/compare", {"data": [long] * 10}),
        ("/gradio_api/queue/join", {"data": [long], "fn_index": long, "session_hash": long}),
        ("/gradio_api/component_server", asking(page, "predict", long, image=long, models=[long])),
        ("/gradio_api/component_server", {"data": long, "fn_name": long, "component_id": long, "session_hash": long}),
        ("/gradio_api/upload", {"data": long}),
        ("/" + long[:5000], {}),
    ):
        assert browser.post(path, json=body).status_code < 500
    with socket.create_connection(address(at)) as odd:
        odd.sendall(b"G" * 10_000 + b"\r\n\r\n")
        assert is_closed(odd)
    logged = capfd.readouterr()
    assert len(logged.out + logged.err) < 2000, logged.out[:500] + logged.err[:500]


def test_the_request_of_a_disconnected_client_is_dropped(at, page):
    body = asking(page, "explain", part="looks")
    with httpx.Client(base_url=at, timeout=0.1) as client:
        for session in range(6):
            with pytest.raises(httpx.TimeoutException):
                client.post("/gradio_api/component_server", json=body | {"session_hash": f"leaver{session}"})
    until = time.monotonic() + 30
    while page.slow._pending and time.monotonic() < until:
        time.sleep(0.01)
    assert not page.slow._pending


def test_the_call_of_a_disconnected_client_is_dropped_without_a_log(at, page, capfd):
    calls = [called(at, "192.0.2.3", False, True) for _ in range(4)]
    capfd.readouterr()
    for client, answer in calls:
        with pytest.raises(httpx.TimeoutException):
            client.get(answer, timeout=0.2)
        client.close()
    until = time.monotonic() + 30
    while (page._queue.event_ids_to_events or page.slow._pending) and time.monotonic() < until:
        time.sleep(0.01)
    assert not page._queue.event_ids_to_events and not page.slow._pending
    logged = capfd.readouterr()
    assert "Traceback" not in logged.out + logged.err


def test_sessions_are_small_and_evicted(page, at, monkeypatch):
    held = page.app.state_holder
    monkeypatch.setattr(held, "capacity", 20)
    before = len(held.session_data)
    client = httpx.Client(base_url=at, timeout=60)
    for index in range(40):
        event = client.post("/gradio_api/call/models", json={"data": [], "session_hash": f"s{index}"}).json()[
            "event_id"
        ]
        assert "complete" in client.get(f"/gradio_api/call/models/{event}").text
    assert len(held.session_data) <= max(20, before)  # a session is evicted for each new one
    assert len(held["s39"].config_values) < 3 < len(page.blocks)  # gradio's sessions copy all components


def test_server_functions_leave_no_state(page, browser):
    before = len(page.app.state_holder.session_data)
    for index in range(20):
        assert browser.post("/gradio_api/component_server", json=asking(page, session=f"new{index}")).is_success
    assert len(page.app.state_holder.session_data) == before


def test_abandoned_messages_are_deleted(page, browser, monkeypatch):
    event = browser.post("/gradio_api/call/models", json={"data": []}).json()["event_id"]
    until = time.monotonic() + 10
    while page._queue.event_ids_to_events and time.monotonic() < until:
        time.sleep(0.01)
    waiting = {s for s, ids in page._queue.pending_event_ids_session.items() if event in ids}
    assert waiting
    seen = run_async(page.forget_abandoned, {})
    assert waiting <= set(page._queue.pending_messages_per_session)  # not yet abandoned
    run_async(page.forget_abandoned, {session: since - 6 * SWEEP for session, since in seen.items()})
    assert not waiting & set(page._queue.pending_messages_per_session)
    assert not waiting & set(page._queue.pending_event_ids_session)
