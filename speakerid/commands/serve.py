"""`serve`: the REST API."""

import argparse
import os
import socket
import sys
from contextlib import suppress

from speakerid.commands.common import answer, load_encoder, note, open_gallery, options
from speakerid.errors import SpeakerIdError
from speakerid.hosts import this_computer
from speakerid.settings import API_TOKEN

_SHORTEST_TOKEN = 16  # characters


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "serve",
        parents=[options()],
        help="REST API",
        description="Serve the REST API until Ctrl-C. Where there are keys (see the command keys) or "
        f"${API_TOKEN} is set, every request has to bring one (Authorization: Bearer KEY). /docs tells what "
        "there is.",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at (default: 127.0.0.1, this computer only; any other takes keys or "
        f"${API_TOKEN})",
    )
    parser.add_argument("--port", type=_port, default=8600, help="default: 8600; 0 for any that is free")
    parser.set_defaults(run=serve)


def serve(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Raises:
        SpeakerIdError: no token where one is needed, or the address cannot be listened at.
    """
    local = this_computer(args.host)
    from speakerid.gallery.keys import Keys
    from speakerid.gallery.opening import open_store

    token = _token(local, bool(Keys(open_store(args.voiceprints)).all()))
    listening = _listen(args.host, args.port)  # before the model loads, so that a taken port is told at once
    with listening:
        gallery = open_gallery(args, writes=True)
        encoder = load_encoder(args)
        from speakerid.api import Server
        from speakerid.rest.service import Service

        service = Service(gallery, encoder)
        host, port = listening.getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        answer(args, {"url": url, "model": encoder.id}, f"The API is at {url}; Ctrl-C ends.")
        if not local:
            note("What others send here is not encrypted: put a proxy with https before it on open networks.")
        with suppress(KeyboardInterrupt):
            Server(service, token, local=local).run(sockets=[listening])
    # The interpreter takes seconds to end among all that PyTorch has made, and a thread that still works in
    # there cannot be stopped. What it may be writing to the folder, whoever opens that next makes whole.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _token(local: bool, has_keys: bool) -> str:
    token = API_TOKEN.value.strip()
    if not token and not local and not has_keys:
        raise SpeakerIdError(
            "Whoever reaches this address could listen, enroll and delete: make keys (python -m speakerid "
            f"keys --add NAME) or set {API_TOKEN} to a long random text, or leave out --host to serve this "
            "computer only."
        )
    if token and len(token) < _SHORTEST_TOKEN:
        raise SpeakerIdError(
            f"{API_TOKEN} is too short to be safe: set it to {_SHORTEST_TOKEN} random characters or more."
        )
    return token


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SpeakerIdError(
            f"The address {host}, port {port}, cannot be listened at ({error.strerror or error}): stop what "
            "uses it, or choose another with --host and --port."
        ) from error


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("give a number from 0 to 65535")
    return port
