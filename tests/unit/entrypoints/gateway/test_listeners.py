import socket

import pytest

from edgemind.domain.fleet import Site
from edgemind.entrypoints.gateway.listeners import Address, admin_address, bind, data_address
from edgemind.errors import ConfigurationError, PermanentError


def site(gateway: str | None = None, admin: str | None = None) -> Site:
    return Site("site-a", frozenset(), (), gateway_url=gateway, admin_url=admin)


@pytest.mark.parametrize(
    ("gateway", "host", "port", "expected"),
    [
        ("http://10.0.0.1:8100", None, None, "10.0.0.1:8100"),
        ("http://10.0.0.1:8100", "0.0.0.0", None, "0.0.0.0:8100"),
        ("http://10.0.0.1:8100", None, 9000, "10.0.0.1:9000"),
        ("https://edge.example", None, None, "edge.example:443"),
        ("http://edge.example", None, None, "edge.example:80"),
        ("http://[::1]:8100", None, None, "[::1]:8100"),
        (None, None, 0, "127.0.0.1:0"),
        (None, "::1", 5, "[::1]:5"),
    ],
)
def test_flags_come_before_what_is_declared(
    gateway: str | None, host: str | None, port: int | None, expected: str
) -> None:
    assert str(data_address(site(gateway), host, port)) == expected


def test_without_either_it_says_what_to_add() -> None:
    with pytest.raises(ConfigurationError, match="--port"):
        data_address(site(), None, None)


def test_each_worker_has_its_admin_port() -> None:
    data = Address("0.0.0.0", 8100)
    assert admin_address(site(admin="http://127.0.0.1:8300"), data, 2) == Address("127.0.0.1", 8302)
    assert admin_address(site(), data, 1) == Address("127.0.0.1", 8301)
    assert admin_address(site(admin="http://site-a:8300"), data, 2, "0.0.0.0") == Address("0.0.0.0", 8302)
    assert admin_address(site(), Address("0.0.0.0", 0), 3) == Address("127.0.0.1", 0)


def test_a_bound_socket_listens_and_is_inherited() -> None:
    with bind(Address("127.0.0.1", 0), "gateway") as listener:
        assert listener.get_inheritable()
        assert not listener.getblocking()
        with socket.create_connection(listener.getsockname()):
            pass


def test_a_taken_port_says_who_has_it_and_what_to_do() -> None:
    with bind(Address("127.0.0.1", 0), "first") as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PermanentError, match=rf"second: 127.0.0.1:{port} is taken .* choose another port"):
            bind(Address("127.0.0.1", port), "second")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_strange_address_is_refused_in_words(host: str) -> None:
    with pytest.raises(PermanentError, match="is not an address of this machine"):
        bind(Address(host, 8100), "gateway")


def test_a_port_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(PermanentError, match="70000"):
        bind(Address("127.0.0.1", 70000), "gateway")
