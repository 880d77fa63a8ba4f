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
import io
import json
import random
import re
import secrets
import socket
import ssl
import sys
import time
import types
import urllib.parse

METADATA_SERVICE = "169.254.169.254"
CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
# Whole targets, as a client writes them: nothing is decoded or resolved, so nothing else gets through in disguise.
PASSED_ON = re.compile(
    "/latest/(dynamic/instance-identity/document|meta-data/(ami-id|hostname|iam/info|instance-id|instance-type"
    "|local-hostname|local-ipv4|mac|placement/(availability-zone|region)|services/(domain|partition)))/?"
)
TOKEN, TOKEN_TTL = "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"

# With one more, the oldest has to go once it had its time, and new ones wait until then: a quick request is answered
# however many slow ones there are. So many take so little memory because requests are short.
MOST_CONNECTIONS = 4096
CONNECTION_SECONDS = 10
SECONDS_TO_ASK = 0.5
LONGEST_REQUEST = 2048  # bytes
UPSTREAM_SECONDS = 7  # in all, from the name's look-up on: time for a second DNS server, which is asked after 5
LONGEST_ANSWER = 16384  # bytes; so much fits into a socket at once


def log(text):
    """Say one line, on standard error."""
    # What others wrote could hold line ends or a terminal's control characters.
    with contextlib.suppress(OSError):  # a full disk is no reason to stop
        print("imds-proxy:", text.encode("unicode_escape").decode()[:400], file=sys.stderr, flush=True)


# As a client: of the real metadata service, and of STS.


async def fetch(host, method, target, headers, body="", **tls):
    """Return status, headers and body."""
    answer = await asyncio.wait_for(exchange(host, method, target, headers, body, **tls), UPSTREAM_SECONDS)
    response = http.client.HTTPResponse(types.SimpleNamespace(makefile=lambda _: io.BytesIO(answer)))
    response.begin()
    return response.status, response.headers, response.read()


async def exchange(host, method, target, headers, body, **tls):
    """Send a request; return all that comes up to the end or the length that its head says."""
    reader, writer = await asyncio.open_connection(host, 443 if tls else 80, **tls)
    try:
        lines = {**headers, "host": host, "connection": "close", "content-length": len(body)}.items()
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in lines), "", body]
        writer.write("\r\n".join(lines).encode())
        answer = b""
        while len(answer) < LONGEST_ANSWER and (part := await reader.read(LONGEST_ANSWER)):
            answer += part
            if b"\ncontent-length: %d\r" % len(answer.partition(b"\r\n\r\n")[2]) in answer.lower():
                break
        return answer
    finally:
        writer.transport.abort()


async def metadata(target):
    """Ask the metadata service with a token of its own; return status, headers and body."""
    status, _, token = await fetch(METADATA_SERVICE, "PUT", "/latest/api/token", {TOKEN_TTL: "60"})
    if status != 200:
        raise ValueError(f"the metadata service gave no token (status {status})")
    return await fetch(METADATA_SERVICE, "GET", target, {TOKEN: token.decode("ascii")})


async def given_session():
    """Return the role's name, the credentials that the metadata service gives under it, and AWS's time."""
    status, _, listed = await metadata(CREDENTIALS)
    role = listed.decode("latin-1").strip()
    if status != 200 or not re.fullmatch(r"[\w+=,.@-]{1,64}", role, re.ASCII):
        raise ValueError(f"the metadata service lists no role (status {status}): {role[:100]!r}")
    status, headers, document = await metadata(CREDENTIALS + role)
    credentials = json.loads(document) if status == 200 else {}
    if credentials.get("Code") != "Success":
        raise ValueError(f"the metadata service gives no credentials (status {status}): {credentials.get('Code')}")
    # This machine's clock may have jumped, and STS refuses what is signed at another time than its own.
    date = email.utils.parsedate(headers.get("date") or "")
    return role, credentials, calendar.timegm(date) if date else time.time()


async def ask_sts(region, credentials, now, **parameters):
    """Call STS in the region; return the texts of its answer by their names."""
    status, _, domain = await metadata("/latest/meta-data/services/domain")
    if status != 200 or not re.fullmatch(rb"[a-z0-9.-]+", domain):
        raise ValueError(f"the metadata service doesn't say in which domain AWS is (status {status})")
    host = f"sts.{region}.{domain.decode()}"
    body = urllib.parse.urlencode({"Version": "2011-06-15", **parameters})
    headers = sign(host, region, credentials, now, body)
    status, _, answer = await fetch(host, "POST", "/", headers, body, ssl=ssl.create_default_context())
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
    canonical = "\n".join(["POST", "/", "", *lines, "", names, hashlib.sha256(body.encode()).hexdigest()])
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

    async def open(self):
        """Open it, or raise and leave what there was."""
        asked = time.monotonic()
        role, base, now = await given_session()
        given = await ask_sts(
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
                await self.open()
                log(f"opened the session {self.name}")
                wait, retry = (self.ends - time.monotonic()) / 2, 1
            except Exception as error:  # whatever it is, the session of before is served and the next try may succeed
                log(f"can't open the session {self.name}: {type(error).__name__}: {error}")
                wait = retry = min(retry * 2, 60)
            await asyncio.sleep(wait * random.uniform(0.5, 1))


# As a server: the paths of the metadata service, for everyone who isn't root.


class Proxy:
    """The answers, and the open connections: plain sockets, of which nothing is kept but what they have sent."""

    def __init__(self, session, listener):
        self.session, self.listener = session, listener
        self.key = secrets.token_bytes(32)
        self.passed_on = {}  # the answer, or the task that asks for it, by target; there are as many as PASSED_ON has
        self.open = {}  # since when, and what was sent or the target that is asked for, by connection; the oldest first
        self.loop = asyncio.get_running_loop()
        listener.setblocking(False)
        self.tend()

    def token(self, end):
        """Return a token that is good until then. It says so itself, so that none has to be remembered."""
        return f"{end}-{hmac.digest(self.key, end.encode(), 'sha256').hex()}"

    def give_token(self, target, headers):
        """Return a token of the protocol's version 2, as the real service gives one."""
        if target != "/latest/api/token" or "x-forwarded-for" in headers:
            return 403, ""
        ttl = headers.get(TOKEN_TTL, "")
        if not re.fullmatch("[0-9]{1,5}", ttl) or not 1 <= int(ttl) <= 21600:
            return 400, ""
        return 200, self.token(str(int(time.monotonic()) + int(ttl))), f"{TOKEN_TTL}: {ttl}"

    def answer(self, method, target, headers):
        """Return status, body and further header lines; or a task, which answers later."""
        if method == "PUT":
            return self.give_token(target, headers)
        if method != "GET":
            return 405, ""
        token = headers.get(TOKEN, "")
        end = token.partition("-")[0]
        if not hmac.compare_digest(token.encode(), self.token(end).encode()) or time.monotonic() >= int(end):
            return 401, ""
        if PASSED_ON.fullmatch(target):
            if target not in self.passed_on:
                self.passed_on[target] = self.loop.create_task(self.pass_on(target))
            return self.passed_on[target]
        if target.startswith(CREDENTIALS[:-1]) and time.monotonic() >= self.session.ends:
            return 503, ""
        if target in (CREDENTIALS, CREDENTIALS[:-1]):
            return 200, self.session.listed_role
        if target == CREDENTIALS + str(self.session.listed_role):
            return 200, self.session.document
        return 404, ""

    async def pass_on(self, target):
        """Answer all who ask meanwhile as the real service does. What isn't good is kept for a second: renewals share its limits."""
        try:
            status, _, body = await metadata(target)
        except Exception:
            status, body = 504, b""
        answer = self.passed_on[target] = status, body.decode("latin-1")
        if status != 200:
            self.loop.call_later(1, self.passed_on.pop, target)
        for connection, (_, asked) in [*self.open.items()]:
            if asked == target:
                self.send(connection, *answer)

    def tend(self):
        """Several times a second: close what waits for too long, and see to new connections again."""
        for connection, (since, _) in [*self.open.items()]:
            crowded = len(self.open) > MOST_CONNECTIONS / 2
            if time.monotonic() - since > (SECONDS_TO_ASK if crowded else CONNECTION_SECONDS):
                self.close(connection)
        self.loop.add_reader(self.listener, self.accept)
        self.loop.call_later(0.2, self.tend)

    def accept(self):
        """Take some of the connections that are new, or let them wait."""
        with contextlib.suppress(OSError):  # there are no more
            for _ in range(64):
                connection = self.listener.accept()[0]
                connection.setblocking(False)
                self.open[connection] = time.monotonic(), b""
                self.loop.add_reader(connection, self.receive, connection)
        if len(self.open) > MOST_CONNECTIONS:
            self.loop.remove_reader(self.listener)

    def receive(self, connection):
        """Read what has come, and answer if that makes a request."""
        data = b""
        with contextlib.suppress(OSError):
            data = connection.recv(65536)
        since, before = self.open[connection]
        head, whole, _ = (before + data).partition(b"\r\n\r\n")
        self.open[connection] = since, head
        if len(head) > LONGEST_REQUEST:
            head, whole = b"", True
        if whole:
            self.loop.remove_reader(connection)
            self.respond(connection, head.decode("latin-1"))
        elif not data:
            self.close(connection)

    def respond(self, connection, head):
        """Answer one request, or let it wait for its answer."""
        try:
            method, target, _ = head.partition("\r\n")[0].split(" ")
            answer = self.answer(method, target, dict(re.findall(r"\n([\w-]+) *: *(\S*)", head.lower())))
        except ValueError:
            answer = 400, ""
        if isinstance(answer, tuple):
            self.send(connection, *answer)
        else:
            self.open[connection] = self.open[connection][0], target

    def send(self, connection, status, body, *lines):
        """Send the answer."""
        lines = [
            f"HTTP/1.1 {status} ",
            *lines,
            "Content-Type: text/plain",
            f"Content-Length: {len(body)}",
            "Connection: close",
            "",
            body,
        ]
        with contextlib.suppress(OSError):  # the client is gone
            connection.send("\r\n".join(lines).encode("latin-1"))
        self.close(connection)

    def close(self, connection):
        """Close it."""
        del self.open[connection]
        self.loop.remove_reader(connection)
        connection.close()


async def serve(role_arn, name, region, port, address):
    """Listen on the address, and keep a session to hand out."""
    session = NotebookSession(role_arn, name, region)
    Proxy(session, socket.create_server((address, int(port)), backlog=4096))
    await session.keep_open()


async def caller(region):
    """Print the ARN of the session that the metadata service gives to whoever runs this."""
    _, credentials, now = await given_session()
    print((await ask_sts(region, credentials, now, Action="GetCallerIdentity"))["Arn"])


if __name__ == "__main__":
    asyncio.run({"serve": serve, "caller": caller}[sys.argv[1]](*sys.argv[2:]))
