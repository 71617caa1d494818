"""Which of CPython's tests of asyncio do not apply to an enclave's event loop, and why.

A test is named ``Class.method``, with ``*`` for any part. Those in `NEVER` are not run. All that are
in `FAIL` must fail: one that passes after all is taken out of the table.
"""

from __future__ import annotations

_SOCKETS = "an enclave has no sockets of its own"
_DESCRIPTORS = "an enclave has no descriptors to wait for"
_PIPES = "pipes are the Pipes system actor's"
_PROCESSES = "an enclave starts no processes"
_THREADS = "an enclave starts no threads"
_SIGNALS = "no signal reaches an enclave"
_FILES = "an enclave has no files to send from"
_MOCKS = "it looks for calls of mocked sockets, and there are none to call"
_LATER = "it takes for granted that what was closed is gone, while the system actor has yet to answer"
_UNLINKED = "the system actor removes a socket's file, always and a moment later"
_SELECTORS = "the same tests for another selector, of which this loop has none"

NEVER: dict[str, dict[str, str]] = {
    "test_streams": {"StreamTests.test_async_writer_api_exception_after_close": _LATER},
    "test_events": {"PollEventLoopTests.*": _SELECTORS, "EPollEventLoopTests.*": _SELECTORS},
    "test_ssl": {"TestSSL.test_create_connection_memory_leak": _LATER},
    "test_sslproto": {"SelectorStartTLSTests.test_create_connection_memory_leak": _LATER},
    "test_base_events": {
        "BaseLoopSockSendfileTests.*": "of the selector loop, which it makes itself",
        "BaseEventLoopWithSelectorTests.test_create_connection_ipv6_scope": "it would leave the machine",
        "BaseEventLoopWithSelectorTests.test_create_connection_ssl_server_hostname_default": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_connection_ip_addr": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_connection_multiple*": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_connection_no_inet_pton": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_connection_happy_eyeballs*": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_connection_connect_*err*": _MOCKS,
    },
}

FAIL: dict[str, dict[str, str]] = {
    "test_streams": {
        "StreamTests.test_read_all_from_pipe_reader": _PIPES,
    },
    "test_ssl": {"TestSSL.test_connect_accepted_socket": _SOCKETS},
    "test_server": {
        "TestServer2.test_abort_clients": _SOCKETS,
        "TestServer2.test_close_clients": _LATER,
        "UnixServerCleanupTests.test_unix_server_addr_cleanup": _UNLINKED,
        "UnixServerCleanupTests.test_unix_server_sock_cleanup": _UNLINKED,
    },
    "test_threads": {"ToThreadTests.*": _THREADS},
    "test_tasks": {
        "RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe": _THREADS,
        "RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_cancelled": _THREADS,
        "RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_task_factory_exception": _THREADS,
        "RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_exception": _THREADS,
        "RunCoroutineThreadsafeTests.test_run_coroutine_threadsafe_with_timeout": _THREADS,
    },
    "test_events": {
        "SelectEventLoopTests.*signal*": _SIGNALS,
        "SelectEventLoopTests.test_bidirectional_pty": _PIPES,
        "SelectEventLoopTests.test_*_pipe*": _PIPES,
        "SelectEventLoopTests.test_read_pty_output": _PIPES,
        "SelectEventLoopTests.test_write_pty": _PIPES,
        "SelectEventLoopTests.test_*connect_accepted_socket*": _SOCKETS,
        "SelectEventLoopTests.test_create_datagram_endpoint_sock": _SOCKETS,
        "SelectEventLoopTests.test_create_server_sock": _SOCKETS,
        "SelectEventLoopTests.test_create_server_trsock": _SOCKETS,
        "SelectEventLoopTests.test_datagram_send_to_non_listening_address": _SOCKETS,
        "SelectEventLoopTests.test_create_server_multiple_hosts_ipv4": _MOCKS,
        "SelectEventLoopTests.test_create_server_multiple_hosts_ipv6": _MOCKS,
        "SelectEventLoopTests.test_create_server_reuse_port": _SOCKETS,
        "SelectEventLoopTests.test_prompt_cancellation": _SOCKETS,
        "SelectEventLoopTests.test_internal_fds": _DESCRIPTORS,
        "SelectEventLoopTests.test_reader_callback": _DESCRIPTORS,
        "SelectEventLoopTests.test_writer_callback": _DESCRIPTORS,
        "SelectEventLoopTests.test_remove_fds_after_closing": _DESCRIPTORS,
        "SelectEventLoopTests.test_run_in_executor": _THREADS,
        "SelectEventLoopTests.test_run_in_executor_cancel": _THREADS,
        "SelectEventLoopTests.test_server_close": "the system actor closes the listener a moment later",
        "SelectEventLoopTests.test_subprocess_*": _PROCESSES,
        "Test*GetEventLoop.test_get_event_loop_new_process": _THREADS,
    },
    "test_base_events": {
        "BaseEventLoopTests.test_asyncgen_finalization_by_gc_in_other_thread": _THREADS,
        "BaseEventLoopTests.test_shutdown_default_executor_timeout": _THREADS,
        "BaseEventLoopTests.test_not_implemented": "it is about what a loop must add, and this one has added",
        "BaseEventLoopWithSelectorTests.test_accept_connection_*": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_call_coroutine": _THREADS,
        "BaseEventLoopWithSelectorTests.test_create_connection_bluetooth": _SOCKETS,
        "BaseEventLoopWithSelectorTests.test_create_connection_service_name": "ports have numbers, not names",
        "BaseEventLoopWithSelectorTests.test_create_connection_timeout": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_connection_wrong_sock": _SOCKETS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_allow_broadcast": "no broadcasts",
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_cant_bind": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_connect_err": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_existing_sock_unix": _SOCKETS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_ip_addr": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_no_addrinfo": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_nosoreuseport": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_setblk_err": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sock": _SOCKETS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sock_unix": _SOCKETS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_socket_err": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_sockopts": _SOCKETS,
        "BaseEventLoopWithSelectorTests.test_create_datagram_endpoint_wrong_sock": _SOCKETS,
        "BaseEventLoopWithSelectorTests.test_create_server_cant_bind": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_server_no_getaddrinfo": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_server_nosoreuseport": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_server_soreuseport_only_defined": _MOCKS,
        "BaseEventLoopWithSelectorTests.test_create_server_wrong_sock": _SOCKETS,
        "BaseEventLoopWithSelectorTests.test_getnameinfo": "names of addresses are not offered",
    },
}

MODULES = (
    "test_base_events",
    "test_buffered_proto",
    "test_context",
    "test_eager_task_factory",
    "test_events",
    "test_futures",
    "test_futures2",
    "test_locks",
    "test_pep492",
    "test_protocols",
    "test_queues",
    "test_runners",
    "test_server",
    "test_ssl",
    "test_sslproto",
    "test_staggered",
    "test_streams",
    "test_taskgroups",
    "test_tasks",
    "test_threads",
    "test_timeouts",
    "test_transports",
    "test_waitfor",
)
"""Which modules are run."""

LEFT_OUT = {
    "test_free_threading": "of builds without a lock for all threads",
    "test_pidfdchildwatcher": _PROCESSES,
    "test_proactor_events": "another loop's own",
    "test_selector_events": "another loop's own",
    "test_sendfile": _FILES,
    "test_sock_lowlevel": _SOCKETS,
    "test_subprocess": _PROCESSES,
    "test_unix_events": "another loop's own",
    "test_windows_events": "of another system",
    "test_windows_utils": "of another system",
}
"""Which modules are not, and why."""
