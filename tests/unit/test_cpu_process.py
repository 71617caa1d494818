"""The process of the software CPU: what it starts, how, and what it refuses to start."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.enclaves import Launcher, write_image
from tests.keys import key

from eactors import _native
from eactors.cpu.structures import Body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    """A launcher with a CPU."""
    with Launcher(tmp_path) as launcher:
        yield launcher


def refusal(launcher: Launcher, folder: Path) -> str:
    """Return why the CPU does not start an image."""
    home = launcher.folder / "home"
    answer = launcher.ask({"create": {"id": 1, "image": str(folder), "home": str(home)}})
    assert set(answer) == {"id", "error", "hint"}
    return f"{answer['error']} ({answer['hint']})"


def test_an_enclave_is_a_child_of_the_launcher(launcher: Launcher) -> None:
    """It dies with the launcher and is waited for by it, though another process has started it."""
    enclave = launcher.run("say((os.getpid(), os.getppid())); os._exit(7)")
    assert enclave.said() == (enclave.pid, os.getpid())
    assert enclave.wait() == 7


def test_an_enclave_inherits_nothing(launcher: Launcher) -> None:
    """Standard streams that lead nowhere, the CPU's socket, an empty environment, its own session."""
    enclave = launcher.run(
        """
open_ones = [fd for fd in range(200) if os.path.exists(f"/proc/self/fd/{fd}")]
where = [os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1)]
say((open_ones, where, os.readlink("/proc/self/fd/3")[:7]))
say((sorted(os.environ), os.getcwd(), os.getsid(0) == os.getpid()))
say([line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn"))])
"""
    )
    assert enclave.said() == ([0, 1, 2, 3], ["/dev/null", "/dev/null"], "socket:")
    names, folder, leads = enclave.said()
    assert set(names) - {"LC_CTYPE"} == {"PYTHONHOME"}
    assert folder == str(launcher.folder / "homes" / "enclave")
    assert leads
    # Python itself ignores two: SIGPIPE (13) and SIGXFSZ (25).
    blocked, ignored = (int(line.split()[1], 16) for line in enclave.said())
    # The C library keeps 32 and 33 for its threads, and lets nobody change how they are handled.
    assert (blocked, ignored & ~(3 << 31)) == (0, 1 << 12 | 1 << 24)


def test_an_enclave_loads_code_from_its_image_only(launcher: Launcher) -> None:
    """Also the startup modules of Python; the home is not the image, and is for its user alone."""
    enclave = launcher.run(
        """
import sys
say([module.__file__ for module in sys.modules.values()
     if getattr(module, "__file__", None) and not hasattr(sys.modules, module.__name__)
     and module.__spec__ and module.__spec__.origin != "frozen"])
say(sys.path)
"""
    )
    home = launcher.folder / "homes" / "enclave"
    files, path = enclave.said(), enclave.said()
    assert files
    assert all(place.startswith(f"{home}/") or place == str(home) for place in files + path)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_the_answer_says_who_was_started(launcher: Launcher) -> None:
    """The same as its own reports say."""
    enclave = launcher.run(
        "say(ask(b'\\1' + bytes(512 + 64)))", product_id=3, security_version=4, debug=True, signer=key("bob")
    )
    answer = enclave.said()
    assert (answer[0], len(answer)) == (0, 433)
    body = Body.parse(answer[1:385])
    assert enclave.answer["measurement"] == body.measurement.hex()
    assert enclave.answer["signer"] == body.signer.hex()
    assert (body.product_id, body.svn) == (3, 4)
    assert body.attributes == bytes([7, *bytes(7), 3, *bytes(7)])


def test_keys_outlive_a_run_and_are_the_installations_own(tmp_path: Path) -> None:
    """The same image has the same sealing key next time, and another one elsewhere."""
    program = """
request = bytearray(512)
request[:3], request[8:24] = b"\\4\\0\\2", b"EACTORS-SIMULATE"
say(ask(b"\\2" + request))
"""
    image = write_image(tmp_path / "image", program)
    keys: list[bytes] = []
    for installation in ("one", "one", "two"):
        folder = tmp_path / installation
        folder.mkdir(exist_ok=True)
        with Launcher(folder) as launcher:
            keys.append(launcher.create(image, f"run-{len(keys)}").said())
    assert keys[0][0] == 0
    assert keys[0] == keys[1] != keys[2]
    secret = tmp_path / "one" / "state" / "eactors" / "cpu-secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700


PLATFORM = """
import sys
from eactors.platform.simulation import Simulation
platform = Simulation()
platform.prepare(os.getppid())
"""


def test_the_platform_of_the_framework_works_in_it_also_when_sealed(launcher: Launcher) -> None:
    """Reports and keys are still there; the standard error is not."""
    program = """
platform.seal()
page = bytes(64)
result = len(platform.report(bytes(512), page)), len(platform.key(b"\\3" + bytes(511)))
try:
    say(result)
except PermissionError:
    os._exit(77 if result == (432, 16) else 78)
"""
    assert launcher.run(PLATFORM + program, framework=True).wait() == 77


def test_the_platform_words_refusals(launcher: Launcher) -> None:
    """A typed error with the CPU's reason; and another one once the CPU has gone."""
    program = """
for call in (lambda: platform.key(bytes(512)), lambda: platform.report(bytes(512), bytes(63))):
    try:
        call()
    except Exception as error:
        say((type(error).__name__, str(error)))
os.dup2(os.open("/dev/null", os.O_RDWR), 3)
try:
    platform.quote(bytes(64))
except Exception as error:
    say((type(error).__name__, str(error)))
"""
    enclave = launcher.run(PLATFORM + program, framework=True)
    assert enclave.said() == (
        "PlatformError",
        "the CPU refuses: SGX_INVALID_ATTRIBUTE: no simulated enclave may have this key",
    )
    assert enclave.said() == (
        "PlatformError",
        "the CPU refuses: report data has 63 bytes instead of 64",
    )
    assert enclave.said() == ("PlatformError", "the software CPU has ended")


def test_the_filter_is_the_one_of_the_table(launcher: Launcher) -> None:
    """The enclave installs what the CPU hands it, and trusts no generator."""
    assert launcher.run("say(ask(b'\\4'))").said() == b"\0" + _native.sandbox_filter()


def test_an_unsigned_image_is_refused(launcher: Launcher, tmp_path: Path) -> None:
    """By name, with the way out."""
    image = write_image(tmp_path / "enclave-1")
    (image / "sigstruct.bin").unlink()
    assert refusal(launcher, image) == f"the image {image} is not signed (build it again, or sign it)"


def edit(image: Path, **settings: Any) -> None:
    """Change settings in an image's description, behind the signer's back."""
    description = json.loads((image / "image.json").read_bytes())
    description["settings"] |= settings
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    (image / "image.json").write_text(text + "\n", encoding="ascii")


@pytest.mark.parametrize("settings", [{"debug": True}, {"security_version": 9}, {"name": "two"}])
def test_an_image_that_was_changed_after_signing_is_refused(
    launcher: Launcher, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """Whatever setting it is: all are measured."""
    image = write_image(tmp_path / "enclave-1")
    edit(image, **settings)
    words = refusal(launcher, image)
    assert words.startswith(
        f"the signature {image}/sigstruct.bin does not fit the image: another measurement"
    )


def test_an_image_for_another_platform_is_refused(launcher: Launcher, tmp_path: Path) -> None:
    """It was measured, and signed, for hardware."""
    image = write_image(tmp_path / "enclave-1", platform="gramine")
    assert "another platform was signed (simulation) than the image has (gramine)" in refusal(launcher, image)


def add_file(image: Path) -> str:
    """Add a module."""
    (image / "sitecustomize.py").write_text("print()")
    return "sitecustomize.py"


def change_file(image: Path) -> str:
    """Change a byte of code."""
    (image / "__main__.py").write_bytes(b"#" + (image / "__main__.py").read_bytes()[1:])
    return "__main__.py"


def remove_file(image: Path) -> str:
    """Remove a module."""
    next(image.rglob("aliases.py")).unlink()
    return "aliases.py"


def link_file(image: Path) -> str:
    """Replace a file by a link to another."""
    (image / "__main__.py").rename(image.with_suffix(".away"))
    (image / "__main__.py").symlink_to(image.with_suffix(".away"))
    return "__main__.py"


def add_pipe(image: Path) -> str:
    """Add a pipe, on which a reader would wait for ever."""
    os.mkfifo(image / "pipe")
    return "pipe"


@pytest.mark.parametrize("how", [add_file, change_file, remove_file, link_file, add_pipe])
def test_a_changed_file_is_named(launcher: Launcher, tmp_path: Path, how: Any) -> None:
    """Before any of the image runs; and the CPU goes on."""
    image = write_image(tmp_path / "enclave-1")
    assert how(image) in refusal(launcher, image)
    assert launcher.run("say(1)").said() == 1


def test_a_home_in_use_is_refused(launcher: Launcher, tmp_path: Path) -> None:
    """Nothing may lie there before."""
    (tmp_path / "home").mkdir()
    image = write_image(tmp_path / "enclave-1")
    assert "cannot be copied" in refusal(launcher, image)
    assert "cannot be copied" in refusal(launcher, tmp_path / "missing")


@pytest.mark.parametrize(
    "message",
    [b"", b"{", b"[]", b"1", b'{"create": 1}', b'{"create": {"id": 1}}', b"[" * 60000, b"\xff"],
)
def test_the_cpu_survives_a_confused_launcher(tmp_path: Path, message: bytes) -> None:
    """It answers what it does not understand, and goes on; an empty message is a farewell."""
    with Launcher(tmp_path) as launcher:
        if message:
            assert "does not understand" in launcher.ask(message)["error"]
            assert launcher.run("say(1)").said() == 1
        else:
            launcher.control.send(message)
            assert launcher.process.wait() == 0


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    """Others may read it, or it is too short: each with the next step."""
    secret = tmp_path / "state" / "eactors" / "cpu-secret"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(bytes(31))
    secret.chmod(0o640)
    image = write_image(tmp_path / "image")
    with Launcher(tmp_path) as launcher:
        assert refusal(launcher, image).endswith(f"(chmod 600 {secret})")
        secret.chmod(0o600)
        assert "31 bytes instead of 32" in refusal(launcher, image)


def test_the_cpu_ends_with_its_launcher(launcher: Launcher) -> None:
    """When the launcher closes its end; signals meant for the launcher do not end it before."""
    launcher.run("say(1)").said()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        launcher.process.send_signal(number)
    assert launcher.run("say(2)", "other").said() == 2
    launcher.control.close()
    assert launcher.process.wait() == 0


KILLED = """
import socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
cpu = subprocess.Popen([sys.executable, "-I", "-m", "eactors.cpu", str(theirs.fileno())],
                       pass_fds=[theirs.fileno(), 1])
print("up", flush=True)
sys.stdin.read()
"""


def test_the_cpu_dies_with_a_killed_launcher() -> None:
    """Even by kill -9, which lets it close nothing by itself."""
    command = [sys.executable, "-I", "-c", KILLED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == b"up\n"
        launcher.kill()
        # The end of the file comes when the last process that holds the pipe has ended.
        assert launcher.stdout.read() == b""


def test_a_cpu_that_starts_after_its_launcher_has_ended_says_nothing() -> None:
    """A command that failed at once must not have a traceback of its CPU behind its own words."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        # The shell between them is why the one that made the socket is not the parent.
        command = [sys.executable, "-I", "-m", "eactors.cpu", str(theirs.fileno())]
        done = subprocess.run(
            ["/bin/sh", "-c", '"$@"; exit $?', "sh", *command],
            pass_fds=[theirs.fileno()],
            capture_output=True,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_spawning_tells_why_it_failed(tmp_path: Path) -> None:
    """The reason of the child's failure, with the program's name."""
    with (tmp_path / "file").open("wb") as file:
        plain = str(tmp_path / "file").encode()
        for program, folder, kind in (
            (b"/missing", b"/", FileNotFoundError),
            (plain, b"/", PermissionError),
            (b"/bin/true", b"/missing", FileNotFoundError),
        ):
            with pytest.raises(kind):
                _native.spawn(program, (program,), (), folder, file.fileno(), file.fileno())
        with pytest.raises(OSError, match="Bad file descriptor"):
            _native.spawn(b"/bin/true", (b"true",), (), b"/", -1, file.fileno())
        with pytest.raises(ValueError, match="more than 16"):
            _native.spawn(b"/bin/true", (b"true",) * 17, (), b"/", file.fileno(), file.fileno())
