"""What the audit is to say of each notebook instance of audit_account.py: its verdict, what is wrong, and what to change."""

from __future__ import annotations

import json

from .audit_account import ACCOUNT, REGION

# The advice, in which the commands that several share are short


def steps(name: str, *steps: str) -> tuple[str, ...]:
    """The commands by which a notebook instance goes through these steps, each `ACTION|OPTIONS`."""
    return tuple(
        f"aws sagemaker {action} --notebook-instance-name {name}{' ' + options if options else ''} --region {REGION}"
        for action, _, options in (step.partition("|") for step in steps)
    )


STOP, WAIT = "stop-notebook-instance", "wait notebook-instance-stopped"
START = ("start-notebook-instance", "wait notebook-instance-in-service")


def update(name: str, options: str, *, stopped: bool = False) -> tuple[str, ...]:
    """The commands that change a notebook instance, and start it again unless it is stopped anyway."""
    change = f"update-notebook-instance|{options}"
    return steps(name, change, WAIT) if stopped else steps(name, STOP, WAIT, change, WAIT, *START)


def restart(name: str) -> tuple[str, ...]:
    """The commands that stop it and start it."""
    return steps(name, STOP, WAIT, *START)


def use_known(name: str, lifecycle: str = "audited-profile-attribution") -> tuple[str, ...]:
    """The commands that give it the module's lifecycle configuration."""
    return update(name, f"--lifecycle-config-name {lifecycle}")


def in_terraform(what: str) -> tuple[str, ...]:
    """What changes the configuration."""
    return f"In Terraform, {what}. Then, in that folder:", "terraform apply"


def use_module(name: str, role: str, more: str = "") -> tuple[str, ...]:
    """What gives it the module's script for its own role."""
    return (
        *in_terraform(
            "in the call of the module that manages this role, or else in a new one with create_role = false and "
            f'role_arn = "arn:aws:iam::{ACCOUNT}:role/{role}", set additional_session_names = ["{name}"] (beside those that it has)'
            f"{more}, and add an output of its lifecycle_configuration_name"
        ),
        *update(name, '--lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"'),
    )


def trust(role: str, what: str = "") -> tuple[str, ...]:
    """What gives a role the module's trust policy."""
    return (
        f"This replaces the whole trust policy of {role}{what}:",
        f"aws iam update-assume-role-policy --role-name {role} --policy-document <the module's>",
    )


def name_known(name: str) -> tuple[str, ...]:
    """What makes its name known to the module's role."""
    what = f'set additional_session_names = ["{name}"] (beside those that it has)'
    return in_terraform(f"in the call of the module that manages the role, {what}")


IMDS = 'attribution_mode = "imds"'
DENY = in_terraform(
    "once every notebook instance of the role runs the module's script, set deny_unattributed_calls = true there, and "
    "outside_notebooks_are_attributed = true if the module didn't make all of them"
)


def applied(what: str, name: str, *, stopped: bool = False) -> tuple[str, ...]:
    """What has the module do something else, and brings it to the notebook instance."""
    return *in_terraform(what), *(("Start it when it is needed.",) if stopped else restart(name))


def enforced(
    name: str, lifecycle: str = "audited-profile-attribution", *, stopped: bool = False, denied: bool = False
) -> tuple[str, tuple[str, ...]]:
    """What closes the ways around it, for an instance that has a lifecycle configuration of the module's."""
    mode = applied(f"in the call of the module that made {lifecycle}, set {IMDS}", name, stopped=stopped)
    return "not-enforced", mode if denied else (*mode, *DENY)


def not_enforced(change: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """For an instance that doesn't have the module's script: what gives it that, in imds mode."""
    return "not-enforced", (*change, *DENY)


NO_IDENTIFIER = "Where Terraform sets its platform_identifier, remove that. Then:"
OTHER_NAME = ("Create it anew under another name, with another key in notebook_instances.",)


def protect(role: str, what: str, change: tuple[str, ...] | None = None) -> tuple[str, tuple[str, ...]]:
    """What mends that a role may do this with itself."""
    code, deny, allow = {
        "pass": ("passes-itself", f"Give jobs a role of their own, and deny iam:PassRole on arn:aws:iam::{ACCOUNT}:role/{role}", "allow_pass_role"),
        "instances": ("changes-notebook-instances", f"Deny it to {role}", "allow_notebook_instance_changes"),
        "role": ("changes-itself", f"Deny it to {role}", "allow_role_changes"),
    }[what]  # fmt: skip
    own = in_terraform(f"remove {allow} = true from the call of the module that manages the role")
    return code, (f"{deny}, as the module does.", *(change or own))


def restrict(name: str, role: str) -> tuple[str, ...]:
    """What restricts the names to those that the module knows."""
    return in_terraform(
        "in the call of the module that manages the role, or else in a new one with create_role = false and "
        f'role_arn = "arn:aws:iam::{ACCOUNT}:role/{role}", set deny_unknown_session_names = true and additional_session_names = '
        f'["{name}"], with the names of all other notebook instances of this role'
    )


EXPECTED: dict[str, tuple[str, list[tuple[str, tuple[str, ...]]]]] = {
    # Right
    "closed": ("enforced", []),
    "right": ("attributed", [enforced("right")]),
    "denied": ("attributed", [enforced("denied", "audited-denying-attribution", denied=True)]),
    "lenient": ("attributed", [("starts-without-attribution", applied("in the module, set allow_start_without_attribution = false", "lenient"))]),
    "guarded": ("enforced", []),
    "passing": ("attributed", [protect("audited-passing-execution", "pass")]),
    "powerful": (
        "weak",
        [protect("audited-powerful-execution", "instances"), protect("audited-powerful-execution", "role")],
    ),
    "unguarded": (
        "weak",
        [
            *(
                protect("audited-unguarded-execution", what, enforced("unguarded", "audited-unguarded-attribution", denied=True)[1])
                for what in ("pass", "instances", "role")
            ),
            enforced("unguarded", "audited-unguarded-attribution"),
        ],
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
    "changed": (
        "unknown",
        [("script-undecided", ("If nobody changed audited-changed, it is another version's: use the which-notebook of that version. Else:", *use_known("changed")))],
    ),
    "extra": (
        "unknown",
        [
            (
                "script-undecided",
                applied("take what isn't known to be harmless out of extra_on_start, or see for yourself that it is harmless", "extra"),
            ),
            enforced("extra", "audited-extra"),
        ],
    ),
    "older-script": (
        "unknown",
        [
            (
                "older-script",
                restart("older-script"),
            ),
            enforced("older-script", "audited-older"),
        ],
    ),
    "fixed-name": (
        "not-attributed",
        [("other-name", use_module("fixed-name", "audited-fixed")), ("not-locked", use_module("fixed-name", "audited-fixed")), not_enforced(use_module("fixed-name", "audited-fixed", f", {IMDS}"))],
    ),
    # The instance
    "rooted": ("weak", [("root-access", update("rooted", "--root-access Disabled")), enforced("rooted")]),
    "old-metadata": (
        "attributed",
        [
            (
                "metadata-version",
                (
                    'Where Terraform made it, set minimum_instance_metadata_service_version = "2" there. Then:',
                    *update("old-metadata", "--instance-metadata-service-configuration MinimumInstanceMetadataServiceVersion=2"),
                ),
            ),
            enforced("old-metadata"),
        ],
    ),
    "old-system": (
        "attributed",
        [
            ("platform", (NO_IDENTIFIER, *update("old-system", "--platform-identifier notebook-al2023-v1"))),
            enforced("old-system"),
        ],
    ),
    "ended-system": (
        "broken",
        [
            (
                "platform",
                (NO_IDENTIFIER, *update("ended-system", "--platform-identifier notebook-al2023-v1", stopped=True)),
            ),
            enforced("ended-system", stopped=True),
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
            enforced("twin-role"),
        ],
    ),
    "other-mode": ("attributed", [not_enforced((*in_terraform(f"in the call of the module that made audited-imds-attribution, set {IMDS}"), *use_known("other-mode", "audited-imds-attribution")))]),
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
                trust("audited-recipe", f", and takes arn:aws:iam::{ACCOUNT}:root out of it"),
            ),
            ("not-locked", use_module("recipe", "audited-recipe")),
            ("any-name", restrict("recipe", "audited-recipe")),
            not_enforced(use_module("recipe", "audited-recipe", f", {IMDS}")),
        ],
    ),
    "no-permission": (
        "broken",
        [
            (
                "not-allowed",
                (
                    "Where the module manages this role, terraform apply writes the policy anew. Elsewhere:",
                    "aws iam put-role-policy --role-name audited-no --policy-name assume-self --policy-document "
                    f"'{json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['sts:AssumeRole', 'sts:SetSourceIdentity'], 'Resource': f'arn:aws:iam::{ACCOUNT}:role/audited-no'}]}, separators=(',', ':'))}'",
                ),
            )
        ],
    ),
    "bounded": (
        "broken",
        [
            (
                "boundary",
                (f"Allow sts:AssumeRole on arn:aws:iam::{ACCOUNT}:role/audited-bounded in the policy that role_permissions_boundary names.",),
            )
        ],
    ),
    "cant-ask": (
        "broken",
        [
            (
                "no-describe",
                ("Allow sagemaker:DescribeNotebookInstance to audited-asking, also in the base session, or use the module, whose script knows the role.",),
            ),
            ("any-name", restrict("cant-ask", "audited-asking")),
            not_enforced(use_module("cant-ask", "audited-asking", f", {IMDS}")),
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
                trust("audited-office", f", and takes arn:aws:iam::{ACCOUNT}:root out of it"),
            ),
        ],
    ),
    "visited": (
        "weak",
        [
            (
                "other-principals",
                trust("audited-visited", f", and takes arn:aws:iam::{ACCOUNT}:role/audited-plain, lambda.amazonaws.com out of it"),
            ),
            not_enforced(use_module("visited", "audited-visited", f", {IMDS}")),
        ],
    ),
    "chained": ("weak", [("notebook-sessions", trust("audited-chained")), not_enforced(use_module("chained", "audited-chained", f", {IMDS}"))]),
    "broad": (
        "weak",
        [
            ("any-name", restrict("broad", "audited-broad")),
            not_enforced(use_module("broad", "audited-broad", f", {IMDS}")),
            ("assumes-any-role", ("Name the roles in Resource instead of * in the policies of audited-broad.",)),
        ],
    ),
    "broad-but-held": (
        "attributed",
        [not_enforced(use_module("broad-but-held", "audited-held", f", {IMDS}")), ("assumes-any-role", ("Name the roles in Resource instead of * in the policies of audited-held.",))],
    ),
    "orphan": (
        "broken",
        [
            (
                "role-missing",
                (
                    *in_terraform('in a call of the module, set additional_session_names = ["orphan"], and add outputs of its role_arn and lifecycle_configuration_name'),
                    *update("orphan", '--role-arn "$(terraform output -raw role_arn)" --lifecycle-config-name "$(terraform output -raw lifecycle_configuration_name)"'),
                ),
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
    "passing": "enforced",
    "powerful": "enforced",
    "unguarded": "enforced",
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
