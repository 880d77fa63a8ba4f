"""What the audit is to say of each notebook instance of audit_account.py: its verdict, what is wrong, and what to change."""

from __future__ import annotations

import json

from .audit_account import ACCOUNT, REGION

# The advice, in which the commands that several share are short


def steps(name: str, *steps: str) -> str:
    """The commands by which a notebook instance goes through these steps, each `ACTION|OPTIONS`."""
    return " && ".join(
        f"aws sagemaker {action} --notebook-instance-name {name}{' ' + options if options else ''} --region {REGION}"
        for action, _, options in (step.partition("|") for step in steps)
    )


STOP, WAIT, START = "stop-notebook-instance", "wait notebook-instance-stopped", "start-notebook-instance"


def update(name: str, options: str, *, stopped: bool = False) -> str:
    """The commands that change a notebook instance, and start it again unless it is stopped anyway."""
    change = f"update-notebook-instance|{options}"
    return steps(name, change) if stopped else steps(name, STOP, WAIT, change, WAIT, START)


def restart(name: str) -> str:
    """The commands that stop it and start it."""
    return steps(name, STOP, WAIT, START)


def use_known(name: str) -> str:
    """The commands that give it the module's lifecycle configuration."""
    return update(name, "--lifecycle-config-name audited-profile-attribution")


def use_module(name: str, role: str) -> str:
    """What gives it the module's script for its own role."""
    return (
        "in the call of the module that manages this role, or else in a new one with create_role = false, "
        f'role_arn = "arn:aws:iam::{ACCOUNT}:role/{role}", set additional_session_names = ["{name}"] (beside those that it has), '
        "with an output lifecycle_configuration_name; apply, and run there: "
        + update(name, '--lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"')
    )


def trust(role: str) -> str:
    """The command that gives a role the module's trust policy."""
    return f"aws iam update-assume-role-policy --role-name {role} --policy-document <the module's> # this replaces the whole trust policy"


def name_known(name: str) -> str:
    """What makes its name known to the module's role."""
    return f'put "{name}" into additional_session_names of the module that manages the role, and run terraform apply'


IMDS = 'attribution_mode = "imds"'
IMDS_AND_DENY = f"{IMDS}, deny_unattributed_calls = true"


def applied(arguments: str, name: str, *, stopped: bool = False) -> str:
    """What has the module do something else, and brings it to the notebook instance."""
    then = "start it when it is needed" if stopped else restart(name)
    return f"{arguments} in the module, terraform apply, then {then}"


def not_enforced(change: str) -> tuple[str, str]:
    """For an instance that doesn't have the module's script: what gives it that, in imds mode."""
    return "not-enforced", f"{change}, with {IMDS} and deny_unattributed_calls = true in the module"


OTHER_NAME = "create it anew under another name, with another key in notebook_instances"


def protect(role: str, what: str) -> tuple[str, str]:
    """What mends that a role may do this with itself."""
    code, deny, allow = {
        "pass": ("passes-itself", f"give jobs a role of their own, and deny iam:PassRole on arn:aws:iam::{ACCOUNT}:role/{role}", "allow_pass_role"),
        "instances": ("changes-notebook-instances", f"deny it to {role}", "allow_notebook_instance_changes"),
        "role": ("changes-itself", f"deny it to {role}", "allow_role_changes"),
    }[what]  # fmt: skip
    return (
        code,
        f"{deny}: {IMDS} or deny_unattributed_calls = true in the module, whose policy denies it unless {allow} = true",
    )


def restrict(name: str, role: str) -> str:
    """What restricts the names to those that the module knows."""
    return (
        f'create_role = false, role_arn = "arn:aws:iam::{ACCOUNT}:role/{role}", deny_unknown_session_names = true and '
        f'additional_session_names = ["{name}"], with the names of all other notebook instances of this role, in the module, '
        "whose policy refuses all others"
    )


EXPECTED: dict[str, tuple[str, list[tuple[str, str]]]] = {
    # Right
    "closed": ("enforced", []),
    "right": ("attributed", [("not-enforced", applied(IMDS_AND_DENY, "right"))]),
    "denied": ("attributed", [("not-enforced", applied(IMDS, "denied"))]),
    "lenient": ("attributed", [("starts-without-attribution", applied("allow_start_without_attribution = false", "lenient"))]),
    "guarded": ("enforced", []),
    "passing": ("attributed", [protect("audited-passing-execution", "pass")]),
    "powerful": (
        "weak",
        [protect("audited-powerful-execution", "instances"), protect("audited-powerful-execution", "role")],
    ),
    "unguarded": (
        "weak",
        [*(protect("audited-unguarded-execution", what) for what in ("pass", "instances", "role")), ("not-enforced", applied(IMDS_AND_DENY, "unguarded"))],
    ),
    # The script
    "plain": (
        "not-attributed",
        [
            ("no-self-trust", trust("audited-plain")),
            ("no-lifecycle-configuration", use_module("plain", "audited-plain")),
        ],
    ),
    "no-script": ("not-attributed", [("no-on-start-script", use_known("no-script")), ("name-refused", name_known("no-script"))]),
    "another-script": (
        "not-attributed",
        [("no-attribution", use_known("another-script")), ("name-refused", name_known("another-script"))],
    ),
    "look-alike": (
        "not-attributed",
        [("no-attribution", use_known("look-alike")), ("name-refused", name_known("look-alike"))],
    ),
    "changed": ("unknown", [("script-undecided", f"if the module made audited-changed and nobody changed it, use the which-notebook of that version of the module; if somebody changed it, terraform apply writes it anew, then {restart('changed')}; if the module didn't make audited-changed: {use_known('changed')}")]),
    "extra": ("unknown", [("script-undecided", applied("take what isn't known to be harmless out of extra_on_start", "extra") + "; or see for yourself that it is harmless"), ("not-enforced", applied(IMDS_AND_DENY, "extra"))]),
    "older-script": (
        "unknown",
        [
            (
                "older-script",
                restart("older-script"),
            ),
            ("not-enforced", applied(IMDS_AND_DENY, "older-script")),
        ],
    ),
    "fixed-name": (
        "not-attributed",
        [("other-name", use_module("fixed-name", "audited-fixed")), ("not-locked", use_module("fixed-name", "audited-fixed")), not_enforced(use_module("fixed-name", "audited-fixed"))],
    ),
    # The instance
    "rooted": ("weak", [("root-access", "terraform apply turns it off where the module made the notebook instance; elsewhere: " + update("rooted", "--root-access Disabled")), ("not-enforced", applied(IMDS_AND_DENY, "rooted"))]),
    "old-metadata": (
        "attributed",
        [
            (
                "metadata-version",
                'minimum_instance_metadata_service_version = "2", or: '
                + update("old-metadata", "--instance-metadata-service-configuration MinimumInstanceMetadataServiceVersion=2"),
            ),
            ("not-enforced", applied(IMDS_AND_DENY, "old-metadata")),
        ],
    ),
    "old-system": (
        "attributed",
        [
            ("platform", update("old-system", "--platform-identifier notebook-al2023-v1") + "; in Terraform, remove platform_identifier"),
            ("not-enforced", applied(IMDS_AND_DENY, "old-system")),
        ],
    ),
    "ended-system": (
        "broken",
        [
            (
                "platform",
                update("ended-system", "--platform-identifier notebook-al2023-v1", stopped=True)
                + "; in Terraform, remove platform_identifier",
            ),
            ("not-enforced", applied(IMDS_AND_DENY, "ended-system", stopped=True)),
        ],
    ),
    "x": ("broken", [("name", OTHER_NAME)]),
    "SageMaker": ("broken", [("name", OTHER_NAME)]),
    # The role
    "unlisted": ("broken", [("name-refused", name_known("unlisted"))]),
    "twin-role": (
        "broken",
        [
            ("other-role", update("twin-role", f"--role-arn arn:aws:iam::{ACCOUNT}:role/audited-profile-execution")),
            ("not-enforced", applied(IMDS_AND_DENY, "twin-role")),
        ],
    ),
    "other-mode": ("attributed", [("not-enforced", applied(IMDS_AND_DENY, "other-mode"))]),
    "recipe-of-old": (
        "broken",
        [("no-self-trust", trust("audited-old")), ("not-locked", use_module("recipe-of-old", "audited-old"))],
    ),
    "recipe": (
        "weak",
        [
            ("notebook-sessions", trust("audited-recipe")),
            (
                "other-principals",
                f"take arn:aws:iam::{ACCOUNT}:root out of the trust policy of audited-recipe, or let in only the role itself: "
                + trust("audited-recipe"),
            ),
            ("not-locked", use_module("recipe", "audited-recipe")),
            ("any-name", restrict("recipe", "audited-recipe")),
            not_enforced(use_module("recipe", "audited-recipe")),
        ],
    ),
    "no-permission": (
        "broken",
        [
            (
                "not-allowed",
                "terraform apply of the module for this role, or: aws iam put-role-policy --role-name audited-no "
                "--policy-name assume-self --policy-document "
                f"'{json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['sts:AssumeRole', 'sts:SetSourceIdentity'], 'Resource': f'arn:aws:iam::{ACCOUNT}:role/audited-no'}]}, separators=(',', ':'))}'",
            )
        ],
    ),
    "bounded": (
        "broken",
        [
            (
                "boundary",
                f"allow sts:AssumeRole on arn:aws:iam::{ACCOUNT}:role/audited-bounded in the policy that role_permissions_boundary names",
            )
        ],
    ),
    "cant-ask": (
        "broken",
        [
            (
                "no-describe",
                "allow sagemaker:DescribeNotebookInstance to audited-asking, also in the base session, or use the module, whose script knows the role",
            ),
            ("any-name", restrict("cant-ask", "audited-asking")),
            ("not-enforced", applied(IMDS_AND_DENY, "cant-ask")),
        ],
    ),
    "no-identity": ("broken", [("no-self-trust", trust("audited-no-identity"))]),
    "undecided": (
        "unknown",
        [
            ("no-self-trust", trust("audited-office")),
            ("notebook-sessions", trust("audited-office")),
            (
                "other-principals",
                f"take arn:aws:iam::{ACCOUNT}:root out of the trust policy of audited-office, or let in only the role itself: "
                + trust("audited-office"),
            ),
        ],
    ),
    "visited": (
        "weak",
        [
            (
                "other-principals",
                f"take arn:aws:iam::{ACCOUNT}:role/audited-plain, lambda.amazonaws.com out of the trust policy of audited-visited, "
                "or let in only the role itself: " + trust("audited-visited"),
            ),
            ("not-enforced", applied(IMDS_AND_DENY, "visited")),
        ],
    ),
    "chained": ("weak", [("notebook-sessions", trust("audited-chained")), ("not-enforced", applied(IMDS_AND_DENY, "chained"))]),
    "broad": (
        "weak",
        [
            ("any-name", restrict("broad", "audited-broad")),
            ("not-enforced", applied(IMDS_AND_DENY, "broad")),
            ("assumes-any-role", "name the roles in Resource instead of * in the policies of audited-broad"),
        ],
    ),
    "broad-but-held": (
        "attributed",
        [("not-enforced", applied(IMDS_AND_DENY, "broad-but-held")), ("assumes-any-role", "name the roles in Resource instead of * in the policies of audited-held")],
    ),
    "orphan": (
        "broken",
        [
            (
                "role-missing",
                'apply the module, with outputs role_arn and lifecycle_configuration_name and additional_session_names = ["orphan"], and run there: '
                + update("orphan", '--role-arn "$(terraform output -raw role_arn)" --lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"'),
            )
        ],
    ),
}  # fmt: skip


PROBLEMS = {
    "no-script": "its lifecycle configuration audited-empty has no on-start script",
    "look-alike": "its on-start script looks like the recipe's, but it writes no [default] profile, which clients use unless told otherwise",
    "changed": "its script is the module's, but changed or of a version that isn't known here",
    "extra": "extra_on_start, which runs as root afterwards, may undo it: it isn't known whether this is harmless: rm -rf /home/ec2-user/.aws",
    "older-script": "audited-older was changed after the notebook instance's last start, so it runs an older script",
    "fixed-name": "its script names every session analytics, whatever the notebook instance is called",
    "rooted": "root access is on: root can unlock what the script locks",
    "old-system": "Amazon Linux 2 (notebook-al2-v3) is over: it can't be started any more",
    "x": "its name can't be a session name, which has 2 characters or more",
    "SageMaker": "its name is the session name of all that isn't attributed",
    "unlisted": "a policy of audited-profile-execution denies sts:AssumeRole under the name unlisted",
    "twin-role": f"its script opens sessions on arn:aws:iam::{ACCOUNT}:role/audited-profile-execution, but its role is arn:aws:iam::{ACCOUNT}:role/audited-twin",
    "bounded": "the permissions boundary of audited-bounded doesn't allow sts:AssumeRole on the role",
    "no-permission": "no policy of audited-no allows sts:AssumeRole on the role itself",
    "no-identity": "the trust policy of audited-no-identity doesn't let the role open sessions on itself with a source identity",
    "undecided": "perhaps the trust policy of audited-office doesn't let the role open sessions on itself",
    "visited": f"arn:aws:iam::{ACCOUNT}:role/audited-plain, lambda.amazonaws.com can open a session on audited-visited under its name",
    "chained": "a notebook session can open another one, under another notebook's name",
    "broad": "its user can open a session under any name: no policy of audited-broad keeps to known ones",
    "orphan": f"its role arn:aws:iam::{ACCOUNT}:role/audited-orphan doesn't exist",
    "passing": "its user can pass the role to sagemaker.amazonaws.com, ec2.amazonaws.com, lambda.amazonaws.com (iam:PassRole), and calls made there can't be attributed",
    "powerful": "its user can turn root access on, exchange the on-start script, or open a colleague's notebook (sagemaker:UpdateNotebookInstance, sagemaker:CreatePresignedNotebookInstanceUrl, sagemaker:UpdateNotebookInstanceLifecycleConfig)",
    "right": "with the base session's credentials its user can make unattributed calls and call under another known name",
    "denied": "with the base session's credentials its user can call under another known name",
}  # fmt: skip

FOLLOWED = {
    "plain": "attributed",
    "no-script": "attributed",
    "another-script": "attributed",
    "look-alike": "attributed",
    "changed": "attributed",
    "older-script": "attributed",
    "fixed-name": "attributed",
    "rooted": "attributed",
    "old-metadata": "attributed",
    "old-system": "attributed",
    "ended-system": "attributed",
    "unlisted": "attributed",
    "twin-role": "attributed",
    "recipe-of-old": "attributed",
    "recipe": "attributed",
    "no-permission": "attributed",
    "undecided": "attributed",
    "visited": "attributed",
    "chained": "attributed",
    "broad": "attributed",
    "orphan": "attributed",
}

# Notes on what isn't wrong.
LEFT = ("not-enforced", "assumes-any-role")
