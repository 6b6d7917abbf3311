import socket

import pytest

from edgemind.entrypoints.model_server.serving import reserve, serve
from edgemind.errors import ConfigurationError


async def nothing(*_: object) -> None:
    raise AssertionError("nobody connects")


def test_a_port_bound_by_two_is_refused_to_the_second_one_to_listen() -> None:
    (first,) = reserve([("127.0.0.1", 0)])
    address = first.getsockname()
    (second,) = reserve([address])
    first.listen()
    try:
        with pytest.raises(ConfigurationError, match=f"port {address[1]} on 127.0.0.1 is taken"):
            serve(nothing, [second], lambda: pytest.fail("it is not ready"))
        with pytest.raises(ConfigurationError, match="is taken by another process"):
            reserve([address])
    finally:
        first.close()
        second.close()


def test_a_host_that_is_not_this_machine_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1:8400 .*address of this machine"):
        reserve([("192.0.2.1", 8400)])


def test_if_one_address_cannot_be_had_the_others_are_given_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()
        with pytest.raises(ConfigurationError):
            reserve([free, taken.getsockname()])
        socket.create_server(free).close()
