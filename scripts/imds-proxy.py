"""Answers on a notebook instance for its metadata service: to all users but root, with the notebook session.

It runs as root, so that the firewall lets it through to the real service. From there it takes the base session, opens
the notebook session with it, and hands out that one alone. Of everything else it passes on what clients need.

    imds-proxy.py serve ROLE_ARN SESSION_NAME REGION PORT ADDRESS
    imds-proxy.py caller REGION        prints who AWS says that this user is, by the credentials it is given

Protocol: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

import asyncio
import calendar
import contextlib
import email.utils
import hashlib
import hmac
import http.client
import json
import random
import re
import secrets
import socket
import ssl
import sys
import time
import urllib.parse

METADATA_SERVICE = "169.254.169.254"
CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
# Whole targets, as a client writes them: nothing is decoded or resolved, so nothing else gets through in disguise.
PASSED_ON = re.compile(
    "/latest/(dynamic/instance-identity/document|meta-data/(ami-id|hostname|iam/info|instance-id|instance-type"
    "|local-hostname|local-ipv4|mac|placement/(availability-zone|region)|services/(domain|partition)))/?"
)
TOKEN, TOKEN_TTL = "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"

# With one more, the oldest has to go: a quick request is answered however many slow ones wait.
MOST_CONNECTIONS = 2048  # half of the files that it may have open
CONNECTION_SECONDS = 10
LONGEST_REQUEST = 8192  # bytes
UPSTREAM_SECONDS = 5
LONGEST_ANSWER = 16384  # bytes; so much fits into a socket at once


def log(text):
    """Say one line, on standard error."""
    # What others wrote could hold line ends or a terminal's control characters.
    with contextlib.suppress(OSError):  # a full disk is no reason to stop
        print("imds-proxy:", text.encode("unicode_escape").decode()[:400], file=sys.stderr, flush=True)


# As a client: of the real metadata service, and of STS.


def fetch(connection, method, target, headers, body=None):
    """Return status, headers and body."""
    with contextlib.closing(connection):
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        answer = response.read(LONGEST_ANSWER + 1)
    if response.length or len(answer) > LONGEST_ANSWER:
        raise ValueError(f"{connection.host} answered more than {LONGEST_ANSWER} bytes, or less than it said")
    return response.status, response.headers, answer


def metadata(target):
    """Ask the metadata service with a token of its own; return status, headers and body."""
    service = http.client.HTTPConnection(METADATA_SERVICE, timeout=UPSTREAM_SECONDS)
    status, _, token = fetch(service, "PUT", "/latest/api/token", {TOKEN_TTL: "60"})
    if status != 200:
        raise ValueError(f"the metadata service gave no token (status {status})")
    return fetch(service, "GET", target, {TOKEN: token.decode("ascii")})


def given_session():
    """Return the role's name, the credentials that the metadata service gives under it, and AWS's time."""
    status, _, listed = metadata(CREDENTIALS)
    role = listed.decode("latin-1").strip()
    if status != 200 or not re.fullmatch(r"[\w+=,.@-]{1,64}", role, re.ASCII):
        raise ValueError(f"the metadata service lists no role (status {status}): {role[:100]!r}")
    status, headers, document = metadata(CREDENTIALS + role)
    credentials = json.loads(document) if status == 200 else {}
    if credentials.get("Code") != "Success":
        raise ValueError(f"the metadata service gives no credentials (status {status}): {credentials.get('Code')}")
    # This machine's clock may have jumped, and STS refuses what is signed at another time than its own.
    date = email.utils.parsedate(headers.get("date") or "")
    return role, credentials, calendar.timegm(date) if date else time.time()


def ask_sts(region, credentials, now, **parameters):
    """Call STS in the region; return the texts of its answer by their names."""
    status, _, domain = metadata("/latest/meta-data/services/domain")
    if status != 200 or not re.fullmatch(rb"[a-z0-9.-]+", domain):
        raise ValueError(f"the metadata service doesn't say in which domain AWS is (status {status})")
    host = f"sts.{region}.{domain.decode()}"
    body = urllib.parse.urlencode({"Version": "2011-06-15", **parameters}).encode()
    headers = sign(host, region, credentials, now, body)
    sts = http.client.HTTPSConnection(host, timeout=UPSTREAM_SECONDS, context=ssl.create_default_context())
    status, _, answer = fetch(sts, "POST", "/", headers, body)
    texts = dict(re.findall(r"<(\w+)>([^<]*)</", answer.decode()))
    if status != 200:
        raise ValueError(f"STS refuses (status {status}): {texts.get('Code')}: {texts.get('Message')}")
    return texts


def sign(host, region, credentials, now, body):
    """Return the headers of a request to STS, by https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "host": host,
        "x-amz-date": stamp,
        "x-amz-security-token": credentials["Token"],
    }
    names = ";".join(headers)
    lines = [f"{name}:{value}" for name, value in headers.items()]
    canonical = "\n".join(["POST", "/", "", *lines, "", names, hashlib.sha256(body).hexdigest()])
    scope = f"{stamp[:8]}/{region}/sts/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + credentials["SecretAccessKey"].encode()
    for part in [*scope.split("/"), to_sign]:
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{credentials['AccessKeyId']}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
    return headers


class NotebookSession:
    """The session that is handed out: opened anew half way to its end, and good until then whatever STS does."""

    def __init__(self, role_arn, name, region):
        self.role_arn, self.name, self.region = role_arn, name, region
        self.listed_role = self.document = None
        self.ends = 0.0  # by the monotonic clock, which no jump of the time moves

    def open(self):
        """Open it, or raise and leave what there was."""
        asked = time.monotonic()
        role, base, now = given_session()
        given = ask_sts(
            self.region,
            base,
            now,
            Action="AssumeRole",
            RoleArn=self.role_arn,
            RoleSessionName=self.name,
            SourceIdentity=self.name,
            DurationSeconds="3600",  # the most that a role gets that assumes itself
        )
        if not given["Arn"].endswith(f":assumed-role/{self.role_arn.rpartition('/')[2]}/{self.name}"):
            raise ValueError(f"STS opened another session: {given['Arn']}")
        expiration = given["Expiration"][:19]
        end = calendar.timegm(time.strptime(expiration, "%Y-%m-%dT%H:%M:%S"))
        document = {
            "Code": "Success",
            "LastUpdated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "Type": "AWS-HMAC",
            "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"],
            "Token": given["SessionToken"],
            "Expiration": expiration + "Z",
        }
        if not all(document.values()) or end <= now:
            raise ValueError("STS answered with a session that nobody can use")
        self.listed_role, self.document, self.ends = role, json.dumps(document, indent=2), asked + end - now

    async def keep_open(self):
        """Open it anew for ever; after a failure sooner, but never at once."""
        retry = 1
        while True:
            try:
                await asyncio.to_thread(self.open)
                log(f"opened the session {self.name}")
                wait, retry = (self.ends - time.monotonic()) / 2, 1
            except Exception as error:  # whatever it is, the session of before is served and the next try may succeed
                log(f"can't open the session {self.name}: {type(error).__name__}: {error}")
                wait = retry = min(retry * 2, 60)
            await asyncio.sleep(wait * random.uniform(0.5, 1))


# As a server: the paths of the metadata service, for everyone who isn't root.


def read_request(head):
    """Return method, target and those headers that count."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return method, target, {name: headers[name] for name in (TOKEN, TOKEN_TTL, "x-forwarded-for") if name in headers}


class Proxy:
    """The answers, and the open connections: plain sockets, of which nothing is kept but what they have sent."""

    def __init__(self, session, listener):
        self.session = session
        self.key = secrets.token_bytes(32)
        self.passed_on = {}  # by target: there are as many as PASSED_ON has, and they don't change
        self.loop = asyncio.get_running_loop()
        self.open = {}  # since when, what was sent and the task that answers, by connection; the oldest first
        listener.setblocking(False)
        self.loop.add_reader(listener, self.accept, listener)
        self.close_slow()

    def mac(self, end):
        """Return what nobody else can make for this end of a token."""
        return hmac.digest(self.key, end.encode("latin-1"), "sha256").hex()

    def give_token(self, target, headers):
        """Return a token of the protocol's version 2, as the real service gives one."""
        if target != "/latest/api/token" or "x-forwarded-for" in headers:
            return 403, b""
        ttl = headers.get(TOKEN_TTL, "")
        if not re.fullmatch("[0-9]{1,5}", ttl) or not 1 <= int(ttl) <= 21600:
            return 400, b""
        # The token itself says until when it is good, so that none has to be remembered.
        end = str(int(time.monotonic()) + int(ttl))
        return 200, f"{end}-{self.mac(end)}".encode()

    def is_good(self, token):
        """Tell whether a token is of this proxy's and hasn't ended."""
        end, _, mac = token.partition("-")
        return hmac.compare_digest(mac.encode(), self.mac(end).encode()) and time.monotonic() < int(end)

    async def answer(self, method, target, headers):
        """Return status and body."""
        if method == "PUT":
            return self.give_token(target, headers)
        if method != "GET":
            return 405, b""
        if not self.is_good(headers.get(TOKEN, "")):
            return 401, b""
        if PASSED_ON.fullmatch(target):
            return await self.pass_on(target)
        if target.startswith(CREDENTIALS[:-1]) and time.monotonic() >= self.session.ends:
            return 503, b""
        if target in (CREDENTIALS, CREDENTIALS[:-1]):
            return 200, self.session.listed_role.encode()
        if target == CREDENTIALS + str(self.session.listed_role):
            return 200, self.session.document.encode()
        return 404, b""

    async def pass_on(self, target):
        """Return what the real service answers, asked once for all who ask meanwhile."""
        if target not in self.passed_on:
            self.passed_on[target] = asyncio.ensure_future(self.ask_real_service(target))
        return await asyncio.shield(self.passed_on[target])  # one who goes must not end it for the others

    async def ask_real_service(self, target):
        """Return its status and body; only what is good is kept."""
        try:
            status, _, body = await asyncio.to_thread(metadata, target)
        except (OSError, http.client.HTTPException, ValueError):
            status, body = 504, b""
        if status != 200:
            del self.passed_on[target]
        return status, body

    def accept(self, listener):
        """Take some of the connections that are new."""
        with contextlib.suppress(OSError):  # there are no more
            for _ in range(64):
                connection = listener.accept()[0]
                connection.setblocking(False)
                self.open[connection] = time.monotonic(), b"", None
                self.loop.add_reader(connection, self.receive, connection)
                if len(self.open) > MOST_CONNECTIONS:
                    self.close(next(iter(self.open)))

    def receive(self, connection):
        """Read what has come, and answer if that makes a request."""
        data = b""
        with contextlib.suppress(OSError):
            data = connection.recv(65536)
        since, before, _ = self.open[connection]
        head, whole, _ = (before + data).partition(b"\r\n\r\n")
        if len(head) > LONGEST_REQUEST:
            head, whole = b"", True
        if whole:
            self.loop.remove_reader(connection)
            self.open[connection] = since, b"", self.loop.create_task(self.respond(connection, head))
        elif data:
            self.open[connection] = since, head, None
        else:
            self.close(connection)

    async def respond(self, connection, head):
        """Answer one request."""
        try:
            method, target, headers = read_request(head)
            del head  # it may have to wait
            status, body = await self.answer(method, target, headers)
        except ValueError:
            status, body = 400, b""
        lines = [
            f"HTTP/1.1 {status} {http.client.responses[status]}",
            "Content-Type: text/plain",
            f"Content-Length: {len(body)}",
            *([f"{TOKEN_TTL}: {headers[TOKEN_TTL]}"] if status == 200 and method == "PUT" else []),
            "Connection: close",
        ]
        with contextlib.suppress(OSError):  # the client is gone
            connection.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        self.close(connection)

    def close(self, connection):
        """Close it, unless it is closed, and end what would answer it."""
        if connection in self.open:
            _, _, task = self.open.pop(connection)
            if task:
                task.cancel()
            self.loop.remove_reader(connection)
            connection.close()

    def close_slow(self):
        """Close, once a second, those that have been open for longer than CONNECTION_SECONDS."""
        for connection, (since, _, _) in [*self.open.items()]:
            if time.monotonic() - since > CONNECTION_SECONDS:
                self.close(connection)
        self.loop.call_later(1, self.close_slow)


async def serve(role_arn, name, region, port, address):
    """Listen on the address, and keep a session to hand out."""
    session = NotebookSession(role_arn, name, region)
    Proxy(session, socket.create_server((address, int(port)), backlog=4096))
    await session.keep_open()


async def caller(region):
    """Print the ARN of the session that the metadata service gives to whoever runs this."""
    _, credentials, now = given_session()
    print(ask_sts(region, credentials, now, Action="GetCallerIdentity")["Arn"])


if __name__ == "__main__":
    asyncio.run({"serve": serve, "caller": caller}[sys.argv[1]](*sys.argv[2:]))
