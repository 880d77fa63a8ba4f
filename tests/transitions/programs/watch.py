"""Lists a bucket again and again, with a session that it holds and with a new one, and writes down what came back.

Run as `watch.py BUCKET FILE PAUSE`; FILE gets a line of JSON for each call, and between calls are so many seconds.
"""

import itertools
import json
import sys
import time
from typing import Any

import botocore.loaders
import botocore.session

LOADER = botocore.loaders.Loader()  # it takes longest, and has nothing to do with sessions


def new_client() -> Any:
    """A client with credentials of its own, found as by a program that has just been started."""
    session = botocore.session.get_session()
    session.register_component("data_loader", LOADER)
    return session.create_client("s3")


def main() -> None:
    """Call until the end of the instance."""
    bucket, path, pause = sys.argv[1:]
    held = new_client()
    with open(path, "w", encoding="utf-8") as file:
        for number in itertools.count():
            client = held if number % 2 else new_client()
            try:
                client.list_objects_v2(Bucket=bucket)
                said = "listed"
            except Exception as error:  # whatever a client may meet is what the test wants to see
                said = str(error)
            print(json.dumps({"session": "held" if number % 2 else "new", "said": said}), file=file, flush=True)
            time.sleep(float(pause))


main()
