"""Lines of shell that may stand in a script of the owner's, good and bad, for Hypothesis to draw.

They are made of what undoes attribution and of what doesn't, in each form in which a shell runs a command.
"""

from __future__ import annotations

import shlex

from hypothesis import strategies as st

HOME = "/home/ec2-user"
ENV = "/etc/profile.d/jupyter-env.sh"

_PATHS = (
    f"{HOME}/.aws", f"{HOME}/.aws/config", f"{HOME}/.aws/credentials", f"{HOME}/.a*", HOME, f"{HOME}/SageMaker", f"{HOME}/SageMaker/x",
    "~/.aws/config", "~ec2-user/.aws", ".aws", ".aws/config", "config", "$x", "$HOME/.aws/config", '"$x/config"', "$d/.aws", ENV,
    "/etc/profile.d/x.sh", f"{HOME}/.bashrc", f"{HOME}/.profile", "/tmp/x", "/tmp/y", "/tmp/*", "/tmp/{x,y}", "/tmp/../home/ec2-user/.aws",
    "/var/log/x", "/root/.aws/config", "/etc/hosts", "/dev/null", '"/tmp/a b"', r"/tmp/a\ b", "/home/ec2-user/.aw[s]",
    "/home/ec2-user/{.aws,x}", "/etc/sudoers.d/x", "/etc/environment", f"{HOME}/SageMaker/../.aws/config", "/home/./ec2-user//.aws",
)  # fmt: skip
_TEXTS = (
    "'export AWS_PROFILE=analytics'", "'export AWS_CONFIG_FILE=/dev/null'", "'export TZ=UTC'", "hello", "'[default]'", '"$x"', '"$(date)"',
    "'rm -rf /home/ec2-user/.aws'", "-n 'role_session_name = other'", "'[profile analytics]'", "'ec2-user ALL=(ALL) NOPASSWD:ALL'",
    "'a # b'", "a#b # c", r"a\ \#b", "'it'\\''s'", "{a,b}", "$((1 + 1))", "-e 'a\\nb'",
)  # fmt: skip

paths = st.sampled_from(_PATHS)
texts = st.sampled_from(_TEXTS)

# Each of these, run by root, changes whose the calls are.
_UNDOING = (
    f"echo 'export AWS_PROFILE=analytics' >> {ENV}",
    "echo 'export AWS_CONFIG_FILE=/dev/null' > /etc/profile.d/x.sh",
    f"printf '%s\\n' 'export AWS_PROFILE=analytics' | tee -a {ENV} > /dev/null",
    f"cat >> {ENV} <<EOF\nexport AWS_PROFILE=analytics\nEOF",
    f"echo 'export AWS_PROFILE=analytics' > {HOME}/.profile",
    f"echo 'export AWS_PROFILE=analytics' > {HOME}/.bash_profile",
    f"chattr -R -i {HOME}/.a*; rm -rf {HOME}/.a*",
    f"cd {HOME}; chattr -R -i .a*; rm -rf .a*",
    f"x={HOME}/.aws; chattr -R -i $x; echo '[default]' > $x/config",
    f"find {HOME} -name config -exec chattr -i {{}} +; chattr -i {HOME}/.aws; find {HOME}/.aws -delete",
    "echo 'ec2-user ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/x",
    "usermod -aG root ec2-user",
    "iptables -F; iptables -t nat -F; ip6tables -F; ip6tables -t nat -F; nft flush ruleset",
    "pkill -f imds-proxy",
    f"printf '#!/bin/sh\nchattr -R -i {HOME}/.aws; rm -rf {HOME}/.aws\n' > /tmp/ls; chmod 755 /tmp/ls; export PATH=/tmp:$PATH; ls",
    f"export AWS_CONFIG_FILE={HOME}/.aws/config; aws configure set role_session_name other",
    f"AWS_CONFIG_FILE={HOME}/.aws/config AWS_SHARED_CREDENTIALS_FILE={HOME}/.aws/credentials aws configure set aws_access_key_id x",
    f"echo '* * * * * root chattr -R -i {HOME}/.aws' > /etc/cron.d/x",
)  # fmt: skip
_ASSIGNED = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 'PATH="$PATH:/usr/local/bin"', "PATH=/sbin:/bin:${PATH}",
    f"PATH={HOME}/anaconda3/bin:$PATH", "PATH=/tmp:$PATH", "PATH=$x:$PATH", "PATH=/usr/bin", "PATH=",
    f"AWS_CONFIG_FILE={HOME}/.aws/config", "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.255.254:254",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1", "TZ=UTC",
)  # fmt: skip
_JOBS = (
    "*/5 * * * * root AWS_DEFAULT_REGION=us-east-1 /usr/bin/python3 /usr/local/sbin/autostop.py --time 3600",
    f"*/5 * * * * root AWS_CONFIG_FILE={HOME}/.aws/config /usr/bin/python3 -I /usr/local/sbin/autostop.py --time 3600",
    "* * * * * root /usr/bin/python3 /tmp/x", "# nothing", "* * * * * ec2-user rm -rf .aws", "PATH=/tmp",
)  # fmt: skip

_ANY = st.one_of(
    st.builds("rm -rf {}".format, paths),
    st.builds("rm {} {}".format, paths, paths),
    st.builds("mv {} {}".format, paths, paths),
    st.builds("cp {} {}".format, paths, paths),
    st.builds("ln -sfn {} {}".format, paths, paths),
    st.builds("mkdir -p {}".format, paths),
    st.builds("touch {}".format, paths),
    st.builds("truncate -s 0 {}".format, paths),
    st.builds("echo {}".format, texts),
    st.builds("echo {} > {}".format, texts, paths),
    st.builds("echo {} >> {}".format, texts, paths),
    st.builds("echo {} | tee -a {} > /dev/null".format, texts, paths),
    st.builds("printf '%s\\n' {} >> {}".format, texts, paths),
    st.builds("cat {} > {}".format, paths, paths),
    st.builds("cat > {} <<EOF\n{}\nEOF".format, paths, texts),
    st.builds("cat <<-'EOF' >> {}\n\t{}\n\tEOF".format, paths, texts),
    st.builds("> {}".format, paths),
    st.builds("sed -i s/default/other/ {}".format, paths),
    st.builds("sed -n 's/default/other/p' {}".format, paths),
    st.builds("grep -q x {}".format, paths),
    st.builds("chattr {} {}".format, st.sampled_from(["-i", "-R -i", "+i", "-f -i"]), paths),
    st.builds("chmod {} {}".format, st.sampled_from(["644", "755", "600", "000", "777", "a+r", "-R 777", "4755"]), paths),
    st.builds("chown {} {}".format, st.sampled_from(["root", "ec2-user:ec2-user", "-R ec2-user", "-h ec2-user", "-R -L ec2-user"]), paths),
    st.builds("cd {}".format, paths),
    st.builds("x={}".format, paths),
    st.builds("d={}".format, st.sampled_from([HOME, "/tmp"])),
    st.builds("export {}=x".format, st.sampled_from(["AWS_PROFILE", "AWS_CONFIG_FILE", "LANG", "x", "HOME"])),
    st.builds("export {}".format, st.sampled_from(_ASSIGNED)),
    st.sampled_from(_ASSIGNED),
    st.builds("{} {}".format, st.sampled_from(_ASSIGNED), st.sampled_from(["ls", "aws configure set region us-east-1", "env TZ=UTC id", "f"])),
    st.builds("env {} ls".format, st.sampled_from(_ASSIGNED)),
    st.builds("echo '{}' {} {}".format, st.sampled_from(_JOBS), st.sampled_from([">", ">>"]), st.sampled_from(["/etc/cron.d/x", "/etc/cron.d/../x", "/etc/crontab"])),
    st.builds("aws configure set {}".format, st.sampled_from(["region us-east-1", "role_session_name other", "default.role_arn x"])),
    st.builds("usermod -aG {} ec2-user".format, st.sampled_from(["root", "users"])),
    st.builds("ls {} | xargs rm -rf".format, paths),
    st.builds("find {} -delete".format, paths),
    st.builds("umask {}".format, st.sampled_from(["077", "022"])),
    st.sampled_from(["set +e", "set -a", "true", "false", "[ -e /etc/x ] && exit 0", "iptables -F", "pkill -f imds-proxy", "wait"]),
    st.sampled_from(["echo $x", 'echo "$x" > /tmp/x', "f() { rm -rf $x; }", "f", "f /tmp/x", "read -r x < /tmp/x", "unset x", "IFS=/"]),
)  # fmt: skip

_COMMANDS = st.integers(0, 2).flatmap(lambda which: _ANY if which else st.sampled_from(_UNDOING))


def _in_form(command: str, form: int, other: str) -> str:
    one_line = command if "<<" not in command else "true"
    quoted = shlex.quote(command)
    return [
        f"if [ -e /etc/hosts ]; then\n{command}\nfi",
        f"if false; then :; else\n{command}\nfi",
        f"(\n{command}\n)",
        f"{{\n{command}\n}}",
        f"for x in {other}; do\n{command}\ndone",
        f"f() {{\n{command}\n}}\nf",
        f"true && {one_line}",
        f"false || {one_line}",
        f"{one_line} & wait",
        f"eval {quoted}",
        f"bash -c {quoted}",
        f"sudo -u ec2-user bash -c {quoted}",
        f"su - ec2-user -c {quoted}",
        f"bash <<'EOS'\n{command}\nEOS",
        f"sudo -u ec2-user -i <<'EOS'\n{command}\nEOS",
        f"echo {quoted} | bash",
        f"y=$(\n{command}\n)",
        f"echo `{one_line}`" if "`" not in command and "\\" not in command else command,
        f"while true; do\n{command}\nbreak\ndone",
        f"case x in\n*)\n{command}\n;;\nesac",
        f"echo x; {one_line}; echo y",
        f"echo $x\n\\{one_line}",
        f"echo a \\\n b; {one_line}",
        f"# {one_line}\n{command}",
        f"echo 'x\n{command.replace(chr(39), '')}'",
        f"cat <<'EOS' > /dev/null\n{command}\nEOS",
        f"! {one_line}",
        f"time {one_line}",
        f"nohup {one_line}",
        f"command {one_line}",
        f"z=1 y=2\n{command}",
        f"cat << EOS | bash\n{command}\nEOS",
        f"g=(a b)\n{command}",
        f"[[ -e /etc/hosts ]] && {one_line} || true",
        f"(( 1 )) && {one_line}",
        f"while read -r x; do\n{command}\ndone <<< {other}",
    ][form]


_FORMS = 36
lines = st.one_of(_COMMANDS, st.builds(_in_form, _COMMANDS, st.integers(0, _FORMS - 1), paths))
"""A line, or a few that belong together."""
