"""Real engine processes over real sockets: shared, killed, left alone, lied to. Their model is a small real graph."""

from __future__ import annotations

import logging
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Client
from pathlib import Path
from random import Random

import numpy as np
import psutil
import pytest

from lengths import length
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import ModelChanged, ModelError
from midfill.engine.address import address_for
from midfill.engine.connection import Connection
from midfill.engine.messages import Join
from midfill.engine.open_model import open_model
from midfill.engine.shared_model import SharedModel
from midfill.inference.bundle import GRAPH, Bundle
from midfill.inference.loaded_model import LoadedModel, load_model
from midfill.inference.sampling import Choice, Sampling
from midfill.inference.token_generator import GenerationRequest, LanguageModel, TokenGenerator
from midfill.settings.schema import Settings
from midfill.sharing.address import Address
from midfill.sharing.connection import FAMILY, ConnectionLost, connect
from unit.helpers import manifest, table_graph, write_bundle
from waiting import LIMIT, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="servers share no engine on Windows yet")

CLIENTS = 4
CYCLE = 20
"""Number of tokens that belong to one client. The model goes round and round in the tokens of the last one."""
CLIENT = """
import sys
from pathlib import Path
from midfill.engine.open_model import open_model
from midfill.settings.schema import Settings
model = open_model(Settings(bundle=Path(sys.argv[1]), threads=1, unload_minutes=int(sys.argv[2]), share_engine=True))
print(model.engine_process, "onnxruntime" in sys.modules, flush=True)
sys.stdin.readline()
"""


def own_tokens(client: int) -> range:
    """Return the tokens that only one client's texts have."""
    return range(20 + client * CYCLE, 20 + (client + 1) * CYCLE)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """Return a bundle whose model writes each client's own tokens, in their order."""
    size = manifest().vocabulary
    table = np.random.default_rng(1).normal(size=(size, size)).astype(np.float32)
    for client in range(CLIENTS):
        ids = list(own_tokens(client))
        table[ids, [*ids[1:], ids[0]]] = 20.0
    return write_bundle(tmp_path / "bundle", table_graph(table), name=f"of {tmp_path.name}")


@pytest.fixture
def settings(bundle: Bundle) -> Settings:
    """Return settings with which an engine ends with its last client."""
    return Settings(bundle=bundle.path, threads=1, unload_minutes=0, share_engine=True)


@pytest.fixture
def address(bundle: Bundle) -> Address:
    """Return where the engine listens."""
    return address_for(bundle.manifest, 1)


def shared(settings: Settings) -> SharedModel:
    """Return a client's model."""
    model = open_model(settings)
    assert isinstance(model, SharedModel)
    return model


def generator_of(model: LanguageModel) -> TokenGenerator:
    """Return a generator without drafts."""
    return model.new_generator(context=512, cache_bytes=0, max_draft_tokens=4)


def request_of(client: int, tokens: int = 40) -> GenerationRequest:
    """Return a request that has a client's mark."""
    return GenerationRequest(prompt=[5, 6, own_tokens(client)[0]], max_tokens=tokens, stop_tokens=frozenset({0}))


def text(generator: TokenGenerator, request: GenerationRequest) -> list[Choice]:
    """Return all that is generated."""
    return list(generator.generate(request, CancelFlag()))


def wait_until_ended(process: int) -> None:
    """Wait for the end of an engine."""
    wait_until(lambda: not psutil.pid_exists(process), "the end of the engine")


def start_client(bundle: Bundle, minutes: int = 0) -> subprocess.Popen[str]:
    """Start a server's process that uses the model until its input ends."""
    command = [sys.executable, "-c", CLIENT, str(bundle.path), str(minutes)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def two_clients(bundle: Bundle) -> Iterator[list[subprocess.Popen[str]]]:
    """Start two servers at the same time; end them after the test."""
    clients = [start_client(bundle), start_client(bundle)]
    yield clients
    for client in clients:
        client.kill()
        client.communicate()


def test_clients_share_one_process_and_write_the_same_as_alone(settings: Settings) -> None:
    """The tokens are those of a model in this process, greedy and drawn at random."""
    first, second, alone = shared(settings), shared(settings), load_model(settings)
    assert first.engine_process == second.engine_process != os.getpid()
    assert first.speed_key == alone.speed_key
    drawn = GenerationRequest(
        prompt=[3, 4], max_tokens=30, stop_tokens=frozenset({0}), sampling=Sampling(temperature=2.0, seed=5)
    )
    for request in (request_of(0), drawn):
        expected = text(generator_of(alone), request)
        assert text(generator_of(first), request) == text(generator_of(second), request) == expected


def test_servers_that_start_at_once_share_one_process(two_clients: list[subprocess.Popen[str]]) -> None:
    """And none of them loads onnxruntime."""
    first, second = [client.stdout.readline().split() for client in two_clients if client.stdout]
    assert first == second
    assert first[1] == "False"


def test_server_does_not_load_onnxruntime() -> None:
    """It would take memory in each server, and its threads. This one has all imports of its start behind it."""
    command = [sys.executable, "-X", "importtime", "-m", "midfill", "serve"]
    imported = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stderr
    assert b" midfill.lsp.app" in imported
    assert b"onnxruntime" not in imported


def test_engine_ends_with_its_last_client(settings: Settings, address: Address) -> None:
    """Nothing stays behind but the file of the lock."""
    first, second = shared(settings), shared(settings)
    process = first.engine_process
    del first
    assert len(text(generator_of(second), request_of(1))) == 40
    del second
    wait_until_ended(process)
    assert [file for file in address.folder.iterdir() if file.stem == address.name] in ([], [address.lock])


def test_engine_holds_nothing_of_the_server_that_started_it(bundle: Bundle) -> None:
    """It survives that server, whose output ends although the engine still runs."""
    client = start_client(bundle, minutes=1)
    output, _ = client.communicate("\n", LIMIT)  # would wait for all who hold the pipe
    process = psutil.Process(int(output.split()[0]))
    assert process.is_running()
    process.kill()


def test_clients_that_are_killed_take_nothing_with_them(
    two_clients: list[subprocess.Popen[str]], settings: Settings
) -> None:
    """The engine goes on for the others, and ends after the last one."""
    processes = [int(client.stdout.readline().split()[0]) for client in two_clients if client.stdout]
    mine = shared(settings)
    generator = generator_of(mine)
    for client in two_clients:
        client.kill()
        client.wait()
        assert len(text(generator, request_of(2))) == 40
    assert [mine.engine_process] * 2 == processes
    del mine, generator
    wait_until_ended(processes[0])


def test_killed_engine_is_replaced_within_the_request(settings: Settings) -> None:
    """Whether it was killed between two requests or during one."""
    model = shared(settings)
    generator = generator_of(model)
    expected = text(generator, request_of(1, 400))
    os.kill(model.engine_process, signal.SIGKILL)
    assert text(generator, request_of(1, 400)) == expected
    stream = generator.generate(request_of(1, 400), CancelFlag())
    begin = [next(stream) for _ in range(3)]
    os.kill(shared(settings).engine_process, signal.SIGKILL)
    assert [*begin, *stream] == expected


def test_engine_that_was_stopped_is_replaced_within_the_request(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system still accepts connections for it. Nobody waits until it shows its key, and the new one is joined."""
    monkeypatch.setattr("midfill.sharing.connection._KEY_SECONDS", 3600.0)
    monkeypatch.setattr("midfill.engine.heartbeat.SILENT_SECONDS", 0.2)
    monkeypatch.setattr("midfill.engine.heartbeat.ANSWER_SECONDS", 1.0)
    model = shared(settings)
    generator = generator_of(model)
    expected = text(generator, request_of(1))
    os.kill(model.engine_process, signal.SIGSTOP)
    try:
        assert text(generator, request_of(1)) == expected
        assert shared(settings).engine_process != model.engine_process
    finally:
        os.kill(model.engine_process, signal.SIGKILL)


def test_engine_ends_where_its_folder_is_gone(
    settings: Settings, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system removes it when the user logs out. Then nothing can be locked."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    model = shared(settings)
    process = model.engine_process
    (short_path / "midfill").rename(short_path / "gone")
    (short_path / "midfill").write_text("")
    del model
    wait_until_ended(process)


def test_bundle_that_was_replaced_is_loaded_again(settings: Settings, bundle: Bundle) -> None:
    """A new engine would have the new bundle, so the server is told that its model is lost."""
    model = shared(settings)
    generator = generator_of(model)
    assert len(text(generator, request_of(0))) == 40
    os.kill(model.engine_process, signal.SIGKILL)
    write_bundle(bundle.path, (bundle.path / GRAPH).read_bytes(), name="the new one")
    with pytest.raises(ModelChanged, match="was replaced: ask again"):
        text(generator, request_of(0))
    assert shared(settings).manifest.name == "the new one"


def test_paths_that_depend_on_the_current_folder(
    settings: Settings, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine works in another one."""
    monkeypatch.chdir(bundle.path.parent)
    model = shared(replace(settings, bundle=Path(bundle.path.name)))
    assert len(text(generator_of(model), request_of(0))) == 40


def test_engine_whose_files_are_removed_is_replaced(settings: Settings, address: Address) -> None:
    """A system may clean its temporary files. The old engine serves its clients, and does not harm the new one."""
    old = shared(settings)
    address.remove()
    new = shared(settings)
    before = old.engine_process
    assert new.engine_process != before
    assert text(generator_of(old), request_of(0)) == text(generator_of(new), request_of(0))
    del old
    wait_until_ended(before)
    assert shared(settings).engine_process == new.engine_process


def test_stranger_is_not_served(settings: Settings, address: Address) -> None:
    """Neither one without the key, nor one with another key, nor one who says nothing. Others are not concerned."""
    model = shared(settings)
    silent = Client(address.socket, FAMILY)
    garbage = Client(address.socket, FAMILY)
    garbage.send_bytes(b"let me in")
    with pytest.raises(ConnectionLost):
        connect(address.socket, b"k" * 32)
    key = address.key()
    assert key
    liar = Connection(connect(address.socket, key))
    liar.send_bytes(b"{}")
    with pytest.raises(ConnectionLost):
        liar.receive(LIMIT)
    assert len(text(generator_of(model), request_of(3))) == 40
    silent.close()
    garbage.close()


def ask_many(model: SharedModel, client: int, requests: int) -> list[list[int]]:
    """Send requests of one client; cancel each second one after some tokens. Return the tokens of each."""
    random, generator, texts = Random(client), generator_of(model), []  # noqa: S311 -- the same numbers each time
    for number in range(requests):
        cancel, taken = CancelFlag(urgent=CancelFlag()), list[int]()
        stop_after = random.randrange(40) if number % 2 else None
        with suppress(Cancelled):
            for choice in generator.generate(request_of(client), cancel):
                taken.append(choice.token)
                if len(taken) == stop_after:
                    cancel.set("cancelled")
        texts.append(taken)
    return texts


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0, 1e12])
def test_engine_does_not_stay_for_a_lie(settings: Settings, address: Address, seconds: float) -> None:
    """A time that no setting allows ends the connection, and the engine still ends with its last client."""
    model = shared(settings)
    process, key = model.engine_process, address.key()
    assert key
    liar = Connection(connect(address.socket, key))
    liar.send(Join(keep_seconds=seconds))
    with pytest.raises(ConnectionLost):
        liar.receive(LIMIT)
    del model
    wait_until_ended(process)


def test_texts_of_clients_are_not_crossed(settings: Settings) -> None:
    """Many requests from four clients at once, half of them cancelled somewhere: each text has its client's mark."""
    requests = length(200, 2000) // CLIENTS
    with ThreadPoolExecutor(max_workers=CLIENTS) as threads:
        asked = [threads.submit(ask_many, shared(settings), client, requests) for client in range(CLIENTS)]
        texts = [each.result(LIMIT * 4) for each in asked]
    for client in range(CLIENTS):
        marks = [*own_tokens(client)] * 3
        assert [marks[1 : len(tokens) + 1] for tokens in texts[client]] == texts[client]
        assert [len(tokens) for tokens in texts[client][::2]] == [40] * (requests // 2)


def test_model_that_cannot_be_loaded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server tries it itself, and says what it always said. No engine stays."""
    bundle = write_bundle(tmp_path / "broken")
    with pytest.raises(ModelError, match="onnxruntime cannot load"):
        open_model(Settings(bundle=bundle.path, threads=1, unload_minutes=30, share_engine=True))
    assert "The engine process that servers share cannot be used: onnxruntime cannot load" in caplog.text
    wait_until(lambda: not Path(address_for(bundle.manifest, 1).socket).exists(), "the end of the engine")


def test_server_without_a_safe_folder_loads_the_model_itself(
    settings: Settings, short_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line in the log says why."""
    (short_path / f"midfill-{os.geteuid()}").mkdir(mode=0o755)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(short_path))
    with caplog.at_level(logging.WARNING):
        model = open_model(settings)
    assert isinstance(model, LoadedModel)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "is not a folder that only you can open" in caplog.text
    assert caplog.text.endswith("This server loads the model itself.\n")


def test_setting_keeps_the_model_in_the_server(bundle: Bundle) -> None:
    """As before there were engine processes."""
    assert isinstance(open_model(Settings(bundle=bundle.path, threads=1, share_engine=False)), LoadedModel)
