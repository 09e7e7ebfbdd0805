"""`kittentts wyoming`: a voice for Home Assistant, over the Wyoming protocol."""

from __future__ import annotations

import argparse
import importlib.util
import logging
from typing import TYPE_CHECKING

from kittentts.cli.options import add_command, add_model_option, add_speech_options, open_model, speech
from kittentts.cli.progress import print_status
from kittentts.cli.service import add_limits, check_limits, public_name
from kittentts.defaults import pip_install
from kittentts.errors import MissingExtraError
from kittentts.service.listening import is_loopback
from kittentts.wyoming import settings

if TYPE_CHECKING:
    import socket

    from kittentts.cli.options import Commands

logger = logging.getLogger(__name__)

_EXAMPLES = """\
kittentts wyoming -m demo
kittentts wyoming --uri tcp://0.0.0.0:10200 --zeroconf"""
_DETAILS = (
    "Home Assistant: Settings > Devices & services > Add integration > Wyoming Protocol, with host and port.\n"
    "The protocol has no key: whoever reaches the address can let it speak.\n"
)


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "wyoming",
        _run,
        "serve Home Assistant and others over the Wyoming protocol",
        _EXAMPLES,
        details=_DETAILS,
    )
    add_model_option(parser)
    group = parser.add_argument_group("server")
    group.add_argument(
        "--uri",
        default=settings.URI,
        help="where to listen: tcp://HOST:PORT (port 0 is any that is free), unix:///PATH, or stdio:// "
        "(default: %(default)s)",
    )
    group.add_argument("--zeroconf", action="store_true", help="let Home Assistant find the server in the network")
    group.add_argument(
        "--low-latency",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let the first sound come sooner, by speaking long sentences in pieces (default)",
    )
    add_limits(group, settings.Settings(""))
    add_speech_options(parser)


def _run(options: argparse.Namespace) -> None:
    try:
        from kittentts.wyoming import request, run
    except ImportError as error:
        raise MissingExtraError(f"the protocol needs wyoming ({error}): {pip_install('wyoming')}") from error

    if not options.quiet:
        request.logger.setLevel(logging.INFO)
    check_limits(options)
    with run.bind_uri(options.uri) as bound:
        discovery = _discovery(options, bound)
        model = open_model(options)
        parameters = speech(options) | {"look_ahead": True, "low_latency": options.low_latency}
        # each request has its own
        del parameters["cancel"]
        # what every request would fail on fails now; nothing is spoken before it is asked for
        model.generate_stream("Hello.", **parameters).close()
        server = run.Server(
            model,
            settings.Settings(
                model_name=public_name(options.model),
                speech=parameters,
                max_chars=options.max_chars,
                concurrency=options.concurrency,
                queue=options.queue,
                queue_timeout=options.queue_timeout,
                timeout=options.timeout,
                log_text=options.log_text,
            ),
            options.grace,
            announce=lambda: print_status(f"listening on {_address(options.uri, bound)}"),
        )
        server.handle_signals()
        with model:
            server.run(bound, discovery)


def _discovery(options: argparse.Namespace, bound: socket.socket | None) -> str | None:
    """Return the address that Home Assistant is to be told; warn if others than this machine reach the server."""
    host = bound.getsockname()[0] if bound is not None and options.uri.startswith("tcp:") else "localhost"
    if not is_loopback(host):
        logger.warning("others can reach %s, and the Wyoming protocol has no key", options.uri)
    if not options.zeroconf:
        return None
    if is_loopback(host) or ":" in host:
        options.wrong_usage(
            f"--zeroconf: others cannot reach {options.uri} by IPv4; give --uri tcp://0.0.0.0:10200, for example"
        )
    if importlib.util.find_spec("zeroconf") is None:
        raise MissingExtraError(f"--zeroconf needs zeroconf: {pip_install('wyoming')}")
    return str(host)


def _address(uri: str, bound: socket.socket | None) -> str:
    if bound is None or not uri.startswith("tcp:"):
        return uri
    host, port = bound.getsockname()[:2]
    return f"tcp://{f'[{host}]' if ':' in host else host}:{port}"
