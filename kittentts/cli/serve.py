"""`kittentts serve`: OpenAI's speech API over HTTP."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING

from kittentts.cli.options import add_command, add_model_option, add_speech_options, open_model, speech
from kittentts.cli.progress import print_status
from kittentts.cli.service import add_limits, check_limits, public_name
from kittentts.defaults import pip_install
from kittentts.errors import MissingExtraError, VoiceError
from kittentts.server import settings
from kittentts.service.listening import bind, is_loopback

if TYPE_CHECKING:
    import argparse

    from kittentts import KittenTTS
    from kittentts.cli.options import Commands

logger = logging.getLogger(__name__)

_EXAMPLES = """\
kittentts serve -m demo
KITTENTTS_API_KEY=secret kittentts serve --host 0.0.0.0 --port 80"""
_DETAILS = "Clients of OpenAI's speech API use it as http://HOST:PORT/v1; a browser finds a page at http://HOST:PORT.\n"


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "serve", _run, "serve OpenAI's speech API over HTTP", _EXAMPLES, details=_DETAILS)
    add_model_option(parser)
    defaults = settings.Settings((), {})
    group = parser.add_argument_group("server")
    group.add_argument("--host", default=settings.HOST, help="where to listen (default: %(default)s)")
    group.add_argument("--port", type=int, default=settings.PORT, help="0 is any that is free (default: %(default)s)")
    group.add_argument(
        "--api-key",
        metavar="KEY",
        default=os.environ.get("KITTENTTS_API_KEY"),
        help="what requests must carry as 'Authorization: Bearer KEY' (default: KITTENTTS_API_KEY)",
    )
    group.add_argument("--no-auth", action="store_true", help="let everybody in, though others can reach the host")
    group.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="let requests reach the server under this name, besides localhost, IP addresses and that of --host; "
        "'*' is any; may be repeated",
    )
    group.add_argument(
        "--allow-origin",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="let web pages of this origin use the API, like https://example.org; '*' is any; may be repeated",
    )
    group.add_argument(
        "--model-alias",
        metavar="NAME",
        action="append",
        default=[],
        help=f"another name of the model, besides {', '.join(settings.MODEL_ALIASES)}; may be repeated",
    )
    group.add_argument(
        "--voice-alias",
        metavar="NAME=VOICE",
        action="append",
        default=[],
        help="another name of a voice, in place of our choice for OpenAI's (alloy, nova, ...) too; may be repeated",
    )
    add_limits(group, defaults)
    group.add_argument(
        "--low-latency",
        action="store_true",
        help="let the first sound come sooner, by speaking long sentences in pieces, where a request does not say",
    )
    add_speech_options(parser)


def _run(options: argparse.Namespace) -> None:
    try:
        from kittentts.server import request_log, run
    except ImportError as error:
        raise MissingExtraError(f"the server needs FastAPI and uvicorn ({error}): {pip_install('server')}") from error

    if not options.quiet:
        request_log.logger.setLevel(logging.INFO)
    _check(options)
    # a key from a file often ends in a newline
    api_key = None if options.api_key is None else options.api_key.strip()
    if api_key is not None and not (api_key and api_key.isprintable()):
        options.wrong_usage(
            "the API key (--api-key or KITTENTTS_API_KEY) is empty or has control characters; "
            "give a key of printable characters, or none at all"
        )
    if not (api_key or options.no_auth or is_loopback(options.host)):
        options.wrong_usage(
            f"others can reach {options.host}: give --api-key or KITTENTTS_API_KEY, or let everybody in with --no-auth"
        )
    with bind(options.host, options.port) as bound:
        model = open_model(options)
        voices = model.available_voices
        aliases = settings.known_aliases(settings.VOICE_ALIASES, voices)
        aliases |= dict(_voice_alias(options, text, model) for text in options.voice_alias)
        parameters = speech(options) | {"low_latency": options.low_latency}
        # each request has its own
        del parameters["cancel"]
        # what every request would fail on fails now; nothing is spoken before it is asked for
        model.generate_stream("Hello.", **parameters).close()
        host, port = bound.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        run.serve(
            model,
            settings.Settings(
                model_names=(public_name(options.model), *settings.MODEL_ALIASES, *options.model_alias),
                voice_aliases=aliases,
                speech=parameters,
                api_key=api_key,
                max_chars=options.max_chars,
                concurrency=options.concurrency,
                queue=options.queue,
                queue_timeout=options.queue_timeout,
                timeout=options.timeout,
                host=options.host,
                allow_hosts=tuple(name.lower() for name in options.allow_host),
                allow_origins=tuple(options.allow_origin),
                log_text=options.log_text,
            ),
            bound,
            options.grace,
            announce=lambda: print_status(f"listening on {address}"),
        )


def _check(options: argparse.Namespace) -> None:
    if not 0.25 <= options.speed <= 4.0:  # noqa: PLR2004
        options.wrong_usage(f"--speed {options.speed}: OpenAI's API knows 0.25 to 4.0")
    check_limits(options)
    for name in options.allow_host:
        if not re.fullmatch(r"\*|[^\s:/]+", name):
            options.wrong_usage(
                f"--allow-host {name!r}: a name without scheme and port is needed, like tts.example.org"
            )
    for origin in options.allow_origin:
        if not re.fullmatch(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/]+", origin):
            options.wrong_usage(f"--allow-origin {origin!r}: scheme://host[:port] is needed, like https://example.org")
    if not 0 <= options.port < 65536:  # noqa: PLR2004
        options.wrong_usage(f"--port {options.port}: a number from 0 to 65535 is needed")


def _voice_alias(options: argparse.Namespace, text: str, model: KittenTTS) -> tuple[str, str]:
    name, equals, voice = text.partition("=")
    if not (name and equals):
        options.wrong_usage(f"--voice-alias {text!r}: NAME=VOICE is needed, like alloy=Luna")
    try:
        model.generate_stream("Hello.", voice).close()
    except VoiceError as error:
        options.wrong_usage(f"--voice-alias {text!r}: {error}")
    return name, voice
