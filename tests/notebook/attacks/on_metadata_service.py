"""Attacks on the metadata service: by its address, in all ways of writing it and of speaking to it."""

from __future__ import annotations

from emulator.docker import Docker, running_docker
from notebooks import OwnNotebook

from .attack import Attack, on_a_new_instance, script, start, with_user_namespaces
from .conftest import HERE
from .outcome import Trial

NUMBERS = (
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.16689662",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
)
OTHER_PATHS = [
    "/1.0/meta-data/iam/security-credentials/$LISTED",
    "/2021-07-15/meta-data/iam/security-credentials/$LISTED",
    "/2024-04-11/meta-data/iam/security-credentials/$LISTED",
    "/$CREDENTIALS",
    "//latest//meta-data//iam//security-credentials//$LISTED",
    "/latest/./meta-data/iam/security-credentials/$LISTED",
    "/latest/meta-data/instance-id/../iam/security-credentials/$LISTED",
    "/latest/meta-data/placement/region/../../iam/security-credentials/$LISTED",
    "/latest/meta-data/instance-id/..%2fiam%2fsecurity-credentials%2f$LISTED",
    "/latest/meta-data/instance-id/%2e%2e/iam/security-credentials/$LISTED",
    "/latest/meta-data/instance-id%00/../iam/security-credentials/$LISTED",
    "/latest/meta-data/instance-id;/../iam/security-credentials/$LISTED",
    "/latest/meta-data/instance-id?/../iam/security-credentials/$LISTED",
    "/latest/meta-data/instance-id\\..\\iam\\security-credentials\\$LISTED",
    "/latest/meta-data/iam/info/../security-credentials/$LISTED",
    "/LATEST/meta-data/iam/security-credentials/$LISTED",
]
SPOOFED = ("Host: localhost", "Host: 169.254.169.254:80@localhost", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1;host=localhost", "X-Forwarded-Host: 169.254.169.254", "X-Original-URL: $CREDENTIALS", "X-Rewrite-URL: $CREDENTIALS", "X-HTTP-Method-Override: PUT", "Connection: X-aws-ec2-metadata-token")  # fmt: skip

SMUGGLED = r"""
header="X-aws-ec2-metadata-token: $(token)"
end="\r\n\r\n"
inner="GET $CREDENTIALS HTTP/1.1\r\nHost: x\r\n$header\r\nConnection: close$end"
outer="GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\n$header"
length=$(printf "$inner" | wc -c)
say "$outer$end$inner"
say "$outer\r\nContent-Length: 0\r\nContent-Length: $length$end$inner"
say "$outer\r\nContent-Length: $length$end$inner"
say "$outer\r\nTransfer-Encoding: chunked$end$(printf '%x' "$length")\r\n$inner\r\n0$end"
say "$outer\r\nTransfer-Encoding: chunked\r\nContent-Length: 4$end"'0\r\n\r\n'"$inner"
say "$outer\n\n$inner"
say "GET /latest/meta-data/instance-id\nGET $CREDENTIALS HTTP/1.1\r\n$header$end"
say "GET /latest/meta-data/instance-id HTTP/1.1\r\n$header\r\nX: y\r\n GET $CREDENTIALS HTTP/1.1$end"
say "GET http://169.254.169.254$CREDENTIALS HTTP/1.1\r\n$header\r\nConnection: close$end"
say "CONNECT 169.254.169.254:80 HTTP/1.1\r\n$header$end$inner"
say "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\n$inner"
"""
TOKENS = """
use() { ask -H "X-aws-ec2-metadata-token: $1" "$SERVICE$CREDENTIALS"; }
for ttl in 0 -1 21601 999999999 1e3 x ''; do
  use "$(ask -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: $ttl" "$SERVICE/latest/api/token")"
done
for header in 'X-Forwarded-For: 127.0.0.1' 'x-forwarded-for:'$'\\t'1; do use "$(token "$SERVICE" -H "$header")"; done
short=$(ask -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 1' "$SERVICE/latest/api/token")
sleep 1.2
use "$short"
good=$(token)
for forged in '' x "${good}x" "${good%?}" "9$good" "$good,$good" 99999999-0; do use "$forged"; done
"""
RELAY = f"""
/usr/bin/python3 "$PROGRAMS/relay.py" outside /tmp/relay &
relay=$!
until [[ -S /tmp/relay ]]; do sleep 0.1; done
curl() {{ command curl --unix-socket /tmp/relay "$@"; }}
take
unset -f curl
unshare --user --map-root-user --net /usr/bin/python3 "$PROGRAMS/relay.py" inside /tmp/relay \
  bash -c 'source "{HERE}/tools.sh"; take'
kill $relay
rm /tmp/relay
"""


def take_in(docker: Docker) -> str:
    """Take credentials in a container, at the service's address and at those of SageMaker's agent."""
    return docker.run(
        "bash", "-c", f"source '{HERE}/tools.sh'; take & for agent in $AGENTS; do take $agent & done; wait"
    ).stdout


def in_container(trial: Trial, notebook: OwnNotebook) -> str:
    """Take credentials in a container behind a bridge, which Docker's own daemon, as root, made before the start."""
    with running_docker(notebook) as docker:
        start(notebook)
        return trial.outcome(take_in(docker), notebook)


def after_docker_restarted(trial: Trial, notebook: OwnNotebook) -> str:
    """Take credentials in a container after Docker's daemon put its rules in front of the script's."""
    with running_docker(notebook) as docker:
        start(notebook)
        docker.restart()
        return trial.outcome(take_in(docker), notebook)


METADATA: dict[str, Attack] = {
    "take the metadata service's credentials": script("take"),
    "… by its name": script("take http://instance-data.ec2.internal --resolve instance-data.ec2.internal:80:169.254.169.254"),
    "… by its number, decimal, hexadecimal, octal, or IPv4 within IPv6": script("\n".join(f"take 'http://{number}'" for number in NUMBERS)),
    "… by IPv6": script("take 'http://[fd00:ec2::254]'\nAWS_CONFIG_FILE=/dev/null AWS_REGION=us-east-1 AWS_EC2_METADATA_SERVICE_ENDPOINT='http://[fd00:ec2::254]' client"),
    "… by a proxy setting (`http_proxy`), the service itself being the proxy": script('http_proxy=$SERVICE take\ntake "$SERVICE" --proxy "$SERVICE" --proxytunnel'),
    "… as root of a user namespace": with_user_namespaces(script(f"unshare --user --map-root-user bash -c 'source \"{HERE}/tools.sh\"; take'")),
    "… from a network namespace, by a relay (rootless Docker)": with_user_namespaces(script(RELAY)),
    "… from a container behind a bridge (root's Docker)": on_a_new_instance(in_container),
    "… from such a container, after Docker restarted and put its rules in front": on_a_new_instance(after_docker_restarted),
    "… by a socket that is bound to the network card": script("PATIENCE=1\ntake \"$SERVICE\" --interface 'if!eth0'\ntake 'http://[fd00:ec2::254]' --interface 'if!eth0'"),
    "… by raw and packet sockets, UDP, other ports, a source route": script('/usr/bin/python3 "$PROGRAMS/sockets.py"'),
    "… with spoofed `Host`, `X-Forwarded-For`, `X-Original-URL` and the like": script("\n".join(f'get "{path}" -H "{header}"' for header in SPOOFED for path in ("$CREDENTIALS", "/latest/meta-data/instance-id"))),
    "… by other spellings of the path (`..`, `%2f`, `//`) and other API versions": script("\n".join(f'get "{path}"' for path in OTHER_PATHS)),
    "… by smuggled, pipelined and chunked requests, whole URLs, CRLF": script(SMUGGLED),
    "… by version 1 of its protocol": script('ask "$SERVICE$CREDENTIALS"'),
    "… with tokens that are forged, ended, forwarded or of another lifetime": script(TOKENS),
    "take the machine's own credentials (`identity-credentials`) or its user data": script("get /latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance\nget /latest/user-data"),
}  # fmt: skip
