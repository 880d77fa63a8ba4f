# shellcheck shell=bash disable=SC2034,SC2154 # on-start.sh, which comes behind it, has the rest
# The imds mode of on-start.sh: from the metadata service, root gets the base session, as ever, and everyone else is sent
# to imds-proxy.py, which hands out the notebook session. The base session's credentials are then out of ec2-user's reach.
#
# Terraform puts the proxy before it, in IMDS_PROXY. Both are packed into a lifecycle script: little code is worth much here.

settings() {
  service=169.254.169.254
  # Only of this machine: from the part of the link-local range that no machine may take by itself (RFC 3927, 2.1).
  # Loopback's own 127.0.0.1 can't be reached from a container. Only root can listen on the port.
  proxy=169.254.255.254:254
  # Where AWS has services for a single machine, in IPv4 and IPv6, and what everyone needs there: DNS and time.
  range=(169.254.0.0/16 fd00:ec2::/32)
  open=('169.254.169.253 53' 'fd00:ec2::253 53' '169.254.169.123 123' 'fd00:ec2::123 123')
  own=notebook-attribution # the name of our chains and unit
  folder=/usr/local/lib/$own
  log=/var/log/$own.log
  pid_file=/run/$own.pid
  known=/run/$own.ways # all that were found since the machine was booted
  python=/usr/bin/python3
}
settings

# Prints all rules, for those of one tool don't show in another, and the kernel's own lists of the machine's addresses. It is
# run every few seconds, and so starts no tool twice that has two names. A comment may have any bytes. It only runs in subshells.
list_rules() {
  tools=$(type -P {ip,ip6}tables{,-nft,-legacy}-save)
  for each in $tools 'nft -s list ruleset'; do
    [[ $each == *s-save || $tools != *${each/-*-/-}* || ! $each -ef ${each/-*-/-} ]] && $each
  done 2>/dev/null | grep -ahsv '^[#:]' - /proc/net/{fib_trie,if_inet6}
}

# Finds where NAT rules may send the service's address: who asks there gets what root gets. Sets ways (lines ADDRESS/PORT),
# and from them agents (addresses of others) and ports (of this machine); and unread, the rules that can't be read. None is
# an array: before bash 4.4, an empty one is unset. A rule counts unless it says plainly that it is for something else: one
# other address, one other port, or what a network card receives. Docker's chain is for published ports of this machine. A
# way stays one when its rule has gone: the agent may not have.
find_ways() {
  local found each address='^([0-9]+\.[0-9.]+|[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*)/[0-9]+$'
  found=$(list_rules | sed -nE "/^\tchain DOCKER /,/^\t}/d; /^-A DOCKER / d
  /-j (DNAT|REDIRECT|NETMAP)|^\t.*(daddr set|dnat (ip6? |addr |prefix |\. |port )*to|redirect( |\$))/{
    / $proxy/d
    /[^!]\s(-d|ip6? daddr) (169\.|fd)/! { /[^!]\s(-d|ip6? daddr) [0-9a-f.:]+(\/[0-9]{2,3})? /d }
    /dport 80 /! { /[^!]\s(--|tcp )dport [0-9]+ /d }
    /[^!]\s(-i |iifname \")e(th|n)/d
    s/.*(--to(-destination)?|dnat( ip6?)?( prefix)? to|daddr set) \[?([0-9.]+|[0-9a-f:]+)]?(\/32|:([0-9]+))?( .*)?\$/\5\/\7/
    s/.*(--to-ports |redirect to :)([0-9]+)( .*)?\$/127.0.0.1\/\2/
    s/.*(-j REDIRECT|redirect)\$/127.0.0.1\/80/
    s/\/\$/\/80/
    p
  }")
  unread=$(grep -avE "$address" <<<"$found" | sort -u)
  ways=$(grep -ahsE "$address" - "$known" <<<"$found" | sort -u)
  echo "$ways" >"$known.new" && mv "$known.new" "$known"
  agents='' ports=''
  # The service itself may be of this machine, too.
  for each in $ways $service/80; do
    if [[ $(ip route get "${each%/*}" 2>&1) == local* ]]; then ports+=" ${each#*/}"; else agents+=" ${each%/*}"; fi
  done
}

# Prints what appends rules to our chain.
rule() { printf -- "-A $own %s\n" "$@"; }

# Prints the rules by which the agents' own packets pass. Agents beyond the link-local range may be containers.
trust_agents() {
  local each
  for each in $agents; do [[ $each != 169.254.* ]] || rule "-s $each -j RETURN"; done
}

# Prints the rules, of IPv4 and IPv6, that close every way to all but root. Root's packets and the agents' own pass, and what
# answers: an agent may ask the notebook's servers. A packet goes by where it goes to, and by where it was sent before NAT.
# TCP alone is closed to IPv6's neighbours (fe80::/10), where an agent that listens everywhere has an address: without the
# rest of that range there is no network.
closing_rules() {
  local each to
  rule '-m owner --uid-owner 0 -j RETURN' '-m conntrack --ctdir REPLY -j RETURN'
  trust_agents
  for each in $ports; do rule "-p tcp --dport $each -m addrtype --dst-type LOCAL -j REJECT"; done
  rule "-d ${proxy%:*} -p tcp --dport ${proxy#*:} -j RETURN" "-m conntrack --ctorigdst $service -j REJECT"
  rule '-m addrtype --dst-type LOCAL -j RETURN'
  while read -r each to; do rule "-d $each -p "{udp,tcp}" --dport $to -j RETURN"; done < <(
    printf '%s\n' "${open[@]}"
    sed -nE 's/^nameserver\s+([0-9a-f]*[.:][0-9a-f:.]+).*/\1 53/p' /etc/resolv.conf
  )
  for each in "${range[@]}"; do rule "-m conntrack --ctorigdst $each -j REJECT"; done
  for each in "${range[@]}" $agents; do rule "-d $each -j REJECT"; done
  rule '-d fe80::/10 -p tcp -j REJECT'
}

# Prints what makes all of it, and nothing else of ours, stand in front, as a tool's restore takes it. Mangle comes after
# NAT: what it drops no other table lets pass, and Docker puts nothing there. IPv6, which no client asks unless told to, is
# closed and has no proxy. Of these rules, sed leaves those of the tool's kind of addresses; of what is there ours, to be
# deleted.
firewall_rules() {
  local table each rules others='d(st)? [0-9a-f]*:' drop="-m comment --comment $own -j DROP"
  [[ $1 != ip6* ]] || others='[0-9]\.[0-9]'
  rules=$(closing_rules) || return
  for table in nat filter mangle; do
    echo "*$table"
    "$1" -w -t "$table" -S
    echo ":$own -"
    case $2-$table in
      open-*) echo "-X $own" ;;
      *-nat)
        printf -- "-I %s -d $service -p tcp --dport 80 -j $own\n" 'OUTPUT -m owner ! --uid-owner 0' PREROUTING
        trust_agents
        rule "-p tcp -j DNAT --to-destination $proxy"
        ;;
      *-filter) echo "-I OUTPUT -j $own
$rules" ;;
      *-mangle)
        # Network cards are called eth0, ens5 and so on, the networks of containers aren't: no other machine gets an answer.
        echo "-I INPUT -i e+ -d ${proxy%:*} $drop"
        # Nor does an agent of this machine answer a container.
        for each in $ports; do echo "-I INPUT ! -i lo -p tcp --dport $each -m conntrack --ctdir ORIGINAL $drop"; done
        echo "-I INPUT ! -i lo ! -d ${proxy%:*} -m conntrack --ctorigdst $service --ctdir ORIGINAL $drop"
        echo "-I POSTROUTING -j $own
${rules//REJECT/DROP}"
        ;;
    esac
    echo COMMIT
  done | sed -E "/$others/d; /^\*/,/^:$own / { /^-A [A-Z].*$own/s/A/D/; /^(\*|-D|:$own )/!d }"
}

# Sets the metadata service to closed (who isn't root is sent to the proxy from port 80, and refused otherwise) or open. It
# fails on a NAT rule that it can't read, once the rest is set; kept closed, it only says so.
set_metadata_service() {
  local tool rules repair="have iptables, ip6tables, and NAT rules that name addresses, or set attribution_mode = \"profile\", then $again"
  must "add ${proxy%:*}" ip address replace "${proxy%:*}/32" dev lo
  find_ways
  for tool in ip{,6}tables; do
    [[ $tool != ip6* || -e /proc/net/if_inet6 ]] || continue
    # Not by a pipe: the tool's restore takes the lock that its listing waits for.
    rules=$(firewall_rules "$tool" "$1" 2>/dev/null) || fail "can't set the firewall" "$repair"
    must 'set the firewall' "$tool-restore" -w --noflush <<<"$rules"
  done
  [[ $unread ]] || return 0
  case $1 in
    closed) fail "can't read where this NAT rule leads: $unread" "$repair" ;;
    kept) say "can't read where this NAT rule leads: $unread" ;;
  esac
}

stop_proxy() {
  systemctl stop "$own" 2>/dev/null
  [[ ! -s $pid_file ]] || pkill -KILL -g "$(<"$pid_file")" -f "$folder/"
}

# Installs the proxy, and this script's functions for what is done later: serve, finish_imds_mode, undo_imds_mode.
install_proxy() {
  local said repair="have python3 3.9 or newer in $python, and room on /, then $again"
  must use "$python" -IS -c 'import ssl; from functools import cache'
  said=$({
    rm -rf "$folder" && mkdir -p "$folder" && printf '%s\n' "$IMDS_PROXY" >"$folder/imds-proxy.py" && {
      printf '#!/bin/bash\nset -uo pipefail\n' && declare -p PATH again role_arn name region && declare -f &&
        printf '%s\n' settings '"$@"'
    } >"$folder/imds-mode" && chmod 0755 "$folder/imds-mode"
  } 2>&1) || fail "can't write $folder: $said" "$repair"
}

# By systemd, where it runs.
start_proxy() {
  stop_proxy
  systemd-run --collect --unit="$own" -p Restart=always -p OOMScoreAdjust=-900 -p MemoryMax=256M -p OOMPolicy=continue \
    "$folder/imds-mode" serve 2>/dev/null || {
    setsid "$folder/imds-mode" serve </dev/null &
    echo $! >"$pid_file"
  }
}

# Keeps the proxy running, and the firewall as it is. Each start of the proxy opens a session, so the sooner it ended, the
# later it is started again, a minute at the most. Where the guard ends, as when no process can be started for 15 seconds, all
# of this ends with it, and systemd starts it anew.
serve() {
  local pause=1
  exec >>"$log" 2>&1
  ulimit -c 0 -n 8192
  (
    trap 'kill 0' EXIT
    keep_closed
  ) &
  while :; do
    SECONDS=0
    setpriv --no-new-privs --bounding-set=-all,+net_bind_service \
      "$python" -ISB "$folder/imds-proxy.py" serve "$role_arn" "$name" "$region" "${proxy#*:}" "${proxy%:*}"
    ((SECONDS < 60)) || pause=1
    sleep $pause
    pause=$((pause < 32 ? pause * 2 : 60))
  done
}

# As ec2-user, by every way that there is.
verify_proxy() {
  local said each
  SECONDS=0
  until said=$(as_user timeout 15 "$python" -ISB "$folder/imds-proxy.py" caller "$region" 2>&1); do
    ((SECONDS < 60)) ||
      fail "ec2-user gets no session: ${said##*$'\n'}; the proxy says: $(tail -n 1 "$log" 2>/dev/null)" \
        "let the role assume itself (output role_trust_policy), and the instance reach sts.$region, then $again"
    sleep 1
  done
  [[ $said == arn:*":assumed-role/${role_arn##*/}/$name" ]] || fail "ec2-user gets the session $said, not $name" "$again"
  for each in $ways fd00:ec2::254/80; do
    ! as_user timeout 3 bash -c ": </dev/tcp/$each" 2>/dev/null ||
      fail "ec2-user reaches the metadata service at $each" "see the firewall's rules, then $again"
  done
}

# With ec2-user's rights alone: nothing depends on it. Clients find their region there, and what a user wrote stays.
write_config() {
  local repair="free some room in $home, then $again"
  [[ ! -e $home/.aws/config ]] || return 0
  # shellcheck disable=SC2016
  must 'write ~/.aws/config' as_user bash -c 'mkdir -p "$1" && cat >"$1/config"' bash "$home/.aws" < <(
    printf '[default]\nregion = %s\n' "$region"
    aws_profiles
  )
}

# What ran before may hold the base session's credentials. Units are started anew; there is no user yet to lose anything.
end_processes() {
  local units
  units=$(pgrep -u ec2-user | sed 's|.*|/proc/&/cgroup|' | xargs -r grep -hos '[^/ ]*\.service' | sort -u)
  # By one system call, which no process escapes by starting another.
  must "end ec2-user's processes" as_user bash -c 'kill -KILL -1 2>/dev/null; :'
  # shellcheck disable=SC2086
  [[ ! $units ]] || systemctl --no-block restart $units 2>/dev/null || :
}

# Gives ~/.aws back to ec2-user, where the profile mode locked it earlier in this boot.
unlock_aws_directory() (
  cd -P "$home/.aws" 2>/dev/null && [[ -O . && -O config ]] && head -n 1 config | grep -qxF "$mark" || exit 0
  must 'give ~/.aws to ec2-user' chattr -i . config credentials
  rm config
  must 'give ~/.aws to ec2-user' chown -h ec2-user: . credentials
)

our_rules() {
  list_rules | sed -n "/^-A.*$own/p; /^table.* $own/,/^}/p"
  echo "$ways"
}

# From its first line on, nobody but root gets anything; what fails leaves it at that.
set_up_imds_mode() {
  install_proxy
  start_proxy
  set_metadata_service closed
  verify_proxy
  unlock_aws_directory || exit 1
  write_config
  our_rules >"$folder/rules"
  [[ $EXTRA_ON_START ]] || : >"$folder/finished" || exit 1
}

# After the owner's script: closes and verifies all of it again, and keeps it so.
finish_imds_mode() {
  local was is
  was=$(<"$folder/rules")
  find_ways
  is=$(our_rules)
  set_metadata_service closed
  verify_proxy
  [[ $is == "$was" ]] ||
    fail "the firewall was changed since: $(diff <(echo "$was") <(echo "$is"))" "have extra_on_start leave its rules, then $again"
  : >"$folder/finished"
}

# Sets again what others changed, such as a NAT rule that SageMaker's agent put in front of ours when it started again.
# Rules are left alone only when they are as they were when setting them last changed nothing. An agent's address may
# become this machine's.
keep_closed() {
  local was='' is
  while sleep 5; do
    [[ -e $folder/finished ]] || continue
    is=$(list_rules)
    [[ $is == "$was" ]] || { was= && (set_metadata_service kept) && [[ $(list_rules) == "$is" ]] && was=$is; }
  done
}

undo_imds_mode() {
  stop_proxy
  set_metadata_service open
  rm -rf "$folder" "$known"
}
