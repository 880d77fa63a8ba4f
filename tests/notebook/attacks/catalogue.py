"""Every way around that is tried, in the order of the table in docs/threat-model.md."""

from __future__ import annotations

import json
import os

from emulator.faults import Fault
from emulator.network import LAYOUTS, Layout
from notebooks import BUCKET, OwnNotebook
from on_start_script import impatient
from waiting import until

from .attack import Attack, on_a_new_instance, on_the_proxy, script, start
from .conftest import HERE
from .on_agent import AGENT
from .on_metadata_service import METADATA
from .outcome import PREVENTED, Trial

# The AWS config, and the environment of clients.

PLANTED = "[default]\\nrole_arn = $ROLE\\ncredential_source = Ec2InstanceMetadata\\nrole_session_name = $COLLEAGUE\\nregion = us-east-1\\n"
TAMPER = """
cp -r ~/.aws /tmp/aws
printf "$planted" >>"$file"
rm -f "$file"
mv "$file" "$file.2"
printf "$planted" >"$file"
printf "$planted" >/tmp/planted
mv -f /tmp/planted "$file"
client
rm -rf ~/.aws 2>/dev/null && mv /tmp/aws ~/.aws
rm -rf /tmp/aws /tmp/planted
"""
OTHER_DIRECTORY = """
mkdir -p /tmp/planted
printf "$planted" >/tmp/planted/config
cp -r ~/.aws /tmp/aws
mv ~/.aws ~/.aws2
rm -rf ~/.aws
ln -sfnT /tmp/planted ~/.aws
client
rm -rf ~/.aws 2>/dev/null && mv /tmp/aws ~/.aws
rm -rf /tmp/aws /tmp/planted ~/.aws2
"""
CLI_CACHE = """
aws sts get-caller-identity
taken=$(take)
mkdir -p ~/.aws/cli/cache
for file in ~/.aws/cli/cache/*.json; do
  changed=$(jq --argjson taken "$taken" '.Credentials += {AccessKeyId: $taken.AccessKeyId,
    SecretAccessKey: $taken.SecretAccessKey, SessionToken: $taken.Token}' "$file") && echo "$changed" >"$file"
done
aws sts get-caller-identity
rm -f ~/.aws/cli/cache/*.json
"""
PYARROW = f"""
"$PYTHON" -c "
from pyarrow.fs import S3FileSystem
print(S3FileSystem(region='us-east-1').open_input_file('{BUCKET}/2026.csv').read())"
"""

CONFIG: dict[str, Attack] = {
    "edit, delete, move away or replace `~/.aws/config`": script(f'planted="{PLANTED}" file=~/.aws/config\n{TAMPER}'),
    "edit, delete, move away or replace `~/.aws/credentials`": script(f'planted="[default]\\nrole_session_name = $COLLEAGUE\\n" file=~/.aws/credentials\n{TAMPER}'),
    "delete or move away `~/.aws`, or put a link in its place": script(f'planted="{PLANTED}"\n{OTHER_DIRECTORY}'),
    "point `AWS_CONFIG_FILE` elsewhere": script("AWS_CONFIG_FILE=/dev/null AWS_REGION=us-east-1 client"),
    "set `HOME` to another directory (`HOME=/tmp aws …`)": script("HOME=/tmp aws sts get-caller-identity --region us-east-1\nHOME=/tmp AWS_DEFAULT_REGION=us-east-1 client"),
    "name an empty profile in `AWS_PROFILE`": script("printf '[empty]\\n' >/tmp/empty\nAWS_SHARED_CREDENTIALS_FILE=/tmp/empty AWS_PROFILE=empty AWS_REGION=us-east-1 client"),
    "name a colleague in the file that `AWS_SHARED_CREDENTIALS_FILE` names": script(f'printf "{PLANTED}" >/tmp/planted\nAWS_SHARED_CREDENTIALS_FILE=/tmp/planted client'),
    "change what the AWS CLI keeps in `~/.aws/cli/cache`": script(CLI_CACHE),
    "use a client that reads no AWS config (PyArrow)": script(PYARROW),
    "set static keys in the environment": script("AWS_ACCESS_KEY_ID=444455556666 AWS_SECRET_ACCESS_KEY=of-another-account client"),
}  # fmt: skip

# The proxy.

FLOOD = 10_000 if os.environ.get("CI") else 5_000  # requests: they still come when the first credentials are taken

# Not the attack itself, on whose command line it stands.
PROXY = "pgrep -f '[i]mds-proxy.py serve|notebook-attribution/[i]mds-mode'"
WRITE = """
for file in /usr/local/lib/notebook-attribution/{imds-proxy.py,imds-mode,new} \
  /var/log/notebook-attribution.log /run/notebook-attribution.pid /usr/lib/python3/dist-packages/asyncio.py \
  /etc/ld.so.preload /etc/profile.d/x.sh /etc/hosts /etc/resolv.conf /opt/ml/metadata/resource-metadata.json; do
  { echo x >>"$file"; } 2>/dev/null && echo "$file WENT THROUGH"
  mv "$file" "$file.2" 2>/dev/null && echo "$file WENT THROUGH"
done
mv /usr/local/lib/notebook-attribution /tmp 2>/dev/null && echo WENT THROUGH
take
"""


def read_secrets(trial: Trial) -> str:
    """Read all that the proxy shows, and look for the base session's secrets in it."""
    notebook = trial.scene.notebook
    base = json.loads(notebook.root(f'source "{HERE}/tools.sh"; take').stdout)
    said = trial.scene.run(f"""
for process in $({PROXY}); do
  cat /proc/$process/{{cmdline,status,io,limits,cgroup}}
  /usr/bin/python3 "$PROGRAMS/ptrace.py" $process
done
cat /usr/local/lib/notebook-attribution/* /var/log/*.log /run/*.pid /tmp/* /var/tmp/* /var/log/journal/*/*
ps axwwe
take
""")
    if any(base[secret] in said for secret in ("AccessKeyId", "SecretAccessKey", "Token")):
        said += "WENT THROUGH"
    return trial.outcome(said)


def while_busy(program: str) -> Attack:
    """Keep the proxy busy, and see that credentials still come, and whose."""

    def attack(trial: Trial) -> str:
        said = trial.scene.run(f"/usr/bin/python3 {program} >/tmp/busy & sleep 1; take; wait $!; echo status $?; take")
        assert said.count("AccessKeyId") == 2, said
        assert "status 0" in said, said
        return trial.outcome(said)

    return attack


def squat(trial: Trial, notebook: OwnNotebook) -> str:
    """Take the proxy's port and address before the script runs."""
    background = '/usr/bin/python3 "$PROGRAMS/squat.py" </dev/null >/tmp/squat 2>&1 & sleep 0.5; cat /tmp/squat'
    said = trial.scene.run(background, on=notebook)
    trial.scene.run(f"unshare --user --map-root-user --net {background}", on=notebook)
    start(notebook)
    return trial.outcome(said + trial.scene.run("take; take 'http://[fd00:ec2::254]'", on=notebook), notebook)


def race(trial: Trial, notebook: OwnNotebook, user: str) -> tuple[str, list[str]]:
    """Take credentials in a tight loop from before the script until after it; return what came before, and since."""
    notebook.run(["bash", "-c", f'setsid /usr/bin/python3 "{HERE}/programs/race.py" </dev/null >/dev/null 2>&1 &'], user=user)  # fmt: skip
    until(lambda: notebook.exists("/tmp/seen"), seconds=10, every=0.05)
    start(notebook)
    # Where the script didn't end it, it takes once more.
    notebook.run(["touch", "/tmp/enough"])
    until(lambda: notebook.root("pgrep -f '[p]rograms/race.py'").returncode == 1, seconds=10, every=0.05)
    before, *since = notebook.read("/tmp/seen").splitlines()
    assert "AccessKeyId" in before, "the loop ran before the script did"
    return before, since


def race_before(trial: Trial, notebook: OwnNotebook) -> str:
    """Use what the loop got before the script's first rule: on AWS no user has a process at that time."""
    before, since = race(trial, notebook, "ec2-user")
    return trial.outcome("\n".join([before, *since]), notebook)


def race_since(trial: Trial, notebook: OwnNotebook) -> str:
    """Use what the loop gets from the script's first rule on; another user's loop, for the script ends ec2-user's."""
    before, since = race(trial, notebook, "daemon")
    if trial.scene.mode == "profile":
        since.append(before)  # which stays good
    else:
        # The script's first act is to close the service; what comes once the proxy is there stays.
        assert [each == "nothing" for each in since] == [True, False]
    return trial.outcome("\n".join(since), notebook)


def held_before(trial: Trial, notebook: OwnNotebook) -> str:
    """Use what the notebook's server, which runs before the script, holds in memory."""
    held = """
for _ in {1..50}; do curl --silent --fail http://127.0.0.1:8888/api && break; sleep 0.2; done
curl --silent http://127.0.0.1:8888/held
"""
    assert "AccessKeyId" in trial.scene.run(held, on=notebook)
    start(notebook)
    said = trial.scene.run(held, on=notebook)
    assert "version" in said, "the server is up, or up again"
    return trial.outcome(said, notebook)


HOSTILE = ["x\r\nAccessKeyId: x", "../../user-data", "x y", "", "x" * 65, "é", "x\x1b[2J", "$(touch /tmp/pwned)"]


def hostile_instance_name(trial: Trial, notebook: OwnNotebook) -> str:
    """Give the instance a name that is more than a name: the script must not start it."""
    path = "/opt/ml/metadata/resource-metadata.json"
    metadata = json.loads(notebook.read(path))
    for name in [*HOSTILE, "SageMaker", "sagemaker"]:
        notebook.write(path, json.dumps({**metadata, "ResourceName": name}), owner="root")
        done = notebook.run_on_start()
        assert done.returncode == 1, name
        assert done.stderr.removesuffix("\n").isprintable(), name
        assert not notebook.exists("/tmp/pwned")
    return PREVENTED if trial.scene.mode == "profile" else trial.outcome(trial.scene.run("take", on=notebook), notebook)


def hostile_role_name(trial: Trial, notebook: OwnNotebook) -> str:
    """Let the real service list a role whose name is more than a name: the proxy must not repeat or follow it."""
    said = ""
    notebook.script = impatient(notebook.script, 1)
    for name in HOSTILE[:4]:
        listed = name.encode().decode("latin-1")
        answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(listed)}\r\nConnection: close\r\n\r\n{listed}"
        notebook.go_wrong(metadata=Fault(answer=answer, path="/latest/meta-data/iam/security-credentials/"))
        if notebook.run_on_start().returncode == 0:
            said += f"{name!r} WENT THROUGH\n"
        said += trial.scene.run("get /latest/meta-data/iam/security-credentials/ --include; take", on=notebook)
    log = notebook.read("/var/log/notebook-attribution.log")
    assert "lists no role" in log
    assert log.replace("\n", "").isprintable()
    assert not notebook.exists("/tmp/pwned")
    return trial.outcome(said, notebook)


THE_PROXY: dict[str, Attack] = {
    "kill the proxy or its supervisor": on_the_proxy(script(f"[[ -n $({PROXY}) ]] || echo WENT THROUGH\nfor process in $({PROXY}); do for signal in TERM KILL STOP; do kill -$signal $process && echo WENT THROUGH; done; done\ntake")),
    "attach to the proxy, read its memory, files, command line and log for secrets": on_the_proxy(read_secrets),
    "replace the proxy, its unit, its libraries, or what its names resolve to": on_the_proxy(script(WRITE)),
    "flood it with 10,000 requests": on_the_proxy(while_busy(f'"{HERE.parent}/imds/programs/flood.py" {FLOOD}')),
    "hold 400 connections open with endless requests": on_the_proxy(while_busy('"$PROGRAMS/hold.py"')),
    "take its port or address before the instance's start": on_the_proxy(on_a_new_instance(squat)),
    "race the start: a loop from before the script keeps what it gets": on_a_new_instance(race_before),
    "… and uses only what it gets from the script's first rule on": on_a_new_instance(race_since),
    "use what the notebook's server took before the start and kept in memory": on_a_new_instance(held_before),
    "give the notebook instance a hostile name": on_a_new_instance(hostile_instance_name),
    "have the metadata service list a hostile role name": on_the_proxy(on_a_new_instance(hostile_role_name)),
}  # fmt: skip

# Sessions.


def of_a_newcomer(text: str) -> Attack:
    """Try it on a notebook instance that never called under its own name."""
    return lambda trial: trial.outcome(trial.scene.run(text, on=trial.scene.newcomer), trial.scene.newcomer)


def handed_over(trial: Trial) -> str:
    """Call with credentials that a colleague gave away."""
    return trial.outcome(trial.scene.run("own", on=trial.scene.colleague))


SESSIONS: dict[str, Attack] = {
    "open a session under a colleague's name, from the notebook session": script('own | assume "$COLLEAGUE" "$COLLEAGUE"\nown | assume "$COLLEAGUE"'),
    "open a session under a colleague's name, from the metadata service's credentials": script('take | assume "$COLLEAGUE"\ntake | assume "$COLLEAGUE" "$COLLEAGUE"'),
    "open a session under a colleague's name, and never one's own": of_a_newcomer('take | assume "$COLLEAGUE"'),
    "open a session under a name that a pattern admits (`test-*`), and never one's own": of_a_newcomer("take | assume test-of-nobody\ntake | assume test-of-nobody test-of-nobody"),
    "open a session under a name that isn't known, or under `SageMaker`": script("for name in unknown SageMaker; do take | assume $name; own | assume $name; take | assume $name $name; done"),
    "set another source identity": script('own | assume "$NAME" "$COLLEAGUE"\ntake | assume "$NAME" "$COLLEAGUE"\ntake | assume "$COLLEAGUE" "$NAME"'),
    "call in another role's session": script('own | assume job "" "$JOBS_ROLE"'),
    "… with a colleague's source identity": script('own | assume job "$COLLEAGUE" "$JOBS_ROLE"'),
    "call with credentials that a colleague gave away": handed_over,
}  # fmt: skip

# The instance.

NETWORK = """
became() { "$@" 2>/dev/null && echo "$* WENT THROUGH"; }
change() {
  became iptables -F
  became iptables -t nat -F
  became iptables -I OUTPUT -j ACCEPT
  became ip6tables -F
  became nft flush ruleset
  became ip address add 169.254.255.254/32 dev eth0
  became ip address del 169.254.255.254/32 dev lo
  became ip route add 169.254.255.254/32 dev eth0
  became ip rule add to 169.254.169.254 table 100
  became ip link set lo down
  became bash -c 'echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start'
  became bash -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
}
change
export -f became change
unshare --user --map-root-user bash -c change
take
"""
SETUID = """
for try in 'su -c id' 'sudo -n id' 'pkexec id' 'doas -n id' 'setpriv --reuid 0 id' 'chroot / id' 'newgrp root' 'sg root id'; do
  { timeout 1 $try </dev/null 2>/dev/null | grep -q 'uid=0\\|gid=0' && echo "$try WENT THROUGH"; } &
done
wait
mount -t tmpfs none /mnt 2>/dev/null && echo WENT THROUGH
chattr -i ~/.aws/config 2>/dev/null && [[ -z $(find ~/.aws/config -user ec2-user) ]] && echo WENT THROUGH
true
"""
PERSIST = """
mark='# of the attack; touch ~/SageMaker/ran'
mkdir -p ~/.config/systemd/user ~/.config/autostart ~/.jupyter ~/.ipython/profile_default/startup ~/.local/lib
for file in ~/.bashrc ~/.profile ~/.bash_profile ~/.config/systemd/user/x.service ~/.config/autostart/x.desktop \
  ~/.jupyter/jupyter_server_config.py ~/.ipython/profile_default/startup/x.py ~/.local/lib/x.pth /tmp/x /var/tmp/x \
  /dev/shm/x /var/spool/cron/ec2-user /var/spool/cron/crontabs/ec2-user /etc/cron.d/x /var/lib/systemd/linger/ec2-user \
  /etc/profile.d/x.sh /etc/rc.local ~/SageMaker/x; do
  { echo "$mark" >"$file"; } 2>/dev/null && echo "$file written"
done
echo "* * * * * touch ~/SageMaker/ran" | crontab - 2>/dev/null
echo 'touch ~/SageMaker/ran' | at now + 1 minute 2>/dev/null
true
"""


def persist(trial: Trial) -> str:
    """Leave something behind that runs before the script at the next start."""
    notebook = trial.scene.newcomer
    said = trial.scene.run(PERSIST, on=notebook)
    assert ".bashrc written" in said
    notebook.stop()
    notebook.start()
    # In the instance's own file systems: a clone of this may lie below one of these folders, with this text in it.
    folders = (
        "/home /home/ec2-user /home/ec2-user/SageMaker /tmp /var/tmp /var/spool /etc/cron.d /etc/profile.d /dev/shm"
    )
    marks = f"find {folders} -xdev -type f -exec grep -lsF 'of the attack' {{}} + | sort -u"
    left = notebook.root(f"{marks}; ls /home/ec2-user/SageMaker").stdout.split()
    assert left == ["/home/ec2-user/SageMaker/x", "x"]
    return trial.outcome(trial.scene.run("own", on=notebook), notebook)


INSTANCE: dict[str, Attack] = {
    "change firewall rules, addresses or routes, also as root of a user namespace": on_the_proxy(script(NETWORK)),
    "become root by setuid programs": script(SETUID),
    "leave cron jobs, user units or startup files for the next start": persist,
}

PARTS = (CONFIG, METADATA, AGENT, THE_PROXY, SESSIONS, INSTANCE)
ATTACKS: dict[str, Attack] = {name: attack for part in PARTS for name, attack in part.items()}


def layouts_of(attack: str) -> tuple[Layout, ...]:
    """Return the network layouts in which there is something to attack."""
    return ("agent",) if attack in AGENT else LAYOUTS
