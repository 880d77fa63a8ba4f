"""Lists a bucket again and again, with a session that it holds and with a new one, and writes down what came back.

Run as `watch.py BUCKET FILE`; FILE gets a line of JSON for each call.
"""

import itertools
import json
import sys
import time

import boto3


def main() -> None:
    """Call until the end of the instance."""
    bucket, path = sys.argv[1:]
    held = boto3.client("s3")
    with open(path, "w", encoding="utf-8") as file:
        for number in itertools.count():
            client = held if number % 2 else boto3.Session().client("s3")
            try:
                client.list_objects_v2(Bucket=bucket)
                said = "listed"
            except Exception as error:  # whatever a client may meet is what the test wants to see
                said = str(error)
            print(json.dumps({"session": "held" if number % 2 else "new", "said": said}), file=file, flush=True)
            time.sleep(0.2)


main()
