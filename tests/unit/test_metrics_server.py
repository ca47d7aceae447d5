"""The endpoint of a process: what it answers, and where it listens."""

from __future__ import annotations

import http.client
import socket

import pytest

from pipeline.errors import ConfigurationError
from pipeline.metrics import Metrics, MetricsServer


def get(server: MetricsServer, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(server.address, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def serving(reason: str | None = None, *, port: int = 0) -> MetricsServer:
    return MetricsServer(Metrics(), lambda: reason, host="127.0.0.1", port=port)


def test_it_serves_the_metrics() -> None:
    with serving() as server:
        status, text = get(server, "/metrics")
    assert status == 200
    assert "orgstream_relayed_changes_total 0.0\n" in text


def test_a_process_lives_before_it_is_ready() -> None:
    with serving("the schema is not migrated") as server:
        assert get(server, "/healthz") == (200, "alive\n")
        assert get(server, "/readyz") == (503, "the schema is not migrated\n")


def test_it_is_ready_when_there_is_no_reason_not_to_be() -> None:
    with serving() as server:
        assert get(server, "/readyz?verbose") == (200, "ready\n")


def test_other_paths_are_not_found() -> None:
    with serving() as server:
        assert get(server, "/")[0] == 404


def test_each_process_of_a_machine_finds_a_port_of_its_own() -> None:
    with serving() as first, serving() as second:
        ports = [int(server.address.rpartition(":")[2]) for server in (first, second)]
    assert min(ports) >= 9464
    assert ports[0] != ports[1]


def test_the_port_is_free_again_afterwards() -> None:
    with serving() as server:
        port = int(server.address.rpartition(":")[2])
    with serving(port=port) as again:
        assert get(again, "/healthz")[0] == 200


def test_a_port_that_is_taken_is_named() -> None:
    with serving() as server:
        port = int(server.address.rpartition(":")[2])
        with pytest.raises(ConfigurationError, match=rf"port {port} .*ORGSTREAM_METRICS_PORT"):
            serving(port=port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="ORGSTREAM_METRICS_HOST"):
        MetricsServer(Metrics(), lambda: None, host="192.0.2.1", port=0)


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_it_listens_on_ipv6_where_told_so() -> None:
    try:
        server = MetricsServer(Metrics(), lambda: None, host="::1", port=0)
    except ConfigurationError:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        assert server.address.startswith("[::1]:")
        assert get(server, "/healthz")[0] == 200
