"""A PostgreSQL of the tests' own: on a free port, as a user without rights, gone with the tests."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    assert on_path, "PostgreSQL is needed by these tests: apt-get install postgresql"
    return Path(on_path).parent


class Server:
    """A running server; it refuses to run as root, so root starts it as nobody."""

    def __init__(self):
        self._bin, self._top = _binaries(), Path(tempfile.mkdtemp(prefix="speakerid-pg-"))
        self._user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        if self._user:
            os.chown(self._top, self._user.pw_uid, self._user.pw_gid)
        self._top.chmod(0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        data = str(self._top / "data")
        self._run(
            "initdb", "-D", data, "-U", "speakerid", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"
        )
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -k {self._top} -c listen_addresses=127.0.0.1 -c max_connections=200"
        log = str(self._top / "log")
        self._start = ["-D", str(self._top / "data"), "-w", "-l", log, "-o", options, "start"]
        self._run("pg_ctl", *self._start)

    def kill(self) -> None:
        """Kill it in the middle of whatever it does (SIGKILL, then its children end)."""
        pid = int((self._top / "data/postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)

    def restart(self) -> None:
        """Start it again once all that belonged to the killed one has ended."""
        for _ in range(200):
            (self._top / "data/postmaster.pid").unlink(missing_ok=True)
            if self._run("pg_ctl", *self._start, check=False):
                return
            time.sleep(0.1)
        raise AssertionError("PostgreSQL does not start again")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._top / "data"), "-m", "immediate", "stop", check=False)
        shutil.rmtree(self._top, ignore_errors=True)

    def place(self, schema: str) -> str:
        """The address of a gallery of its own, empty."""
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{schema}"')
        return f"{self.address}?options=-csearch_path%3D{schema}"

    @property
    def address(self) -> str:
        return f"postgresql://speakerid@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *arguments: str, check: bool = True) -> bool:
        as_user = (
            {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        )
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            cwd=self._top,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            **as_user,
        )
        assert not check or done.returncode == 0, f"{program} failed"
        return done.returncode == 0
