"""Lines that stand beside what sets attribution up, and the verdict that they lead to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from audited import ARN, audited, codes, role
from emulator.server import Emulator
from on_start_script import repacked
from rendered_scripts import LOCKED_RECIPE, rendered
from workspace import CHECKOUT

PLACES = ("recipe", "profile", "imds")
FINE = {"recipe": "attributed", "profile": "attributed", "imds": "enforced"}


@pytest.fixture(scope="module")
def scripts(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("scripts")
    inputs = {mode: {"attribution_mode": mode, "extra_on_start": "LINES"} for mode in ("profile", "imds")}
    return {"recipe": LOCKED_RECIPE.replace("= $role", f"= {ARN}") + "LINES\n", **rendered(emulator, folder, inputs)}


def verdict(scripts: dict[str, str], place: str, lines: str) -> tuple[str, list[str]]:
    """Return the verdict on an instance with these lines in a script, and the codes of its findings."""
    given = lines if place == "recipe" else lines.replace("'", "'\\''")
    if place == "imds":
        script = repacked(scripts[place], lambda text: text.replace("LINES", given, 1))
    else:
        script = scripts[place].replace("LINES", given, 1)
    mode = "imds" if place == "imds" else "profile"
    row = audited(script, role(mode))
    return row.verdict, [code for code in codes(row) if code != "not-enforced"]


ENV = "/etc/profile.d/jupyter-env.sh"
HOME = "/home/ec2-user"
AWS = f"{HOME}/.aws"
AUTO_STOP = "/usr/local/sbin/autostop.py"
SAMPLES = "https://raw.githubusercontent.com/aws-samples/amazon-sagemaker-notebook-instance-lifecycle-config-samples"
AUTO_STOP_URL = f"{SAMPLES}/8531309b69e0c993ba8d1d70597ea84188afc572/scripts/auto-stop-idle/autostop.py"

UNKNOWN = {
    # What other programs then do isn't seen
    "a file is run": f"bash {HOME}/SageMaker/setup.sh",
    "a file is run by its path": f"{HOME}/SageMaker/setup.sh",
    "a file is sourced": "source /etc/names",
    "a file is sourced by its dot": ". /etc/names",
    "a command from a variable": "$command --now",
    "a command from a substitution": "$(cat /tmp/command)",
    "eval": 'eval "$(cat /tmp/command)"',
    "eval of words": "eval chattr -i $config",
    "exec": "exec python3 /opt/server.py",
    "bash -c": f"bash -c 'rm -rf {AWS}'",
    "bash -c in bash -c": f"bash -c \"bash -c 'rm -rf {AWS}'\"",
    "what base64 gives": "base64 -d <<< cm0gLXJmIC8= | sh",
    "what curl gets": "curl -fsSL https://example.com/install.sh | bash",
    "what curl gets, by root": "curl -fsSL https://example.com/install.sh | sudo -E bash -",
    "what wget gets": "wget -qO- https://example.com/install.sh | sh",
    "what xargs is given": f"ls -d {AWS} | xargs rm -rf",
    "what find does": f"find {HOME} -name config -delete",
    "python -c": "python3 -c 'import os; os.system(\"id\")'",
    "python": "python3 - <<'EOF'\nimport shutil\nEOF",
    "perl": f"perl -pi -e s/default/other/ {AWS}/config",
    "awk that runs commands": "awk 'BEGIN { system(\"id\") }'",
    "sed that runs commands": "sed '1e id' /etc/hosts",
    "sed that writes": f"sed -n 'w {AWS}/config' /etc/hosts",
    "nohup": "nohup /opt/agent &",
    "in the background": f"rm -rf {AWS} &",
    "setsid": "setsid /opt/agent",
    "a function of the name of a command": "chattr() { :; }",
    "an alias": "shopt -s expand_aliases; alias ls='rm -rf ~'",
    "a trap": f"trap 'rm -rf {AWS}' EXIT",
    "another PATH": "export PATH=/tmp/bin:$PATH\nls",
    "another PATH for a command": "PATH=/tmp/bin ls",
    "a PATH of the user's": f"export PATH={HOME}/anaconda3/bin:$PATH",
    "a PATH of the user's volume": f"PATH=$PATH:{HOME}/SageMaker/bin",
    "a PATH that holds the current directory": "export PATH=/usr/local/bin:/usr/bin:/usr/sbin:",
    "a PATH that holds a relative one": "export PATH=/usr/local/bin:/usr/bin:/usr/sbin:bin",
    "a PATH by way of ..": "export PATH=/usr/local/bin:/usr/bin:/usr/sbin:/usr/bin/../../tmp",
    "a PATH that lacks what is needed": "export PATH=/usr/local/bin",
    "a PATH that can't be told": "x=/tmp; export PATH=$PATH:$x",
    "a PATH that goes on": "PATH+=:/tmp/bin",
    "a PATH in a condition": "if [ -d /opt/x ]; then PATH=/tmp:$PATH; fi",
    "a PATH by env": "env PATH=/tmp:/usr/local/bin:/usr/bin:/usr/sbin ls",
    "another config for root": "export AWS_CONFIG_FILE=/tmp/config",
    "… for a command": "AWS_CONFIG_FILE=/home/ec2-user/SageMaker/config aws s3 ls",
    "another metadata service for root": "export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.255.254:8080",
    "another file of credentials for root": f"export AWS_SHARED_CREDENTIALS_FILE={AWS}/credentials",
    "a library before others": "export LD_PRELOAD=/tmp/x.so",
    "what bash reads first": "BASH_ENV=/tmp/x bash -c 'echo x'",
    "another IFS": "IFS=x",
    "set -a": "set -a",
    "a process substitution": "exec > >(tee /tmp/log)",
    "a package from a file": f"pip install -r {HOME}/SageMaker/requirements.txt",
    "a package from an address": "pip install git+https://example.com/x",
    "a package from a folder": "pip install .",
    "another index": "pip install -i http://10.0.0.1 x",
    "docker": "docker run -v /:/host alpine",
    "what can't be cut into commands": "if true; then echo x",
    "a backslash that begins a line": f'echo "$x"\n\\rm -rf {AWS}',
    "a here-document to a shell": f"bash <<EOF\nrm -rf {AWS}\nEOF",
    "a here-document to ec2-user's shell": "sudo -u ec2-user -i <<'EOF'\nrm -rf ~/.aws\nEOF",
    "su": "su - ec2-user -c 'rm -rf ~/.aws'",
    "runuser": "runuser -l ec2-user -c 'aws configure set role_session_name x'",
    "sudo": "sudo -u ec2-user aws configure set region eu-west-1",
    "a test that redirects": f"[ a > {AWS}/config ]",
    "a test of a substitution that redirects": f'[ "$(date)" > {AWS}/config ]',
    "a test that goes on": f"[ -f /etc/x || {HOME}/x ]",
    "a test of two lines": f"[ -f /etc/x\n{HOME}/x ]",
    "a text within arithmetic": "x='a[$(rm -rf /)]'; (( x ))",
    "a text of the user's within arithmetic": f"x=$(cat {HOME}/SageMaker/x); echo $((x + 1))",
    "… in a test": f"x=$(cat {HOME}/SageMaker/x); [[ $x -gt 1 ]] && echo y",
    "… read": f"read -r x < {HOME}/SageMaker/x; (( x > 1 ))",
    "… in an index": f"x=$(cat {HOME}/SageMaker/x); echo ${{list[$x]}}",
    "… by another name": f"x=$(cat {HOME}/SageMaker/x); echo ${{!x}}",
    "… tested for": "test -v 'a[$(rm -rf /)]'",
    "… unset": "unset 'a[$(rm -rf /)]'",
    "a variable that eval changes in a loop": f"x=/tmp/a; for i in 1 2; do rm -rf $x; eval 'x={AWS}'; done",
    "a variable that eval changes in a function": f"f() {{ eval 'x={AWS}'; }}; x=/tmp/a; f; rm -rf $x",
    "a variable that is read in a loop": "x=/tmp/a; while true; do rm -rf $x; read -r x; done",
    "another PATH by a loop": "for PATH in /tmp/bin; do ls; done",
    "another PATH by arithmetic": "(( PATH = 1 ))",
    "another PATH by default": ": ${PATH:=/tmp/bin}",
    "a device": "chmod 600 /dev/null",
    "a device that a file replaces": "mv /tmp/x /dev/null",
    "a package that lies there": "pip install x.zip",
    "sudo in the background": f"sudo -b rm -rf {AWS}",
    # Cron, at, systemd, startup files
    "cron": "echo '* * * * * root chattr -i x' > /etc/cron.d/x",
    "crontab": "(crontab -l; echo '* * * * * /tmp/x') | crontab -",
    "a job of root's that isn't known": "echo '* * * * * root /usr/bin/python3 /opt/x.py' > /etc/cron.d/x",
    "a job that runs the user's Python": f"echo '*/5 * * * * root {HOME}/anaconda3/bin/python {AUTO_STOP} --time 3600' > /etc/cron.d/x",
    "a job with more in it": f"echo '*/5 * * * * root /usr/bin/python3 {AUTO_STOP} --time 3600; id' > /etc/cron.d/x",
    "a job that sets more": f"echo '*/5 * * * * root PYTHONPATH=/tmp /usr/bin/python3 {AUTO_STOP} --time 3600' > /etc/cron.d/x",
    "a setting for jobs": "echo 'PATH=/tmp' > /etc/cron.d/x",
    "a job that a variable holds": "x=$(date); echo \"*/5 * * * * root $x\" > /etc/cron.d/x",
    "a job in another folder": f"echo '0 * * * * root /usr/bin/python3 {AUTO_STOP} --time 60' > /etc/cron.d/../x",
    "another program in its place": f"curl -fsS -o {AUTO_STOP} https://example.com/autostop.py",
    "… of a branch, which changes": f"curl -fsS -o {AUTO_STOP} {SAMPLES}/master/scripts/auto-stop-idle/autostop.py",
    "… written": f"echo 'import os' > {AUTO_STOP}",
    "… moved": f"mv /tmp/x {AUTO_STOP}",
    "… in the user's folder": f"sudo -u ec2-user curl -fsS -o {HOME}/x.py {AUTO_STOP_URL}",
    "at": "echo 'rm -rf x' | at now + 1 minute",
    "a unit": "cat > /etc/systemd/system/x.service <<EOF\n[Service]\nExecStart=/bin/sh\nEOF",
    "a unit is started": "systemctl start x",
    "rc.local": "echo /opt/x >> /etc/rc.local",
    "a profile of one's own": f"echo 'export AWS_PROFILE=analytics' | tee -a {ENV}",
    "… in a condition": f"if [ -f /etc/x ]; then echo 'export AWS_PROFILE=analytics' >> {ENV}; fi",
    "… behind a success": f"touch /etc/x && echo 'export AWS_PROFILE=analytics' >> {ENV}",
    "… of printf": f"printf 'export AWS_PROFILE=%s\\n' analytics >> {ENV}",
    "… of a here-document": f"cat >> {ENV} <<EOF\nexport AWS_PROFILE=analytics\nEOF",
    "… in a loop": f"for file in {ENV}; do echo 'export AWS_PROFILE=x' >> $file; done",
    "… in case": f"case $x in *) echo 'export AWS_PROFILE=x' >> {ENV};; esac",
    "… in a function": f"f() {{ echo 'export AWS_PROFILE=x' >> {ENV}; }}\nf",
    "… in a subshell": f"(echo 'export AWS_PROFILE=x' >> {ENV})",
    "… in a while loop": f"while read -r line; do echo \"$line\" >> {ENV}; done < /etc/lines",
    "… copied": f"cp /tmp/x {ENV}",
    "… from a variable": f"echo \"export AWS_PROFILE=$x\" >> {ENV}",
    "a command in it": f"echo 'rm -rf ~/.aws' >> {ENV}",
    "a command in a value of it": f"echo 'export TZ=$(id)' >> {ENV}",
    "the module's settings replaced": f"echo 'export TZ=UTC' > {ENV}",
    "ec2-user's own startup file": f"echo 'export AWS_PROFILE=analytics' >> {HOME}/.bashrc",
    "… as ec2-user": "sudo -u ec2-user bash -c 'echo \"export AWS_PROFILE=x\" >> ~/.bashrc'",
    "Jupyter's startup file": f"echo 'import os' >> {HOME}/.jupyter/jupyter_notebook_config.py",
    "IPython's startup file": f"echo 'import os' > {HOME}/.ipython/profile_default/startup/x.py",
    # ~/.aws and its home
    "wildcards": f"chattr -R -i {HOME}/.a*\nrm -rf {HOME}/.a*",
    "wildcards from a directory": f"cd {HOME}; chattr -R -i .a*; rm -rf .a*",
    "relative paths": f"cd {HOME}\nrm -rf .aws",
    "a relative path in a subshell": f"(cd {HOME} && rm -rf .aws)",
    "by way of a variable": f"where={HOME}; rm -rf $where/.aws",
    "by way of a loop": f"for d in .aws; do rm -rf {HOME}/$d; done",
    "a variable that a loop changes": f"x=/tmp/a; for i in 1 2; do rm -rf $x; x={HOME}/.aws; done",
    "a variable that a function uses": f"f() {{ rm -rf $x; }}; x={HOME}; f",
    "by way of ..": f"rm -rf /tmp/../{HOME}/.aws",
    "by way of braces": "rm -rf /tmp/{a,../home/ec2-user/.aws}",
    "what a dot matches": "chmod 777 /tmp/.*",
    "by way of HOME": "HOME=/home/ec2-user; rm -rf ~/.aws",
    "the home moved": f"mv {HOME} /home/old; mkdir {HOME}",
    "the home renamed as ec2-user": f"sudo -u ec2-user mv {AWS} {AWS}2",
    "cp": f"cp /tmp/config {AWS}/config",
    "ln": f"ln -sfn /tmp/aws {AWS}",
    "rsync": f"rsync -a /tmp/aws/ {AWS}/",
    "tar": f"tar -xf /tmp/x.tar -C {HOME}",
    "sed -i": f"sed -i s/default/other/ {AWS}/config",
    "dd": f"dd if=/dev/null of={AWS}/config",
    "truncate": f"truncate -s 0 {AWS}/config",
    "install": f"install -m 644 /tmp/config {AWS}/config",
    "a redirection alone": f"> {AWS}/config",
    "tee": f"echo x | tee {AWS}/config",
    "unlink": f"unlink {AWS}/config",
    "mount": f"mount --bind /tmp/x {AWS}",
    "mount of a tmpfs": f"mount -t tmpfs none {HOME}",
    "chown through a link that the user may have made": f"chown ec2-user {HOME}/SageMaker/x",
    "chmod through such a link": f"chmod 777 {HOME}/SageMaker/x",
    "a write through such a link": f"echo x > {HOME}/SageMaker/x",
    "another file of clients": f"echo x > {HOME}/.boto",
    "another hosts file": "echo '10.0.0.1 sts.amazonaws.com' >> /etc/hosts",
    "another resolver": "echo 'nameserver 10.0.0.1' > /etc/resolv.conf",
    "the instance's name": "echo '{}' > /opt/ml/metadata/resource-metadata.json",
    "a mask that closes files": "umask 077",
    "IAM": "aws iam attach-role-policy --role-name x --policy-arn y",
    "another program": "terraform apply",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lines", UNKNOWN)
def test_what_is_not_known_to_be_harmless_is_undecided(scripts: dict[str, str], place: str, lines: str) -> None:
    assert verdict(scripts, place, UNKNOWN[lines]) == ("unknown", ["script-undecided"])


# The finding, and whether it counts in profile mode too.
OPENINGS = {
    "echo 'ec2-user ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/ec2-user": ("sudoers", True),
    "echo 'ec2-user ALL=(ALL) NOPASSWD:ALL' | sudo tee -a /etc/sudoers": ("sudoers", True),
    "if true; then echo 'ec2-user ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/x && chmod 440 /etc/sudoers.d/x; fi": ("sudoers", True),
    "sed -i s/x/y/ /etc/sudoers": ("sudoers", True),
    "cp /tmp/x /etc/sudoers.d/x": ("sudoers", True),
    "usermod -aG docker ec2-user": ("root-group", True),
    "usermod -a -G wheel ec2-user": ("root-group", True),
    "gpasswd -a ec2-user sudo": ("root-group", True),
    "/usr/sbin/adduser ec2-user docker": ("root-group", True),
    "sudo usermod -aG docker ec2-user": ("root-group", True),
    "echo 'docker:x:990:ec2-user' >> /etc/group": ("root-group", True),
    "echo 'ec2-user:x' | chpasswd": ("root-group", True),
    "chmod u+s /bin/bash": ("setuid", True),
    "chmod 4755 /bin/bash": ("setuid", True),
    "chmod -v 06755 /tmp/sh": ("setuid", True),
    "chmod ug=rwxs /tmp/sh": ("setuid", True),
    "setcap cap_sys_admin+ep /usr/bin/python3": ("setuid", True),
    "install -m 4755 /bin/bash /tmp/sh": ("setuid", True),
    "pkill -f imds-proxy": ("proxy", False),
    "pkill python3": ("proxy", False),
    "kill $(cat /run/notebook-attribution.pid)": ("script-undecided", False),
    "systemctl stop notebook-attribution": ("proxy", False),
    "systemctl disable --now notebook-attribution.service": ("proxy", False),
    "rm -rf /usr/local/lib/notebook-attribution": ("proxy", False),
    "echo > /usr/local/lib/notebook-attribution/imds-proxy.py": ("proxy", False),
    "iptables -F": ("firewall", False),
    "iptables -t nat -F": ("firewall", False),
    "ip6tables -P OUTPUT ACCEPT": ("firewall", False),
    "nft flush ruleset": ("firewall", False),
    "ip rule add to 169.254.169.254 table 100": ("firewall", False),
    "ip route add 169.254.169.254 dev eth0": ("firewall", False),
    "ip -4 addr del 169.254.255.254/32 dev lo": ("firewall", False),
    "systemctl start nftables": ("firewall", False),
    "systemctl restart firewalld": ("firewall", False),
    "service iptables restart": ("firewall", False),
    "sysctl -w net.ipv4.conf.all.route_localnet=1": ("firewall", False),
    "echo 1 > /proc/sys/net/ipv4/ip_forward": ("firewall", False),
    "if [ -x /sbin/iptables ]; then iptables -F; fi": ("firewall", False),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lines", OPENINGS)
def test_what_opens_the_instance_is_a_finding_of_its_own(scripts: dict[str, str], place: str, lines: str) -> None:
    code, is_anywhere = OPENINGS[lines]
    expected = "weak" if (is_anywhere or place == "imds") and code != "script-undecided" else "unknown"
    found, codes = verdict(scripts, place, lines)
    assert (found, {*codes}) == (expected, {code})


def test_all_that_opens_the_instance_is_said_behind_what_is_not_known(scripts: dict[str, str]) -> None:
    lines = "/opt/agent\nusermod -aG docker ec2-user\niptables -F\n"
    assert verdict(scripts, "imds", lines) == ("unknown", ["script-undecided", "root-group", "firewall"])


@pytest.mark.parametrize(
    "lines", [f"chattr -i {AWS}/config", f"chattr -R -i {AWS}", f"chattr -f -i {AWS} {AWS}/credentials"]
)
def test_a_lock_that_is_taken_off_is_none(scripts: dict[str, str], lines: str) -> None:
    assert verdict(scripts, "recipe", lines) == ("weak", ["not-locked"])
    for place in ("profile", "imds"):
        assert verdict(scripts, place, lines) == ("unknown", ["script-undecided"])
    assert verdict(scripts, "recipe", f"if true; then {lines}; fi") == ("unknown", ["script-undecided"])


HARMLESS = {
    "a command that tests": "test -f /etc/x && echo yes",
    "a comment that links": "# see https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-lifecycle-config.html\necho hello",
    "a comment that names commands": "# chattr -i ~/.aws/config; iptables -F; docker pull public.ecr.aws/x\n:",
    "a comment behind a command": "echo hello # eval, sudoers, public.ecr.aws",
    "a text that names commands": "echo 'chattr -i ~/.aws/config; rm -rf /' \"$(date)\"",
    "a here-document of text": "cat > /tmp/readme <<EOF\nrm -rf ~/.aws at $(date)\nEOF",
    "conditions": "if [ -d /opt/x ]; then echo yes; elif [[ $x == y* ]]; then :; else echo no; fi",
    "loops": "for env in /home/ec2-user/anaconda3/envs/*; do echo \"$(basename $env)\"; done\nwhile false; do sleep 1; done",
    "case": "case \"$x\" in a|b) echo a;; *) echo b;; esac",
    "a function": "log() { echo \"$(date): $1\" >> /var/log/setup.log; }\nlog 'begun'",
    "arithmetic": "n=3; for ((i = 0; i < n; i++)); do echo $((i * 2)); done; [[ $n -gt 2 ]] && echo more; [ \"$(date +%s)\" -gt 1 ] && :",
    "a subshell": "(cd /tmp && ls)",
    "variables": "IDLE_TIME=3600\nnames=(a b)\ncount=$((IDLE_TIME / 60))\nexport TZ=UTC",
    "options of the shell": "set -euxo pipefail",
    "an exit": "[ -f /etc/x ] || exit 0",
    "packages": "yum install -y -q htop tmux\npip install --upgrade pandas==2.2.1 'scikit-learn>=1.4'",
    "packages as ec2-user": "sudo -u ec2-user -i <<'EOF'\nsource /home/ec2-user/anaconda3/bin/activate python3\n"
    "pip install --quiet pandas\nsource /home/ec2-user/anaconda3/bin/deactivate\nEOF",
    "packages of the user's list": "sudo -u ec2-user -i <<'EOF'\npip install -r ~/SageMaker/requirements.txt\nEOF",
    "conda": "su - ec2-user -c 'conda install -y -n python3 -c conda-forge xgboost'",
    "jupyter": "sudo -u ec2-user -i <<EOF\njupyter labextension install @jupyterlab/git\nEOF\nsystemctl restart jupyter-server",
    "a repository of the user's": "sudo -u ec2-user bash -c 'cd ~/SageMaker\ngit clone https://github.com/aws/x x'",
    "a download": "curl -fsSL https://example.com/data.csv -o /tmp/data.csv\nwget -q https://example.com/x -O /tmp/x",
    "files elsewhere": "mkdir -p /tmp/work /home/ec2-user/SageMaker/data\ntouch /tmp/x\nrm -rf /tmp/work /tmp/*.log\ncp /etc/hosts /tmp/hosts",
    "the volume given to ec2-user": "chown -R ec2-user:ec2-user /home/ec2-user/SageMaker",
    "settings": f"echo 'export TZ=Europe/Berlin' >> {ENV}\necho 'export LANG=C.UTF-8' | tee -a {ENV} > /dev/null",
    "questions": "aws sts get-caller-identity\naws sagemaker describe-notebook-instance --notebook-instance-name x\naws s3 cp s3://b/k /tmp/k",
    "what is seen of the instance": "iptables -S\nip addr show\nsystemctl status jupyter-server --no-pager\nps aux | grep python",
    "a pipe": "ps aux | grep jupyter | awk '{print $2}' | sort -n | head -n 1 > /tmp/pid",
    "sudo": "sudo yum install -y jq\nsudo -n ls /root",
    "a log": "exec > /var/log/extra.log 2>&1\necho begun",
    "nohup": "nohup sleep 60 > /dev/null 2>&1 &",
    "the PATH that the module's script sets": "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nls",
    "a PATH that goes on behind the one before": 'PATH="$PATH:/usr/local/bin"; export PATH\nPATH=/sbin:${PATH} ls\nenv PATH=/usr/local/bin:/usr/bin:/usr/sbin ls',
    "a job that stops an idle notebook instance": f"curl -fsS -o {AUTO_STOP} {AUTO_STOP_URL}\n"
    f"echo '*/5 * * * * root AWS_DEFAULT_REGION=eu-west-1 /usr/bin/python3 {AUTO_STOP} --time 3600 >> /var/log/auto-stop.log' > /etc/cron.d/auto-stop",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lines", HARMLESS)
def test_what_is_known_to_be_harmless_is_fine(scripts: dict[str, str], place: str, lines: str) -> None:
    assert verdict(scripts, place, HARMLESS[lines]) == (FINE[place], [])


def test_a_script_in_another_language_is_undecided(scripts: dict[str, str]) -> None:
    for place in ("profile", "imds"):
        assert verdict(scripts, place, "#!/usr/bin/python3\nprint()") == ("unknown", ["script-undecided"])
        assert verdict(scripts, place, "#!/usr/bin/env bash\necho") == (FINE[place], [])


@pytest.mark.parametrize(
    "lines", ['x=\'eval "$x"; eval "$x"\'\neval "$x"', "(" * 3000 + ")" * 3000, "x=x\n" + "x=$x$x\n" * 500]
)
def test_a_script_that_is_made_to_take_long_takes_no_time(scripts: dict[str, str], lines: str) -> None:
    assert verdict(scripts, "profile", lines)[0] in ("unknown", "attributed")


# What docs/operations.md advises


OPERATIONS = (CHECKOUT / "docs/operations.md").read_text()
AS_THE_NOTEBOOK = dict(re.findall(r"^\| `(profile|imds)` \| `(\S+)` \|$", OPERATIONS, re.MULTILINE))
(JOB,) = re.findall(r"^    (set -e\n    curl .*\n    echo .*)$", OPERATIONS, re.MULTILINE)


@pytest.mark.parametrize("mode", ["profile", "imds"])
@pytest.mark.parametrize(
    "form", ["export {}\naws s3 ls s3://bucket", "{} aws s3 ls", "env {} aws s3 ls", JOB.replace("\n    ", "\n")]
)
def test_the_advised_settings_are_fine_in_their_own_mode(scripts: dict[str, str], mode: str, form: str) -> None:
    other = {"profile": "imds", "imds": "profile"}[mode]
    of_job = AS_THE_NOTEBOOK["imds"]  # as the document shows it
    own = form.replace("{}", AS_THE_NOTEBOOK[mode]).replace(of_job, AS_THE_NOTEBOOK[mode])
    assert verdict(scripts, mode, own) == (FINE[mode], [])
    # In imds mode the config is the user's, and root would run what it names; the recipe's isn't written yet.
    of_other = own.replace(AS_THE_NOTEBOOK[mode], AS_THE_NOTEBOOK[other])
    assert verdict(scripts, mode, of_other) == ("unknown", ["script-undecided"])
    assert verdict(scripts, "recipe", own) == ("unknown", ["script-undecided"])


def test_what_is_fetched_and_run_is_undecided_with_them_too(scripts: dict[str, str]) -> None:
    fetch = f"export {AS_THE_NOTEBOOK['profile']}\naws s3 cp s3://bucket/setup.sh - | bash"
    assert verdict(scripts, "profile", fetch) == ("unknown", ["script-undecided"])
