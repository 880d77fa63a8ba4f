"""What a script can do that no list of commands shows: bash runs a text, an option's value counts, a config is read otherwise.

Each is followed without an instance around it: it is doubted, or not.
"""

from __future__ import annotations

import pytest
from rendered_scripts import LOCKED_RECIPE

from which_notebook.audit.script.recognise import recognise
from which_notebook.audit.script.shell import follow

ENV = "/etc/profile.d/jupyter-env.sh"
MODES = ("profile", "imds")


def doubts(lines: str, mode: str) -> list[str]:
    return follow(f"{lines}\n", mode=mode).doubts


HARMLESS = {
    "a long option with its value behind it": "curl --retry 3 https://example.com/x\ncurl --max-time 5 -o /tmp/x https://example.com/x",
    "… of aws": "aws s3 cp s3://b/k /tmp/k --region eu-west-1",
    "… of git": "sudo -u ec2-user bash -c 'cd ~/SageMaker\ngit clone --depth 1 https://github.com/aws/x x'",
    "settings of startup files": f"echo '# the time zone: UTC' >> {ENV}\necho 'export TZ=\"UTC\"' >> {ENV}\nprintf 'export LANG=C\\n' >> {ENV}",
    "what is read": "read -r line < /etc/hosts\nread -rs -a words < /etc/hosts\nread -p line line < /dev/null",
    "arithmetic with numbers": "n=3\nfor ((i = 0; i < n; i++)); do echo $((i * n)); done\n[[ $# -gt 0 ]] && :\nwhile (( n > 0 )); do n=$((n - 1)); done\n"
    "age=$(( $(date +%s) - 5 ))",
    "what only reads variables": 'x=a.b; y=(a b); echo ${x} ${#x} ${x:0:3} ${x%.*} ${x##*/} ${x//a/b} ${z:-none} ${z:+$x} ${y[@]} ${y[0]} ${#y[@]} "$@" ${1:-x} ${x^^}',
    "tests": '[ "$1" = x ] || [ -n "$1" ] || [ -z "$1" -a "$x" != y ]',
    "a wait": "sleep 5; sleep 240; sleep 0.5; sleep 10s; tail -n 5 /tmp/x; tail -n+2 /tmp/x; tail -5 /tmp/x; ps aux | tail -n 3",
    "downloads": "curl -s 'https://example.com:8443/x?y=1' -o /tmp/x; curl -fsSL example.com -o /tmp/y; cat /proc/cpuinfo /proc/meminfo",
    "… of conda": "conda create --name x -y pandas",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", HARMLESS)
def test_what_is_harmless_is_not_doubted(lines: str, mode: str) -> None:
    assert doubts(HARMLESS[lines], mode) == []


NAMES_OF_CURL = {
    "a part of the address in a name": "curl -o '/tmp/#1' 'https://example.com/{a,../home/ec2-user/.aws/config}'",
    "… with letters together": "curl -fsSo '/tmp/#1' https://example.com/x",
    "several addresses": "curl -o /tmp/x 'https://example.com/[1-3]'",
    "options that a variable brings": "x='x -o /home/ec2-user/.aws/config'\ncurl https://example.com/$x",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", NAMES_OF_CURL)
def test_a_name_that_curl_puts_together_is_doubted(lines: str, mode: str) -> None:
    assert doubts(NAMES_OF_CURL[lines], mode)


STARTUP_FILES = {
    "a quote that a comment ends": f"cat >> {ENV} <<'EOF'\nexport LANG=\"en\nexport TZ=UTC\n# \"; export AWS_CONFIG_FILE=/dev/null #\nEOF",
    "a quote left open": f"echo 'export LANG=\"en' >> {ENV}",
    "a quote that begins nowhere": f"echo 'export LANG=en\"' >> {ENV}",
    "a comment behind a line without an end": f"echo -n 'export LANG=C' >> {ENV}\necho '# x; export AWS_CONFIG_FILE=/dev/null' >> {ENV}",
    "a line without an end": f"echo -n 'export LANG=C' >> {ENV}",
    "a job without an end": "echo -n '# x' >> /etc/cron.d/x",
    "a comment with commands in it": f"echo '# $(id)' >> {ENV}",
    "what a negated command passes on": f"! printf '%s\\n' 'export AWS_PROFILE=x' | tee -a {ENV} > /dev/null",
    "what declare prints": f"x=1; declare -p x | tee -a {ENV} > /dev/null",
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", STARTUP_FILES)
def test_lines_that_join_in_a_startup_file_are_doubted(lines: str, mode: str) -> None:
    assert doubts(STARTUP_FILES[lines], mode)


READ = (
    "read -aPATH <<< x",
    "read -raPATH <<< x",
    "read -p x -aBASH_ENV",
    "read -r -- x",
    "read -t5 x",
    "read -uPATH x",
)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", READ)
def test_a_name_that_is_part_of_an_option_of_read_is_doubted(lines: str, mode: str) -> None:
    assert doubts(lines, mode)


TEXT = "x='a[$(touch /tmp/ran)]'; "
RUN_AS_COMMANDS = (
    "x='-v a[$(id)]'; [ $x ]", "x='-v a[$(id)] -o b'; [ $x = a ]", "[ $(cat /tmp/x) = a ]", "f() { [ $1 ]; }; f x",
    "x='$(id)'; echo \"${x@P}\"", "x='$(id)'; case ${x@P} in *) ;; esac", 'y=${x@A}', 'echo "${z:-${x@P}}"', "echo ${z//a/${x@P}}",
    *(TEXT + each for each in (
        "case $((x)) in *) :;; esac", "for i in $((x)); do :; done", "for i in ${!x}; do :; done", "arr=( $((x)) )",
        "arr=( [x]=1 )", "arr=([x]=1)", 'case "${!x}" in *) :;; esac', '[ "${!x}" = 1 ]', "[ $((x)) = 1 ]",
        "[[ $((x)) = 1 ]]", "[[ ${!x} = 1 ]]", "[[ ${PWD:x} = 1 ]]", "echo ${PWD:x:1}", "echo ${PWD:0:x}", "echo $[x]", '"echo $[x]"',
        "for ((i = 0; i < x; i++)); do :; done", "for ((i = x; i < 1; i++)); do :; done", 'y="${z:-$((x))}"', 'y="${z//a/$((x))}"',
        "f() { echo $((x)); }; f", "f() { local z=$((x)); }; f", "cat <<E\n$((x))\nE", "[[ a -nt b || x -eq 0 ]]",
        "if true; then for j in 1 $((x)); do :; done; fi", "(echo $((x)))", "echo ${list[x]}",
    )),
    "f() { case $(($1)) in *) ;; esac; }; f x", "f() { echo $(($1)); }; f x", "f() { [[ $1 -gt 1 ]]; }; f x", "echo $(($1))",
    "n=3; while true; do echo $((n)); n=$(cat /tmp/x); break; done", "for i in 1 2; do echo $((n)); read -r n; done",
    "echo $(( $(cat /tmp/x) + 1 ))", "[[ $(cat /tmp/x) -gt 1 ]]", "[[ 'a[$(id)]' -gt 1 ]]", "(( a[$(id)] ))",
    "echo ${y:=/../P}", "y=; case ${y:=/../P} in *) ;; esac; touch /tmp/x$y", "for i in ${y=a}; do :; done", 'z="${z:-${y:=a}}"',
    'f() { [ "$1" "$2" ]; }; f -v x', 'f() { test -n x -a "$1" "$2"; }; f -v x', 'f() { printf "$1" PATH /tmp; }; f -v',
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", RUN_AS_COMMANDS)
def test_what_may_run_a_text_or_set_a_variable_is_doubted(lines: str, mode: str) -> None:
    assert doubts(lines, mode)


ENDLESS = (
    "sleep 900", "sleep 241", "sleep 5m", "sleep infinity", "sleep 200 200", 'sleep "$1"', "nohup sleep 900", "tail -f /dev/null",
    "tail -F /tmp/x", "tail --follow /tmp/x", "tail -fn1 /tmp/x", "while true; do sleep 1; done", "while :\ndo\nsleep 1; done",
    "until false; do sleep 1; done", "while [ 1 ]; do sleep 1; done", "while (( 1 )); do :; done", "for ((;;)); do :; done",
    "mkdir -p /usr/local/lib/notebook-attribution/imds-proxy.py", "mkdir /usr/local/lib/notebook-attribution",
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", ENDLESS)
def test_what_keeps_an_instance_from_starting_is_doubted(lines: str, mode: str) -> None:
    assert follow(lines + "\n", mode=mode).doubts


@pytest.mark.parametrize("folder", ["/home/ec2-user", "/home/ec2-user/.aws", "~ec2-user"])
def test_an_owner_of_what_is_locked_is_doubted(folder: str) -> None:
    lines = f"chown -R ec2-user:ec2-user {folder}"
    assert doubts(lines, "profile")
    assert recognise(f"{LOCKED_RECIPE}{lines}\n").kind == "undecided"
    assert not doubts(lines, "imds")
    assert recognise(LOCKED_RECIPE.replace("\nchattr", f"\n{lines}\nchattr")).kind == "recipe"


CREDENTIALS = (
    "curl -s http://169.254.169.254/latest/meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole -o /tmp/creds; chmod 644 /tmp/creds",
    "a=169; curl -s http://$a.254.169.254/x -o /tmp/creds", "curl -s 'http://[fd00:ec2::254]/x' > /tmp/x", "curl -s http://2852039166/x > /tmp/x",
    "curl -s http://0xa9fea9fe/x > /tmp/x", "curl -s http://0xa9.0xfe.0xa9.0xfe/x > /tmp/x", "wget -q -O /tmp/x http://0xA9.0xFE.0xA9.0xFE/x", "curl -s http://0251.0376.0251.0376/x > /tmp/x", "wget -q -O /tmp/x http://169.254.169.254/x",
    "wget -q -O /tmp/x http://2852039166/x", 'f() { curl -s "http://$1/x" -o /tmp/x; }; f 169.254.169.254', "curl -s instance-data/x -o /tmp/x",
    "curl -s http://10.0.0.1/x > /tmp/x", "cp /proc/1/environ /tmp/x", "cat /proc/$(pgrep python3)/environ > /tmp/x", "cat < /proc/1/environ > /tmp/x",
    "tr '\\0' x < /proc/1/environ", 'for f in /proc/[0-9]*/environ; do cat "$f" > /tmp/x; done', "cp /proc/1/env* /tmp/x", "cp /pr*/1/env* /tmp/x",
    "cat /proc/self/task/1/environ", "x=/proc; cat $x/1/maps > /tmp/x",
)  # fmt: skip


@pytest.mark.parametrize("lines", CREDENTIALS)
def test_what_may_expose_the_base_sessions_credentials_is_doubted_in_imds_mode(lines: str) -> None:
    assert doubts(lines, "imds")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", ["curl --retry", "curl --retry ''", "aws s3 cp s3://b/k /tmp/k --region", "wget -O"])
def test_an_option_without_its_value_is_doubted(lines: str, mode: str) -> None:
    assert doubts(lines, mode)


def test_an_error_of_the_audits_own_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("which_notebook.audit.script.shell.commands.is_harmless", fails)
    assert doubts("curl https://example.com\nls", "imds") == [
        "it can't be followed, by a fault of the audit's own (IndexError)"
    ]


@pytest.mark.parametrize(
    "section",
    [
        "profile default",
        'profile "default"',
        "profile 'default'",
        "profile  default",
        "profile\tdefault",
        'profile def""ault',
        "plugins",
    ],
)
def test_another_default_profile_in_the_config_is_undecided(section: str) -> None:
    written = LOCKED_RECIPE.replace("\nCONFIG\n", f"\n[{section}]\nregion = eu-west-1\nCONFIG\n")
    assert written != LOCKED_RECIPE
    found = recognise(written)
    assert (found.kind, found.problem) == (
        "undecided",
        f"which profile clients use can't be told: the AWS config that its on-start script writes has [{section}]",
    )
    assert recognise(written.replace(f"[{section}]", "[profile other]")).kind == "recipe"


@pytest.mark.parametrize(
    ("seconds", "kind"), [("900", "recipe"), ("3600", "recipe"), ("3601", "none"), ("43200", "none"), ("x", "none")]
)
def test_a_session_longer_than_a_role_may_open_is_none(seconds: str, kind: str) -> None:
    written = LOCKED_RECIPE.replace("\nCONFIG\n", f"\nduration_seconds = {seconds}\nCONFIG\n")
    assert recognise(written).kind == kind
