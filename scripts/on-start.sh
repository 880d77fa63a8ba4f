#!/bin/bash
# On-start lifecycle script of terraform-aws-sagemaker-notebook-attribution: makes the AWS calls of this notebook instance
# attributable to it in CloudTrail.
#
# It writes an AWS config by which the execution role assumes itself, under the notebook instance's name as the session
# name, and locks it against ec2-user. It makes no call of its own, unless ROLE_ARN is empty.
#
# The Terraform module terraform-aws-sagemaker-notebook-attribution puts these assignments before it. Pasted by hand into a
# lifecycle configuration, it runs without them.
#   ROLE_ARN                          the execution role; empty: ask DescribeNotebookInstance
#   ATTRIBUTION_MODE                  profile, as told above; imds, which needs imds-mode.sh and imds-proxy.py
#   ALLOW_START_WITHOUT_ATTRIBUTION   true: start all the same when this fails; otherwise the start fails
#   EXTRA_ON_START                    the owner's own script, run afterwards
#   AWS_PROFILES                      further profiles of the AWS config, with @name@ and @region@ for the instance's

set -uo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

metadata=/opt/ml/metadata/resource-metadata.json
home=/home/ec2-user
again='stop and start the notebook instance'
repair=$again
mark='# Written at every start of the notebook instance, and locked: it makes each call attributable in CloudTrail.'

say() { printf 'notebook-attribution: %s\n' "$*"; }

# One line: what failed, and what repairs it.
fail() {
  say "FAILED: ${1//[^[:print:]]/ }. Repair: $2." >&2
  exit 1
}

# Runs a command whose failure ends the script; the arguments up to -- say what it was for.
must() {
  local purpose=$1 said
  shift
  said=$("$@" 2>&1) || fail "can't $purpose: ${said:-$1 ended with status $?}" "$repair"
}

as_user() { runuser -u ec2-user -- "$@"; }

# Sets name and region, from the file that SageMaker writes. What isn't a plain text there, with nothing to decode, is none.
identify_notebook() {
  local text is='[[:space:]]*:[[:space:]]*"([^"\]*)"'
  [[ -s $metadata ]] || fail "$metadata is missing or empty" "$again"
  text=$(<"$metadata")

  # The name ends up in a config file and in CloudTrail: only what SageMaker itself allows, and STS as a session name.
  [[ $text =~ \"ResourceName\"$is ]]
  name=${BASH_REMATCH[1]:-}
  [[ $name =~ ^[a-zA-Z0-9](-*[a-zA-Z0-9])*$ && ${#name} -ge 2 && ${#name} -le 63 ]] ||
    fail "$metadata gives no usable ResourceName: $(printf '%q' "$name")" 'name the notebook instance with 2 to 63 letters, digits and inner hyphens'
  [[ ${name,,} != sagemaker ]] ||
    fail "the notebook instance is called $name, as the base session is" 'create it anew under another name'

  [[ $text =~ \"ResourceArn\"$is && ${BASH_REMATCH[1]} =~ ^arn:aws[a-z-]*:sagemaker:([a-z0-9-]+):[0-9]{12}:notebook-instance/ ]] ||
    fail "$metadata gives no usable ResourceArn" "$again"
  region=${BASH_REMATCH[1]}
}

# Prints the owner's further profiles.
aws_profiles() {
  local text=${AWS_PROFILES:-}
  text=${text//@name@/$name}
  printf '%s' "${text//@region@/$region}"
}

# profile mode alone {
# Terraform leaves this out in imds mode, up to the line that closes it.

# Terraform knows role_arn; whoever pastes this script may not.
identify_role() {
  if [[ -z $role_arn ]]; then ask_for_role; fi
  [[ $role_arn =~ ^arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+$ ]] ||
    fail "$(printf '%q' "$role_arn") is no role's ARN" 'set ROLE_ARN in the first lines of this script'
}

# Asks in the base session, which no config file of a user may change.
ask_for_role() {
  role_arn=$(AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null \
    aws sagemaker describe-notebook-instance --region "$region" --notebook-instance-name "$name" \
    --query RoleArn --output text 2>&1) ||
    fail "can't ask for the execution role: $role_arn" 'allow the role sagemaker:DescribeNotebookInstance, or set ROLE_ARN in the first lines of this script'
}

aws_config() {
  cat <<EOF
$mark
[default]
role_arn = $role_arn
credential_source = Ec2InstanceMetadata
role_session_name = $name
region = $region
sts_regional_endpoints = regional
EOF
  aws_profiles
}

# Moves what isn't ours out of the way and says so; nothing is lost.
set_aside() {
  [[ -e $1 || -L $1 ]] || return 0
  local to
  to=$1.before-attribution
  [[ ! -e $to && ! -L $to ]] || to=$to.$(date +%s%N)
  must "move $1 aside" mv -T "$1" "$to"
  say "moved $1 to $to"
}

# Makes a file of root's with the content of standard input; it is there whole, or not at all.
install_file() {
  local file=$1 temporary said
  if [[ -d $file && ! -L $file ]]; then set_aside "$file"; fi
  temporary=$(mktemp ".$file.XXXXXX" 2>&1) || fail "can't write ~/.aws/$file: $temporary" "$make_room"
  said=$({ cat >"$temporary" && chmod 0644 "$temporary" && mv -fT "$temporary" "$file"; } 2>&1) || {
    rm -f "$temporary"
    fail "can't write ~/.aws/$file: $said" "$make_room"
  }
}

# A directory that ec2-user's clients write into, made with ec2-user's rights alone: a link in the way leads nowhere new.
make_cache() {
  local top=${1%%/*}
  if [[ -L $top || (-e $top && ! -d $top) ]]; then set_aside "$top"; fi
  if [[ ! -d $top ]]; then
    must "make ~/.aws/$top" mkdir "$top"
  fi
  must "give ~/.aws/$top to ec2-user" chown -h ec2-user: "$top"
  must "make ~/.aws/$1" as_user mkdir -p "$1"
}

unlock() {
  local path
  for path in . config credentials; do
    if [[ -e $path && ! -L $path ]]; then chattr -i "$path" 2>/dev/null; fi
  done
}

# The config, the credentials file and the directory: any of them, left to ec2-user, would undo the others.
write_aws_directory() {
  if [[ -L $home/.aws || (-e $home/.aws && ! -d $home/.aws) ]]; then
    set_aside "$home/.aws"
  fi
  must "make $home/.aws" mkdir -p "$home/.aws"

  # From here on by the directory's own handle: its name is in a directory of ec2-user's.
  cd -P "$home/.aws" || fail "can't enter $home/.aws" "$again"
  [[ $PWD == "$(cd -P "$home" && pwd)/.aws" ]] || fail "$home/.aws was replaced while it was set up" "$again"
  unlock
  must 'take ~/.aws from ec2-user' chown root:root .
  must 'close ~/.aws to ec2-user' chmod 0755 .

  # A credentials file overrides the config's session name.
  if [[ -L credentials || -s credentials ]]; then set_aside credentials; fi
  if [[ -s config ]] && ! head -n 1 config | grep -qxF "$mark"; then
    set_aside config
  fi
  find . -maxdepth 1 \( -name '.config.??????' -o -name '.credentials.??????' \) -type f -delete
  aws_config | install_file config || exit 1
  install_file credentials </dev/null || exit 1

  local cache
  for cache in cli/cache sso/cache login/cache boto/cache models; do make_cache "$cache"; done

  must 'lock ~/.aws' chattr +i config credentials .
  [[ . -ef $home/.aws && ! -L $home/.aws ]] || fail "$home/.aws was replaced while it was set up" "$again"
}

# For clients that read the config only when asked to: SDK for JavaScript v2, SDK for Go v1, SageMaker's local mode.
# Notebook kernels have the environment of login shells.
set_environment() {
  local file=/etc/profile.d/jupyter-env.sh line
  for line in 'export AWS_SDK_LOAD_CONFIG=1' 'export USE_SHORT_LIVED_CREDENTIALS=1'; do
    grep -qxF "$line" "$file" 2>/dev/null && continue
    printf '%s\n' "$line" >>"$file" || fail "can't write $file" "free some room on /, then $again"
  done
  # A server that is up already has the environment from before.
  if [[ -n $(type -P systemctl) ]]; then systemctl --no-block try-restart jupyter-server 2>/dev/null || true; fi
}

make_room="free some room in $home, then $again"
# What an extra script that fails is told.
locked=' (~/.aws with its config and credentials is locked: leave it out of chown -R and chmod -R, and put profiles into the input profiles)'

set_up_profile_mode() {
  local repair="see that $home is writable, has room and is on a file system with attributes (ext4, xfs), then $again"
  identify_role
  # Of a start before, in the other mode: its session can't open the one of this mode.
  local imds_mode=/usr/local/lib/notebook-attribution/imds-mode
  [[ ! -e $imds_mode ]] || must 'end the imds mode' "$imds_mode" undo_imds_mode
  write_aws_directory
  set_environment
}

# } profile mode alone

set_up_attribution() {
  local name region role_arn=${ROLE_ARN:-}
  [[ $(type -t "set_up_${mode}_mode") == function ]] ||
    fail "this script has no mode $(printf '%q' "$mode")" 'set ATTRIBUTION_MODE to profile in its first lines'
  if [[ $mode == imds ]]; then
    set_metadata_service closed
    end_processes
  fi
  identify_notebook
  "set_up_${mode}_mode"
  say "the calls of this notebook instance are made as $role_arn in the session $name"
}

run_extra_script() {
  local directory status
  directory=$(mktemp -d) || fail 'no room for the extra script' "free some room in /tmp, then $again"
  printf '%s\n' "$EXTRA_ON_START" >"$directory/extra-on-start"
  chmod 0700 "$directory/extra-on-start"
  say 'running the extra script'
  if [[ $EXTRA_ON_START == '#!'* ]]; then "$directory/extra-on-start"; else bash "$directory/extra-on-start"; fi
  status=$?
  rm -rf "$directory"
  [[ $status == 0 ]] || fail "the extra script ended with status $status" "mend extra_on_start${locked:-}"
}

start_unattributed() {
  [[ ${ALLOW_START_WITHOUT_ATTRIBUTION:-false} == true ]] || exit 1
  [[ $mode != imds ]] || (undo_imds_mode)
  say "STARTING WITHOUT ATTRIBUTION: CloudTrail may show this notebook instance's calls as those of SageMaker" >&2
  mode=
}

cd /
mode=${ATTRIBUTION_MODE:-profile}
(set_up_attribution) || start_unattributed
if [[ ${EXTRA_ON_START:-} ]]; then
  run_extra_script
  # shellcheck disable=SC2154 # imds-mode.sh has it
  if [[ $mode == imds ]]; then "$folder/imds-mode" finish_imds_mode || start_unattributed; fi
fi
