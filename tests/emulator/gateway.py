"""AWS as a notebook instance sees it: names that resolve, and endpoints that speak TLS.

Every name of AWS's leads to one address. What arrives there goes on to LocalStack as it is, byte for byte, so that
clients use the real names, with no endpoint setting.
"""

import asyncio
import contextlib
import ipaddress
import re
import ssl
from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import urlsplit

import trustme
from dnslib import QTYPE, RCODE, RR, A, DNSError, DNSRecord  # type: ignore[import-untyped]
from emulator.faults import Faults
from emulator.network import RESOLVER, Network

_AWS_NAME = re.compile(r"(^|\.)(amazonaws\.com(\.cn)?|api\.aws|aws)$", re.IGNORECASE)
_NAME_LIFETIME = 60

_Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def resolve(query: bytes, gateway: str) -> bytes:
    """Answer one DNS question: the gateway's address for every name of AWS's; no other name exists."""
    request = DNSRecord.parse(query)
    answer = request.reply()
    if not _AWS_NAME.search(str(request.q.qname).rstrip(".")):
        answer.header.rcode = RCODE.NXDOMAIN
    elif request.q.qtype in (QTYPE.A, QTYPE.ANY):
        answer.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(gateway), ttl=_NAME_LIFETIME))
    return bytes(answer.pack())


class _Resolver(asyncio.DatagramProtocol):
    def __init__(self, gateway: str) -> None:
        self._gateway = gateway

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        with contextlib.suppress(DNSError):  # as a real resolver, don't answer what is no question
            self._transport.sendto(resolve(data, self._gateway), addr)


def _resolver_over_tcp(gateway: str) -> _Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(DNSError, asyncio.IncompleteReadError, ConnectionError):
            while True:
                size = int.from_bytes(await reader.readexactly(2))
                answer = resolve(await reader.readexactly(size), gateway)
                writer.write(len(answer).to_bytes(2) + answer)
                await writer.drain()
        writer.close()

    return handle


class CertificateAuthority:
    """The one authority that the instance trusts; it lives in memory, and makes a certificate for each name asked for."""

    def __init__(self, gateway: str) -> None:
        self._authority = trustme.CA(organization_name="Emulated AWS")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.server_context = self._context_for(gateway)
        self.server_context.sni_callback = self._choose

    @property
    def certificate(self) -> str:
        """The authority's own certificate, as PEM."""
        return self._authority.cert_pem.bytes().decode()

    def _context_for(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(name).configure_cert(context)
            self._contexts[name] = context
        return self._contexts[name]

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name:
            connection.context = self._context_for(name)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def _forwarder(endpoint_url: str, source: str, faults: Faults) -> _Handler:
    endpoint = urlsplit(endpoint_url)
    host, port = endpoint.hostname or "127.0.0.1", endpoint.port or 80
    # Only a loopback address can be reached from a source address on the loopback network.
    host = host if _is_loopback(host) else "127.0.0.1"

    async def handle(client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        head = b""
        if fault := faults.of("sts"):
            head = await client_reader.read(1 << 16)
            if re.search(rb"\r\nhost: *sts\.", head, re.IGNORECASE):
                await asyncio.sleep(fault.wait)
                if fault.answer is not None:
                    with contextlib.suppress(ConnectionError):
                        await fault.write(client_writer)
                    client_writer.close()
                    return
        try:
            reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
        except OSError:
            client_writer.close()
            return
        writer.write(head)
        try:
            # TLS has no half-closed state: the first side to end ends the other.
            directions = [
                asyncio.ensure_future(_copy(client_reader, writer)),
                asyncio.ensure_future(_copy(reader, client_writer)),
            ]
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            for direction in directions:
                direction.cancel()
        finally:
            writer.close()
            client_writer.close()

    return handle


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def serve(network: Network, authority: CertificateAuthority, endpoint_url: str, faults: Faults) -> None:
    """Start to answer on the instance's network."""
    gateway = network.addresses.gateway
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Resolver(gateway), sock=network.listen_for_datagrams(RESOLVER, 53))
    await asyncio.start_server(_resolver_over_tcp(gateway), sock=network.listen(RESOLVER, 53))
    forward = _forwarder(endpoint_url, network.addresses.source, faults)
    await asyncio.start_server(forward, sock=network.listen(gateway, 443), ssl=authority.server_context)
    await asyncio.start_server(forward, sock=network.listen(gateway, 80))
