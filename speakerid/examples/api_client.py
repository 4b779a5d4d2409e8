"""Ask the REST API who speaks when in a recording, with nothing but Python's own library.

python -m speakerid serve                                        # in another terminal
python -m speakerid.examples.api_client meeting.ogg
"""

import json
import os
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

URL = os.environ.get("SPEAKERID_URL", "http://127.0.0.1:8600")


def main(recording: str) -> None:
    # Who is there, and with what model?
    print("model:", ask("/v1/health")["model"])
    print("enrolled:", ", ".join(person["name"] for person in ask("/v1/speakers")["speakers"]) or "nobody")

    # The recording is the body of the request, in whatever format it is; the answer has the turns.
    for turn in ask("/v1/identify", Path(recording).read_bytes())["turns"]:
        print(f"{turn['start']:6.1f} s to {turn['end']:6.1f} s  {turn['speaker']}")


def ask(path: str, body: bytes | None = None) -> dict:
    """GET, or POST where there is a body. Where the server was given a token, every request brings it."""
    token = os.environ.get("SPEAKERID_API_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(URL + path, body, headers)) as response:
            return json.load(response)
    except HTTPError as refused:
        # What is refused says why, and what to do about it.
        sys.exit(json.load(refused)["error"])


if __name__ == "__main__":
    main(*sys.argv[1:2])
