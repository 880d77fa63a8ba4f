"""The AWS provider behind a gRPC proxy that tells what some types of resources look like, not all 1,500.

Terraform reads the schema of every type before each command, which takes most of a plan's processor time. All other
questions and answers pass as they are: the provider does what it always does.

A provider has one configuration. Where a root configures several, each has a connection of its own from Terraform, and here
a process of its own from when it is configured, which later commands that configure it the same way find again.

Usage: slim_provider.py PROGRAM FOLDER TYPE...: reads commands, a line of JSON each. {"start": {...}} starts a provider with
these environment variables, and prints what TF_REATTACH_PROVIDERS has to hold to lead to its proxy, or an error;
{"end": "ADDRESS"} ends the one whose proxy has this address. The processes end with this one. In the folder it keeps what
the program told of the types.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import grpc

# In the answer to GetSchema (tfplugin5.proto), the schemas of resources and of data sources, each a map by type.
_BY_TYPE = (2, 3)
_LENGTH_DELIMITED = 2
_ANY_LENGTH = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class ProviderError(Exception):
    """The provider ended instead of saying where it listens."""


def _number(message: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place in a protobuf message, and where it ends."""
    value = shift = 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | message[at] << shift, at + 1


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each field's number, its content, and all of it; there are none here but of messages and strings."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _number(message, at)
        if tag & 7 != _LENGTH_DELIMITED:
            raise ProviderError(f"the schema has a field of another kind: {tag}")
        length, at = _number(message, at)
        yield tag >> 3, message[at : at + length], message[start : at + length]
        at += length


def slim(schema: bytes, types: frozenset[str]) -> bytes:
    """Leave the other types of resources and data sources out of an answer to GetSchema."""

    def type_of(entry: bytes) -> str:
        return next(content for number, content, _ in _fields(entry) if number == 1).decode()

    return b"".join(
        whole for number, content, whole in _fields(schema) if number not in _BY_TYPE or type_of(content) in types
    )


class Schemas:
    """The answers to GetSchema without the other types; a provider that is started again isn't asked again."""

    def __init__(self, program: str, folder: Path, types: frozenset[str]) -> None:
        found = os.stat(program)
        self._program = [os.path.realpath(program), found.st_size, found.st_mtime_ns]
        self._folder, self._types = folder, types

    def of(self, provider: grpc.Channel, method: str) -> bytes:
        """Return the answer to a method of a provider's."""
        name = hashlib.sha256(json.dumps([*self._program, method, sorted(self._types)]).encode()).hexdigest()
        path = self._folder / name
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            # Beside its place, so that no other process reads half of it.
            new = path.with_name(f"{name}.{os.getpid()}")
            new.write_bytes(slim(provider.unary_unary(method)(b""), self._types))
            new.replace(path)
        return path.read_bytes()


class Providers:
    """The provider's processes, one for each configuration; what comes before a configuration, the first one answers."""

    def __init__(self, program: str, environment: dict[str, str]) -> None:
        self._program, self._environment = program, environment
        self._processes: list[subprocess.Popen[bytes]] = []
        self.told = self._start()
        self.first = self._channel(self.told)
        self._of_configuration: dict[bytes, grpc.Channel] = {}
        self._of_connection: dict[str, grpc.Channel] = {}
        self._lock = threading.Lock()

    def _start(self) -> dict[str, Any]:
        """Start the provider; return where it listens, in the words of TF_REATTACH_PROVIDERS."""
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", self._program, "-debug"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        assert process.stdout
        for line in process.stdout:
            name, _, value = line.decode().strip().partition("=")
            if name == "TF_REATTACH_PROVIDERS":
                told: dict[str, Any] = json.loads(value.strip("'"))
                return told
        raise ProviderError(f"{self._program} -debug ended with status {process.wait()}")

    def end(self) -> None:
        """End them."""
        for process in self._processes:
            process.kill()
            process.communicate()

    @staticmethod
    def _channel(told: dict[str, Any]) -> grpc.Channel:
        (one,) = told.values()
        return grpc.insecure_channel(f"unix:{one['Addr']['String']}", _ANY_LENGTH)

    def of(self, connection: str, method: str, question: bytes) -> grpc.Channel:
        """Return which one has to answer."""
        if not method.endswith(".Provider/Configure"):
            return self._of_connection.get(connection, self.first)
        with self._lock:
            if question not in self._of_configuration:
                new = self._channel(self._start()) if self._of_configuration else self.first
                self._of_configuration[question] = new
            self._of_connection[connection] = self._of_configuration[question]
        return self._of_connection[connection]


class Proxy(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Hands each question on to the provider; the schema, and whether a configuration is a valid one, is asked for once."""

    def __init__(self, providers: Providers, schemas: Schemas) -> None:
        self._providers = providers
        self._schema = cache(lambda method: schemas.of(providers.first, method))
        # Beside the configuration the provider checks all its 1,500 types each time, which takes most of a plan's time there.
        self._checked = cache(lambda method, configuration: providers.first.unary_unary(method)(configuration))

    def service(self, details: Any) -> Any:
        """Return what answers a method; None, what isn't the provider's, such as go-plugin's own services."""
        if not details.method.startswith("/tfplugin"):
            return None

        def answer(question: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                if details.method.endswith(".Provider/GetSchema"):
                    return self._schema(details.method)
                if details.method.endswith(".Provider/PrepareProviderConfig"):
                    return bytes(self._checked(details.method, question))
                provider = self._providers.of(context.peer(), details.method, question)
                return bytes(provider.unary_unary(details.method)(question))
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
                raise

        return grpc.unary_unary_rpc_method_handler(answer)


class Running:
    """A provider and the proxy before it."""

    def __init__(self, providers: Providers, schemas: Schemas) -> None:
        self._providers = providers
        # Terraform has ten requests under way for each provider, and each may ask others to stop.
        self._server = grpc.server(ThreadPoolExecutor(32), [Proxy(providers, schemas)], options=_ANY_LENGTH)
        # Not a Unix socket, on which all connections look the same.
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def reattach(self) -> dict[str, Any]:
        """Return what TF_REATTACH_PROVIDERS has to hold."""
        proxy = {"Addr": {"Network": "tcp", "String": self.address}}
        return {name: one | proxy for name, one in self._providers.told.items()}

    def end(self) -> None:
        """End both."""
        self._server.stop(None)
        self._providers.end()


def main(program: str, folder: str, *types: str) -> None:
    """Do as the commands on standard input say."""
    schemas = Schemas(program, Path(folder), frozenset(types))
    running: dict[str, Running] = {}
    for line in sys.stdin:
        command = json.loads(line)
        if "end" in command:
            running.pop(command["end"]).end()
            continue
        try:
            new = Running(Providers(program, command["start"]), schemas)
        except (OSError, ProviderError) as error:
            print(json.dumps({"error": str(error)}), flush=True)
            continue
        running[new.address] = new
        print(json.dumps(new.reattach()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
