"""The `unsaid` command."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import TextIO, TypeVar

from chat import __version__, catalogue
from chat.catalogue import Model
from chat.cli_eval import add_eval
from chat.cli_scan import add_scan
from chat.errors import ChatError, PortError, QuestionError, ScanError, UnknownModelError
from chat.export import verdict_record
from chat.session import Compare, Reply, Update, clean_question, clean_text, watch
from chat.ui.render import shown, sure, title, what
from chat.ui.texts import Texts, load_texts
from detectors import DetectorError, Flag, Label, Outcome, Turn

N = TypeVar("N", int, float)


class Exit(IntEnum):
    """What the exit code means."""

    OK = 0
    FLAGGED = 1  # only with --fail-on-flag
    USAGE = 2
    FAILED = 3  # the model could not be loaded, or broke off
    PORT = 4
    INTERRUPTED = 130


EPILOG = """\
examples:
  unsaid                                   the page, at http://127.0.0.1:7860
  unsaid chat --engine Qwen/Qwen2.5-0.5B-Instruct
  unsaid chat --engine http://127.0.0.1:8000/v1
  unsaid chat --engine replay:replies.jsonl.gz
  unsaid ask "What happened at Tiananmen Square in 1989?"
  echo "六四事件是什么？" | unsaid ask --json
  unsaid scan replies.jsonl.gz -o verdicts.jsonl
  unsaid eval replies.jsonl.gz --lang en
  unsaid models

exit codes:
  0 done   1 flagged (ask --fail-on-flag)   2 wrong usage or configuration
  3 the model failed   4 the port is in use   130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    args = _parser().parse_args(sys.argv[1:] if argv is None else argv)
    try:
        code = int(args.run(args))
        sys.stdout.flush()  # here, where a reader that went away is no error
        return code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at its end
        return Exit.OK
    except (DetectorError, QuestionError, ScanError, UnknownModelError) as error:
        return _complain(error, Exit.USAGE)
    except PortError as error:
        return _complain(error, Exit.PORT)
    except ChatError as error:
        return _complain(error, Exit.FAILED)


def _complain(error: Exception, code: Exit) -> Exit:
    print(f"unsaid: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="unsaid",
        description="See, while it types, when a language model ducks the question.",
        epilog=EPILOG,
        formatter_class=formatter,
    )
    parser.add_argument("--version", action="version", version=f"unsaid {__version__}")
    _chat_arguments(parser)
    commands = parser.add_subparsers(title="commands", metavar="")
    chat = commands.add_parser("chat", help="serve the page (the default)", formatter_class=formatter)
    _chat_arguments(chat)
    ask = commands.add_parser(
        "ask",
        help="ask one question in the terminal",
        epilog='example:\n  unsaid ask "Who was Liu Xiaobo?" --engine demo-open --json',
        formatter_class=formatter,
    )
    ask.add_argument("question", nargs="?", help="the question; read from standard input where it is left out or '-'")
    _engine_argument(ask)
    ask.add_argument("--reference", metavar="MODEL", help="ask this model too, and show its answer under the reply")
    ask.add_argument("--system", default="", metavar="TEXT", help="system prompt")
    ask.add_argument(
        "--temperature",
        type=_between(0.0, 2.0),
        metavar="T",
        help="0 takes the likeliest words, 2 is the most (default: the model's own)",
    )
    _pace_argument(ask)
    ask.add_argument("--max-tokens", type=_at_least(1), metavar="N", help="longest reply, in tokens")
    ask.add_argument("--json", action="store_true", help="print one JSON object instead")
    ask.add_argument("--fail-on-flag", action="store_true", help="exit with 1 where the reply looks censored")
    ask.set_defaults(run=_ask)
    add_eval(commands)
    add_scan(commands)
    models = commands.add_parser("models", help="list the models to choose from, or those of a server or a file")
    models.add_argument(
        "--engine", metavar="URL", help="list the models of this server, or of the recordings replay:FILE, instead"
    )
    models.add_argument("--json", action="store_true", help="print JSON instead")
    models.set_defaults(run=_models)
    return parser


def _at_least(least: N) -> Callable[[str], N]:
    return _between(least, type(least)(sys.maxsize))


def _between(least: N, most: N) -> Callable[[str], N]:
    def parse(text: str) -> N:
        number = type(least)(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        if not number <= most:  # nor is what is no number
            raise argparse.ArgumentTypeError(f"{text} is more than {most}")
        return number

    parse.__name__ = "number"  # what argparse calls it where it is none
    return parse


def _engine_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        metavar="MODEL",
        help="an id from `unsaid models`, a folder, a Hub id (owner/name), a server's URL (with #model where it has "
        "several), provider:owner/name for Inference Providers, or replay:FILE for recorded replies",
    )


def _chat_arguments(parser: argparse.ArgumentParser) -> None:
    _engine_argument(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine only)"
    )
    parser.add_argument("--port", type=_between(1, 65535), default=7860, help="port to listen on (default: 7860)")
    _pace_argument(parser)
    parser.set_defaults(run=_chat)


def _pace_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pace",
        type=_at_least(0),
        metavar="N",
        help="play recorded replies at N characters a second (0: at once; default: reading speed)",
    )


def _chat(args: argparse.Namespace) -> Exit:
    from chat.ui.serve import Address, serve  # gradio takes seconds to import; `ask` does without it

    models, chosen = catalogue.load_catalogue(), args.engine
    if several := catalogue.models_at(chosen or "", own=True):
        several = tuple(replace(model, options=replace(model.options, pace=args.pace)) for model in several)
        models, chosen = replace(models, model=(*several, *models.model)), several[0].id
        _warn_of_skipped(several[0])
    models.find(chosen or models.default)
    serve(models, Address(host=args.host, port=args.port), chosen=chosen)
    return Exit.OK


def _ask(args: argparse.Namespace) -> Exit:
    texts, models = load_texts(), catalogue.load_catalogue()
    question = args.question if args.question not in (None, "-") else _read(sys.stdin)
    turn = Turn(question=clean_question(question), system=clean_text(args.system))
    model = catalogue.named(models, args.engine or models.default)
    options = replace(
        model.options,
        temperature=model.options.temperature if args.temperature is None else args.temperature,
        max_tokens=model.options.max_tokens if args.max_tokens is None else args.max_tokens,
        pace=model.options.pace if args.pace is None else args.pace,
    )
    _warn_of_skipped(model)
    other = catalogue.engine_for(catalogue.named(models, args.reference)) if args.reference else None
    compare = Compare.ALWAYS if other else Compare.OFF
    printed = ""
    update: Update | None = None
    for update in watch(catalogue.engine_for(model), turn, options, reference=other, compare=compare):
        _show_loading(update.reply)
        if not args.json:
            text = update.reply.text
            if not text.startswith(printed):
                print("\n[Taken back.]" if update.reply.retracted else "\n[That was its thinking.]")
                printed = ""
            print(text[len(printed) :], end="", flush=True)
            printed = text
    assert update is not None  # `watch` yields at least the final update
    if args.json:
        print(json.dumps(verdict_record(update, notice=model.notice), ensure_ascii=False, indent=2))
    else:
        _print_flag(update, texts, notice=f"{model.name}: {model.notice}" if model.notice else "")
    if update.reply.verdict.outcome is Outcome.FAILED:
        return _complain(ChatError(update.reply.error), Exit.FAILED)
    if args.fail_on_flag and update.reply.verdict.flag is Flag.LOOKS_CENSORED:
        return Exit.FLAGGED
    return Exit.OK


def _warn_of_skipped(model: Model) -> None:
    if skipped := catalogue.skipped_of(model):
        print(f"Lines of the recordings that could not be used: {skipped}. The rest was read.", file=sys.stderr)


def _read(stream: TextIO) -> str:
    if stream.isatty():
        print("Type the question, then Ctrl+D.", file=sys.stderr)
    return stream.read()


def _print_flag(update: Update, texts: Texts, *, notice: str) -> None:
    reply = update.reply
    verdict = reply.verdict
    print(f"\n\n{_bold(title(verdict, texts))}: {what(verdict, texts)}")
    how_sure = "" if verdict.label is Label.UNDECIDED else f"{sure(verdict)} ({verdict.confidence:.0%})"
    if facts := " · ".join(filter(None, (how_sure, f"topic: {verdict.topic.name}" if verdict.topic else ""))):
        print(f"  {facts}")
    for finding in shown(verdict):
        words = f" “{reply.words(finding.span)}”" if finding.span else ""
        print(f"  - {finding.reason}{words}")
    for failure in verdict.failed:
        print(f"  ! The detector {failure.detector!r} failed: {failure.error}")
    if update.reference:
        other = update.reference
        print(f"\n{_bold(other.model)} ({title(other.verdict, texts)}):\n{other.text or other.error or ''}")
    for line in filter(None, (reply.note, update.reference.note if update.reference else "", notice)):
        print(f"\n{line}")


def _show_loading(reply: Reply) -> None:
    """How much of the model is loaded, on a line of its own that the reply takes the place of."""
    if sys.stderr.isatty() and not reply.text:
        share = "" if reply.loading is None else f"Loading {reply.model}: {reply.loading:.0%}"
        print(f"\r{share}\033[K", end="", file=sys.stderr, flush=True)


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def _models(args: argparse.Namespace) -> Exit:
    if args.engine:
        recorded = args.engine.lower().startswith(catalogue.REPLAY)  # whose ids are to be given as they are
        found = catalogue.models_at(args.engine) if recorded else catalogue.on_server(args.engine, own=True)
        names = [model.id for model in found]
        print(json.dumps(names) if args.json else "\n".join(names))
        return Exit.OK
    models = catalogue.load_catalogue()
    if args.json:
        from dataclasses import asdict

        print(json.dumps([asdict(model) for model in models.model], ensure_ascii=False, indent=2))
        return Exit.OK
    for model in models.model:
        chosen = {models.default: " (default)", models.reference: " (reference)"}.get(model.id, "")
        print(f"{model.id:26} {model.name}{chosen}")
        runs = f"runs: {', '.join(model.run)}"
        for line in (" · ".join(filter(None, (model.facts, runs))), model.about, model.known):
            if line:
                print(textwrap.fill(line, 110, initial_indent=" " * 27, subsequent_indent=" " * 27))
    return Exit.OK
