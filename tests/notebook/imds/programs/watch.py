"""Asks the metadata service for credentials every 0.4 seconds, and prints when, and whose key came (- for none).

It ends when /tmp/well is there and five answers in a row were good, or after 40 seconds.
"""

import http.client
import json
import os
import time

ROLE = "/latest/meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole"


def ask(method: str, path: str, headers: dict[str, str]) -> str:
    """Return the body of a good answer."""
    connection = http.client.HTTPConnection("169.254.169.254", timeout=12)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(answer.status)
        return answer.read().decode()
    finally:
        connection.close()


end, good = time.monotonic() + 40, 0
while time.monotonic() < end and good < 5:
    asked = time.monotonic()
    try:
        token = ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        key = json.loads(ask("GET", ROLE, {"X-aws-ec2-metadata-token": token}))["AccessKeyId"]
    except (OSError, http.client.HTTPException):
        key = "-"
    good = good + 1 if key != "-" and os.path.exists("/tmp/well") else 0
    print(asked, key, flush=True)
    if key != "-":
        open("/tmp/watching", "w").close()
    time.sleep(0.4)
