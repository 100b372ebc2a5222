"""Arguments of Docker API requests. Pure."""

from typing import Any

from pqbed.beds.docker.engine_interface import ContainerSpec, NetworkSpec


def network_arguments(spec: NetworkSpec) -> dict[str, Any]:
    """Return what `APIClient.create_network` takes."""
    return {
        "name": spec.name,
        "driver": "bridge",
        "internal": True,
        "check_duplicate": True,
        "labels": dict(spec.labels),
        "ipam": {"Driver": "default", "Config": [{"Subnet": spec.subnet, "Gateway": spec.gateway}]},
    }


def container_arguments(client: Any, spec: ContainerSpec, endpoint_mac: bool) -> dict[str, Any]:
    """Return what `APIClient.create_container` takes. `endpoint_mac`: the MAC address belongs to the endpoint."""
    arguments: dict[str, Any] = {
        "image": spec.image,
        "command": list(spec.argv),
        "name": spec.name,
        "labels": dict(spec.labels),
        "user": spec.user,
        "environment": dict(spec.environment),
        # An image's own entry point is not used: argv runs.
        "entrypoint": [],
        "stdin_open": spec.attached,
        "host_config": client.create_host_config(**_host_arguments(spec)),
    }
    if spec.attachment is not None:
        mac = {"mac_address": spec.attachment.mac}
        endpoint = client.create_endpoint_config(ipv4_address=spec.attachment.address, **(mac if endpoint_mac else {}))
        arguments["networking_config"] = client.create_networking_config({spec.attachment.network: endpoint})
        if not endpoint_mac:
            arguments |= mac
    return arguments


def _host_arguments(spec: ContainerSpec) -> dict[str, Any]:
    if spec.attachment is not None:
        network = spec.attachment.network
    else:
        network = "none" if spec.joins is None else f"container:{spec.joins}"
    return {
        "network_mode": network,
        "cap_drop": ["ALL"],
        "cap_add": list(spec.capabilities),
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "tmpfs": dict(spec.tmpfs),
        "pids_limit": spec.limits.pids,
        "mem_limit": spec.limits.memory_bytes,
        # The same as of memory alone: no swap, which would be a delay that no link has.
        "memswap_limit": spec.limits.memory_bytes,
        "log_config": {"type": "json-file", "config": {"max-size": str(spec.limits.log_bytes), "max-file": "1"}},
        "sysctls": dict(spec.sysctls),
        "auto_remove": spec.attached,
    }
