"""Takes credentials from the metadata service as fast as it can until /tmp/enough is there; writes whose they were.

/tmp/seen has a line for each change: a document of credentials, or nothing.
"""

import json
import os
import time
import urllib.request

SERVICE = "http://169.254.169.254/latest/"
CREDENTIALS = "meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole"
open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def take() -> str:
    """Return the credentials on one line, or nothing."""
    ask = urllib.request.Request(
        SERVICE + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    )
    try:
        token = open_url(ask, timeout=1).read().decode()
        asked = urllib.request.Request(SERVICE + CREDENTIALS, headers={"X-aws-ec2-metadata-token": token})
        return json.dumps(json.loads(open_url(asked, timeout=1).read()))
    except OSError:
        return "nothing"


last, end = "", time.monotonic() + 60
while time.monotonic() < end and not os.path.exists("/tmp/enough"):
    now = take()
    if now != last:
        with open("/tmp/seen", "a") as seen:
            seen.write(now + "\n")
    last = now
