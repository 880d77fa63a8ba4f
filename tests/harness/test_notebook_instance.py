"""The emulated notebook instance behaves as a real one, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulator.needs import needs_root as needs_root
from emulator.notebook_instance import NotebookInstance, NotRunningError
from harness.booting import AwsStandIn, Boot, aws_stand_in, booting
from waiting import until

pytestmark = pytest.mark.usefixtures("needs_root")

CREDENTIALS = "meta-data/iam/security-credentials/BaseNotebookInstanceEc2InstanceRole"


@pytest.fixture(scope="module")
def booted(aws: AwsStandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boot]:
    with booting(tmp_path_factory.mktemp("emulator"), aws, on_start="#!/bin/bash\necho from on-start\n") as boot:
        assert boot.finish() == {"event": "in-service"}
        yield boot


@pytest.fixture
def notebook(booted: Boot) -> NotebookInstance:
    return booted.instance


def metadata(notebook: NotebookInstance, path: str, address: str = "169.254.169.254") -> str:
    """Ask the metadata service as clients of version 2 do."""
    url = f"http://{address}/latest"
    script = f"""
        token=$(curl -sSf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' '{url}/api/token')
        curl -sSf -H "X-aws-ec2-metadata-token: $token" '{url}/{path}'
    """
    return notebook.run(["bash", "-c", script], check=True).stdout


class TestTheMachine:
    def test_commands_run_as_the_notebooks_user_without_root(self, notebook: NotebookInstance) -> None:
        answer = notebook.run(["bash", "-c", "id -un; pwd; echo ~; sudo -n id -un; su -c id; hostname"])
        lines = answer.stdout.splitlines()
        assert lines[:3] == ["ec2-user", "/home/ec2-user/SageMaker", "/home/ec2-user"]
        assert lines[3].startswith("ip-10-")
        assert len(lines) == 4

    def test_it_knows_its_own_name_and_arn(self, booted: Boot) -> None:
        path = "/opt/ml/metadata/resource-metadata.json"
        assert json.loads(booted.instance.run(["cat", path]).stdout) == {
            "ResourceArn": booted.arn,
            "ResourceName": "my-notebook",
        }
        assert booted.instance.run(["test", "-w", path]).returncode == 1

    def test_nothing_of_the_callers_environment_leaks(
        self, notebook: NotebookInstance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "leaked")
        monkeypatch.setenv("PYTHONPATH", "leaked")
        environment = notebook.run(["env"], env={"EXTRA": "a b"}).stdout
        assert "leaked" not in environment
        assert "EXTRA=a b\n" in environment

    def test_profile_d_reaches_the_users_commands(self, notebook: NotebookInstance) -> None:
        notebook.write("/etc/profile.d/test.sh", "export FROM_PROFILE=yes\n", owner="root")
        assert notebook.run(["printenv", "FROM_PROFILE"]).stdout == "yes\n"

    def test_immutable_files_hold_for_the_user(self, notebook: NotebookInstance) -> None:
        notebook.root("mkdir ~ec2-user/locked && echo a > ~ec2-user/locked/file && chown -R ec2-user: ~ec2-user/locked")
        notebook.root("chattr +i ~ec2-user/locked/file ~ec2-user/locked")
        for attempt in (
            "echo b > locked/file",
            "rm -f locked/file",
            "mv locked away",
            "touch locked/other",
            "chattr -i locked",
        ):
            assert notebook.run(["bash", "-c", f"cd && {attempt}"]).returncode != 0, attempt
        assert notebook.read("/home/ec2-user/locked/file") == "a\n"

    def test_the_users_home_can_be_filled(self, notebook: NotebookInstance) -> None:
        filled = notebook.run(["dd", "if=/dev/zero", "of=/home/ec2-user/filler", "bs=1M", "count=200"])
        notebook.run(["rm", "/home/ec2-user/filler"])
        assert "No space left on device" in filled.stderr

    def test_both_aws_clis_are_where_they_belong(self, notebook: NotebookInstance) -> None:
        assert notebook.run(["aws", "--version"]).stdout.startswith("aws-cli/1.")
        assert (
            notebook.run(["readlink", "-f", "/usr/bin/python3"]).stdout == os.path.realpath("/usr/bin/python3") + "\n"
        )
        if os.path.exists("/usr/bin/aws"):
            assert notebook.run(["/usr/bin/aws", "--version"]).stdout.startswith("aws-cli/2.")

    def test_processes_that_lost_their_parent_are_reaped(self, notebook: NotebookInstance) -> None:
        notebook.run(["bash", "-c", "for _ in 1 2 3; do (sleep 0.05 &); done; sleep 0.2"])
        assert "Z" not in notebook.run(["ps", "-A", "-o", "stat="]).stdout

    def test_a_command_can_leave_a_process_behind(self, notebook: NotebookInstance) -> None:
        notebook.root("sleep 3.14159 & disown")
        assert "sleep 3.14159" in notebook.run(["ps", "ax"]).stdout

    def test_what_the_imds_mode_left_running_stands_still_while_it_is_paused(self, notebook: NotebookInstance) -> None:
        notebook.write("/tmp/imds-mode", "#!/bin/bash\nwhile sleep 0.05; do echo again >>/tmp/counted; done\n")
        notebook.run(
            ["bash", "-c", "chmod +x /tmp/imds-mode; setsid /tmp/imds-mode </dev/null >/tmp/x 2>&1 &"], check=True
        )
        until(lambda: notebook.exists("/tmp/counted"), seconds=5)
        notebook.pause()
        counted = notebook.read("/tmp/counted")
        time.sleep(0.3)
        assert notebook.read("/tmp/counted") == counted
        notebook.resume()
        until(lambda: notebook.read("/tmp/counted") != counted, seconds=5)
        notebook.run(["pkill", "-x", "imds-mode"])

    def test_a_command_that_takes_too_long_is_ended(self, notebook: NotebookInstance) -> None:
        with pytest.raises(subprocess.TimeoutExpired):
            notebook.run(["sleep", "27.1828"], timeout=0.3)
        assert "sleep 27.1828" not in notebook.run(["ps", "ax"]).stdout

    @pytest.mark.parametrize("root_access", ["Enabled", "Disabled"])
    def test_sudo_is_for_those_with_root_access(self, aws: AwsStandIn, tmp_path: Path, root_access: str) -> None:
        with booting(tmp_path, aws, root_access=root_access) as boot:
            boot.finish()
            allowed = root_access == "Enabled" and shutil.which("sudo") is not None
            assert boot.instance.exists("/etc/sudoers.d/90-ec2-user") is allowed


class TestTheRealMachine:
    @pytest.mark.parametrize(
        "attempt",
        [
            "touch {clone}/written",
            "mount -o remount,rw {clone}",
            "umount {clone}",
            "mount -t tmpfs none /mnt",
            "mknod /tmp/disk b 8 0",
            "echo x > /proc/sys/kernel/hostname",
            "test -e {folder}/pid",
        ],
    )
    def test_root_on_the_instance_cant_touch_it(self, booted: Boot, attempt: str) -> None:
        clone = Path(__file__).parents[2]
        script = attempt.format(clone=clone, folder=booted.instance.folder)
        assert booted.instance.run(["bash", "-c", script], user="root").returncode != 0

    def test_not_even_the_tests_own_hand_reaches_it(self, booted: Boot) -> None:
        assert (
            booted.instance.root("mount -o remount,ro /home/ec2-user && mount -o remount,rw /home/ec2-user").returncode
            == 0
        )
        assert booted.instance.root(f"touch {Path(__file__).parents[2]}/written").returncode != 0

    def test_what_root_writes_stays_on_the_instance(self, notebook: NotebookInstance) -> None:
        assert notebook.root("echo written > /usr/emulated && rm /etc/debian_version").returncode == 0
        assert notebook.exists("/usr/emulated")
        assert not os.path.exists("/usr/emulated")
        assert os.path.exists("/etc/debian_version")

    def test_its_devices_are_the_instances_own(self, notebook: NotebookInstance) -> None:
        before = os.stat("/dev/full")
        assert notebook.root("chmod 0600 /dev/full && touch -d 2000-01-01 /dev/full").returncode == 0
        after = os.stat("/dev/full")
        assert (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)
        written = notebook.run(["bash", "-c", "echo x >/dev/null && head -c 4 /dev/urandom | wc -c"])
        assert written.stdout == "4\n", written.stderr

    def test_no_other_machine_is_reached(self, notebook: NotebookInstance, aws: AwsStandIn) -> None:
        for url in (aws.url, "http://192.0.2.1", "https://example.com"):
            assert notebook.run(["curl", "-sS", "--max-time", "0.5", url]).returncode != 0, url

    def test_another_instance_isnt_reached(self, aws: AwsStandIn, tmp_path: Path, notebook: NotebookInstance) -> None:
        with booting(tmp_path, aws, name="another") as other:
            other.finish()
            address = metadata(other.instance, "meta-data/local-ipv4")
            assert address != metadata(notebook, "meta-data/local-ipv4")
            assert notebook.run(["curl", "-sS", "--max-time", "0.5", f"http://{address}"]).returncode != 0
            assert notebook.run(["curl", "-sS", "--max-time", "0.5", f"http://{address}:443"]).returncode != 0


class TestAws:
    @pytest.mark.parametrize(
        "host", ["sts.eu-west-1.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"]
    )
    def test_its_real_names_lead_to_the_emulator(self, notebook: NotebookInstance, host: str) -> None:
        for scheme in ("https", "http"):
            answer = json.loads(notebook.run(["curl", "-sS", f"{scheme}://{host}/some/path?query"], check=True).stdout)
            assert (answer["host"], answer["path"]) == (host, "/some/path?query")

    def test_the_callers_address_tells_the_instance(self, notebook: NotebookInstance) -> None:
        seen = json.loads(notebook.run(["curl", "-sS", "https://sts.amazonaws.com"], check=True).stdout)["client"]
        own = metadata(notebook, "meta-data/local-ipv4")
        assert seen.removeprefix("127.") == own.removeprefix("10.")
        assert not seen.startswith("127.0.0.")

    @pytest.mark.parametrize("name", ["example.com", "amazonaws.com.example.org", "notamazonaws.com"])
    def test_no_other_name_exists(self, notebook: NotebookInstance, name: str) -> None:
        assert notebook.run(["getent", "hosts", name]).returncode == 2


class TestTheMetadataService:
    def test_credentials_are_those_of_the_base_session(self, notebook: NotebookInstance, aws: AwsStandIn) -> None:
        assert metadata(notebook, "meta-data/iam/security-credentials/") == "BaseNotebookInstanceEc2InstanceRole"
        opened = aws.base_sessions
        first, second = (json.loads(metadata(notebook, CREDENTIALS)) for _ in range(2))
        assert first == second
        assert (first["Code"], first["Type"], first["AccessKeyId"]) == ("Success", "AWS-HMAC", "ASIAEXAMPLE")
        assert aws.base_sessions == opened, "kept until half way to its end"

    def test_it_answers_over_ipv6_too(self, notebook: NotebookInstance) -> None:
        assert metadata(notebook, "meta-data/placement/region", "[fd00:ec2::254]") == "eu-west-1"

    @pytest.mark.parametrize(("version", "status"), [("1", "200"), ("2", "401")])
    def test_version_1_is_answered_only_where_allowed(
        self, aws: AwsStandIn, tmp_path: Path, version: str, status: str
    ) -> None:
        with booting(tmp_path, aws, minimum_instance_metadata_service_version=version) as boot:
            boot.finish()
            url = "http://169.254.169.254/latest/meta-data/instance-id"
            assert boot.instance.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url]).stdout == status

    def test_a_role_that_refuses_sagemaker_gives_no_credentials(self, tmp_path: Path) -> None:
        with aws_stand_in() as refusing:
            refusing.base_session = (403, {"message": "not authorized to perform: sts:AssumeRole"})
            with booting(tmp_path, refusing) as boot:
                boot.finish()
                answer = json.loads(metadata(boot.instance, CREDENTIALS))
                assert answer["Code"] == "AssumeRoleUnauthorizedAccess"
                assert "AccessKeyId" not in answer


class TestBooting:
    def test_the_scripts_run_as_root_in_their_order(self, aws: AwsStandIn, tmp_path: Path) -> None:
        on_create = "#!/bin/bash\nid -un; pwd; echo created > /tmp/order\n"
        on_start = "#!/bin/bash\necho started >> /tmp/order; cat /tmp/order; env | grep -v /etc/pki/ | cut -d= -f1 | sort | xargs\n"
        with booting(tmp_path, aws, on_create=on_create, on_start=on_start) as boot:
            assert boot.next_event() == {"event": "running", "pid": boot.instance.pid}
            assert boot.next_event() == {"event": "in-service"}
            created = (boot.instance.folder / "LifecycleConfigOnCreate.log").read_text()
            assert created == "root\n/\n"
            assert boot.instance.boot_log.startswith("created\nstarted\n")
            assert boot.instance.boot_log.splitlines()[2] == "HOME PATH PWD SHLVL _"

    def test_what_a_script_leaves_running_goes_on(self, aws: AwsStandIn, tmp_path: Path) -> None:
        script = "#!/bin/bash\n(sleep 0.2; echo later; sleep 60) &\necho done\n"
        with booting(tmp_path, aws, on_start=script) as boot:
            assert boot.finish() == {"event": "in-service"}
            end = time.monotonic() + 20
            while boot.instance.boot_log != "done\nlater\n":
                assert time.monotonic() < end, boot.instance.boot_log
                time.sleep(0.05)
            assert "sleep" in boot.instance.run(["ps", "ax"]).stdout

    @pytest.mark.parametrize(
        ("script", "log"),
        [
            ("#!/bin/bash\necho about to fail\nexit 3\n", "about to fail"),
            ("#!/bin/bash\r\necho never\r\n", "/tmp/OnStart_"),  # and that its interpreter isn't found, in bash's words
            ("#!/bin/bash\nkill -9 $$\n", ""),
        ],
        ids=["exit status", "CRLF", "killed"],
    )
    def test_a_failing_script_fails_the_start(self, aws: AwsStandIn, tmp_path: Path, script: str, log: str) -> None:
        with booting(tmp_path, aws, on_start=script) as boot:
            event = boot.finish()
            assert event["event"] == "failed"
            assert event["reason"].startswith(
                f"Notebook Instance Lifecycle Config 'arn:lifecycle-config' for Notebook Instance '{boot.arn}'"
            )
            assert boot.process.wait(5) == 1
            assert log in boot.instance.boot_log
            with pytest.raises(NotRunningError):
                boot.instance.run(["true"])

    def test_a_script_over_its_time_fails_the_start(self, aws: AwsStandIn, tmp_path: Path) -> None:
        limit = {"EMULATOR_SCRIPT_SECONDS": "0.3"}
        with booting(tmp_path, aws, environment=limit, on_start="#!/bin/bash\necho slow\nsleep 60\n") as boot:
            event = boot.finish()
            assert event["event"] == "failed"
            assert "took longer than 5 minutes" in event["reason"]
            assert boot.instance.boot_log == "slow\n"

    def test_on_start_can_be_run_once_more(self, notebook: NotebookInstance) -> None:
        again = notebook.run_on_start(env={"FAULT": "1"}, script='#!/bin/bash\necho "$FAULT $PWD $HOME"; exit 4\n')
        assert (again.returncode, again.stdout) == (4, "1 / /root\n")


class TestTheEnd:
    def test_a_stop_loses_all_but_the_volume(self, aws: AwsStandIn, tmp_path: Path) -> None:
        kept, lost = "/home/ec2-user/SageMaker/kept.ipynb", ["/home/ec2-user/lost", "/tmp/lost", "/etc/lost"]
        with booting(tmp_path, aws) as boot:
            boot.finish()
            boot.instance.write(kept, "{}")
            for path in lost:
                boot.instance.write(path, "", owner="root")
            address = metadata(boot.instance, "meta-data/local-ipv4")
        with booting(tmp_path, aws) as boot:
            boot.finish()
            assert boot.instance.run(["stat", "-c", "%U", kept]).stdout == "ec2-user\n"
            assert not any(boot.instance.exists(path) for path in lost)
            assert metadata(boot.instance, "meta-data/local-ipv4") == address

    @pytest.mark.parametrize("during", ["service", "boot"])
    def test_it_stops_when_standard_input_ends(self, aws: AwsStandIn, tmp_path: Path, during: str) -> None:
        script = "#!/bin/bash\nsleep 60\n" if during == "boot" else None
        with booting(tmp_path, aws, on_start=script) as boot:
            assert boot.next_event()["event"] == "running"
            if during == "service":
                assert boot.next_event()["event"] == "in-service"
            pid = boot.instance.pid
            assert boot.stop() == 0
            assert not Path(f"/proc/{pid}").exists()
            assert not (boot.instance.folder / "pid").exists()

    def test_killing_the_host_leaves_nothing(self, aws: AwsStandIn, tmp_path: Path) -> None:
        def of_this_machine() -> tuple[str, set[str]]:
            return Path("/proc/self/mountinfo").read_text(), set(os.listdir("/sys/class/net"))

        before = of_this_machine()
        with booting(tmp_path, aws, on_start="#!/bin/bash\nsleep 1.61803 &\nchattr +i /home\n") as boot:
            boot.finish()
            namespaces = {os.readlink(f"/proc/{boot.instance.pid}/ns/{kind}") for kind in ("net", "mnt", "pid")}
            boot.process.send_signal(signal.SIGKILL)
            boot.process.wait(5)
            end = time.monotonic() + 5
            while namespaces & _namespaces() and time.monotonic() < end:
                time.sleep(0.02)
            assert not namespaces & _namespaces()
            assert of_this_machine() == before
            with pytest.raises(NotRunningError):
                boot.instance.run(["true"])


def _namespaces() -> set[str]:
    """The namespaces of every process of this machine."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/*"):
        try:
            found.add(os.readlink(link))
        except OSError:
            continue
    return found
