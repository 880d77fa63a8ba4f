"""Where Terraform and OpenTofu get the AWS provider that the tests run."""

from __future__ import annotations

from pathlib import Path

import get_provider
import pytest
import workspace

PLACE = f"hashicorp/aws/{workspace.PROVIDER_VERSION}/linux_amd64"


@pytest.mark.parametrize(
    ("program", "host", "other"),
    [
        ("terraform", "registry.terraform.io", "registry.opentofu.org"),
        ("tofu", "registry.opentofu.org", "registry.terraform.io"),
    ],
)
def test_each_program_finds_what_stands_under_the_other_ones_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, host: str, other: str
) -> None:
    mirror = tmp_path / "mirror"
    monkeypatch.setenv("TF_PROVIDER_MIRROR", str(mirror))
    (mirror / other / PLACE).mkdir(parents=True)
    (mirror / other / PLACE / "terraform-provider-aws").touch()
    (mirror / other / f"{PLACE}.lock").touch()  # OpenTofu's
    made = workspace.mirror_of(f"/bin/{program}", tmp_path / "own")
    assert made == tmp_path / "own/mirror"
    assert [path.name for path in (made / host / PLACE).iterdir()] == ["terraform-provider-aws"]
    assert [path.name for path in (made / host / PLACE).parent.iterdir()] == ["linux_amd64"]
    (mirror / host / PLACE).mkdir(parents=True)
    assert workspace.mirror_of(f"/bin/{program}", tmp_path / "own") == mirror


class TestDownload:
    """As it goes where no folder of the machine has the provider."""

    @pytest.fixture
    def downloaded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        target = tmp_path / "cache/providers"
        monkeypatch.setattr(get_provider, "DOWNLOADED", target)
        monkeypatch.setattr(get_provider, "provider_mirror", lambda: None)
        return target

    def install_from(self, mirror: Path | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have Terraform install from a mirror, in the registry's place."""
        configuration = folder / "terraform.rc"
        configuration.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
        monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(configuration))

    def test_it_is_a_mirror_afterwards(self, downloaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program = workspace.terraform_program()
        self.install_from(workspace.mirror_of(program, tmp_path), tmp_path, monkeypatch)
        assert get_provider.main() == 0
        assert [path.name for path in downloaded.parent.iterdir()] == ["providers"]
        monkeypatch.setenv("TF_PROVIDER_MIRROR", str(downloaded))
        assert workspace.mirror_of(program, tmp_path / "own") == downloaded
        assert list(downloaded.glob(f"*/{PLACE}/terraform-provider-aws*"))

    def test_one_that_fails_leaves_nothing(
        self, downloaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        empty = tmp_path / "empty"
        empty.mkdir()
        self.install_from(empty, tmp_path, monkeypatch)
        assert get_provider.main() == 1
        assert "hashicorp/aws" in capfd.readouterr().err
        assert list(downloaded.parent.iterdir()) == []
