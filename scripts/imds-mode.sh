# shellcheck shell=bash disable=SC2034,SC2154 # on-start.sh, which comes behind it, has the rest
# The imds mode of on-start.sh: from the metadata service, root gets the base session, as ever, and everyone else is sent
# to imds-proxy.py, which hands out the notebook session. The base session's credentials are then out of ec2-user's reach.
#
# Terraform puts the proxy before it, in IMDS_PROXY.

service=(169.254.169.254 fd00:ec2::254)
# Both only of this machine. The first is from the part of the link-local range that no machine may take by itself
# (RFC 3927, 2.1); loopback's own 127.0.0.1 can't be reached from a container.
proxy=(169.254.255.254 ::1)
port=254 # that only root can listen on

folder=/usr/local/lib/notebook-attribution
log=/var/log/notebook-attribution.log
pid_file=/run/notebook-attribution.pid
python=/usr/bin/python3

# Prints rules for IPv4 (0) or IPv6 (1), as iptables takes them. Root passes; what no user is known for isn't root's.
# Network cards are called eth0, ens5 and so on, the networks of containers aren't: no other machine gets an answer.
rules() {
  local to="${proxy[$1]}:$port"
  if [[ $1 == 1 ]]; then to="[${proxy[1]}]:$port"; fi
  if [[ $2 != closed ]]; then
    echo "nat OUTPUT -p tcp -d ${service[$1]} --dport 80 -m owner ! --uid-owner 0 -j DNAT --to-destination $to"
    echo "nat PREROUTING -p tcp -d ${service[$1]} --dport 80 -j DNAT --to-destination $to"
  fi
  echo "filter OUTPUT -d ${service[$1]} -m owner ! --uid-owner 0 -j REJECT"
  echo "filter FORWARD -d ${service[$1]} -j REJECT"
  echo "filter INPUT -i e+ -d ${proxy[$1]} -j REJECT"
}

# The same for nft, where there is no iptables: all of it at once.
nft_rules() {
  local reject="ip daddr ${service[0]} reject; ip6 daddr ${service[1]} reject" dnat=
  if [[ $1 == proxied ]]; then
    dnat="ip daddr ${service[0]} tcp dport 80 dnat ip to ${proxy[0]}:$port
      ip6 daddr ${service[1]} tcp dport 80 dnat ip6 to [${proxy[1]}]:$port"
  fi
  echo 'table inet notebook-attribution; delete table inet notebook-attribution'
  [[ $1 != open ]] || return 0
  cat <<RULES
table inet notebook-attribution {
  chain output { type filter hook output priority 0; meta skuid 0 accept; $reject; }
  chain forward { type filter hook forward priority 0; $reject; }
  chain input { type filter hook input priority 0; iifname "e*" ip daddr ${proxy[0]} reject; }
  chain nat-output { type nat hook output priority -100; meta skuid 0 accept
    $dnat
  }
  chain nat-prerouting { type nat hook prerouting priority -100
    $dnat
  }
}
RULES
}

# Sets the metadata service to closed (to all but root), proxied (closed, and port 80 leads to the proxy) or open.
set_metadata_service() {
  local repair="have iptables and ip6tables or nft on the instance, or set attribution_mode = \"profile\", then $again"
  if [[ -z $(type -P iptables) ]]; then
    [[ -n $(type -P nft) ]] || fail 'neither iptables nor nft is installed' "$repair"
    nft_rules "$1" | must 'set the firewall' nft -f - || exit 1
    return
  fi
  local family tools=(iptables) rule there
  if [[ -e /proc/net/if_inet6 ]]; then tools+=(ip6tables); fi
  for family in "${!tools[@]}"; do
    while read -ra rule; do
      "${tools[family]}" -w -t "${rule[0]}" -C "${rule[@]:1}" 2>/dev/null
      there=$?
      case $1-$there in
        open-0) must 'open the firewall' "${tools[family]}" -w -t "${rule[0]}" -D "${rule[@]:1}" ;;
        open-* | *-0) ;;
        *) must 'set the firewall' "${tools[family]}" -w -t "${rule[0]}" -I "${rule[@]:1}" ;;
      esac
    done < <(rules "$family" "$1")
  done
}

stop_proxy() {
  if [[ -d /run/systemd/system ]]; then
    systemctl stop notebook-attribution 2>/dev/null
  elif [[ -s $pid_file ]] && grep -qsF "$folder/run" "/proc/$(<"$pid_file")/cmdline"; then
    kill -KILL -- "-$(<"$pid_file")"
  fi
}

install_proxy() {
  local repair="have python3 3.9 or newer in $python, and room on /, then $again" addresses=("${proxy[0]}")
  must "use $python" "$python" -I -c 'import asyncio, ssl, sys; sys.exit(sys.version_info < (3, 9))'
  if grep -qs '^0*1 ' /proc/net/if_inet6; then addresses+=("${proxy[1]}"); fi
  must "make $folder" mkdir -p -m 0755 "$folder"
  printf '%s\n' "$IMDS_PROXY" >"$folder/imds-proxy.py" || fail "can't write $folder/imds-proxy.py" "$repair"
  # A file of its own, since systemd gives % and $ in a command a meaning of their own. It starts the proxy whenever that
  # ends: each start opens a session, so the sooner it ended, the later it is started again, a minute at the most.
  cat >"$folder/run" <<RUN || fail "can't write $folder/run" "$repair"
#!/bin/bash
ulimit -c 0
ulimit -n 4096
pause=1
while :; do
  SECONDS=0
  $(printf '%q ' "$python" -I -B "$folder/imds-proxy.py" serve "$role_arn" "$name" "$region" "$port" "${addresses[@]}")
  ((SECONDS < 60)) || pause=1
  sleep \$pause
  pause=\$((pause < 32 ? pause * 2 : 60))
done
RUN
  must "finish $folder" chmod 0755 "$folder/run"
}

start_proxy() {
  local repair="see what $log says, then $again"
  must "give the machine ${proxy[0]}" ip address replace "${proxy[0]}/32" dev lo
  stop_proxy
  if [[ -d /run/systemd/system ]]; then
    cat >/etc/systemd/system/notebook-attribution.service <<UNIT || fail "can't write the proxy's unit" "$make_room"
[Unit]
Description=Hands out the notebook session
StartLimitIntervalSec=0
[Service]
ExecStart=$folder/run
Restart=always
RestartSec=1
StandardOutput=append:$log
OOMScoreAdjust=-900
MemoryMax=256M
OOMPolicy=continue
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
UNIT
    must 'start the proxy' systemctl daemon-reload
    must 'start the proxy' systemctl restart notebook-attribution
  else
    setsid "$folder/run" </dev/null >>"$log" 2>&1 &
    echo $! >"$pid_file"
  fi
}

# As ec2-user, by the same way that its clients take.
verify_proxy() {
  local said end=$((SECONDS + 60)) expected=":assumed-role/${role_arn##*/}/$name"
  until said=$(as_user timeout 15 "$python" -I -B "$folder/imds-proxy.py" caller "$region" 2>&1); do
    ((SECONDS < end)) ||
      fail "ec2-user gets no session: ${said##*$'\n'}; the proxy says: $(tail -n 1 "$log" 2>/dev/null)" \
        "let the role assume itself with a source identity (output role_trust_policy), and the instance reach sts.$region, then $again"
    sleep 1
  done
  [[ $said == arn:*"$expected" ]] || fail "ec2-user gets the session $said, not $expected" "$again"
}

# With ec2-user's rights alone: nothing depends on it. Clients find their region there, and what a user wrote stays.
write_config() {
  local repair=$make_room
  [[ ! -e $home/.aws/config ]] || return 0
  # shellcheck disable=SC2016
  must 'write ~/.aws/config' as_user bash -c 'mkdir -p "$1/.aws" && printf "[default]\nregion = %s\n%s\n" "$2" "$3" >"$1/.aws/config"' bash "$home" "$region" "$(aws_profiles)"
}

# From its first line on, nobody but root gets anything; what fails leaves it at that.
set_up_imds_mode() {
  install_proxy
  start_proxy
  set_metadata_service proxied
  verify_proxy
  write_config
}

undo_imds_mode() {
  stop_proxy
  set_metadata_service open
}
