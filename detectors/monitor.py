"""The monitor: text of a reply in, verdicts out. No I/O, no threads, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.characters import Joiner
from detectors.fuse import fuse
from detectors.segment import Sentences, ThinkingSplitter
from detectors.types import Detector, Evidence, Failure, Finding, Outcome, Seen, Sentence, Topic, Turn, Verdict

# Detectors look at every sentence's end, and in a long reply after this share of more text: what they do in all stays
# proportional to the reply's length.
LOOK_AGAIN = 1.02


class Monitor:
    """Watches one reply. `feed` it text as it comes, look at its `verdict` when you like, `close` it at the end.

    The final verdict is the same however the text was cut into chunks.
    A detector that raises is left out from then on, and named in the verdict.
    """

    def __init__(
        self, turn: Turn, detectors: Sequence[Detector], *, topic: Topic | None = None, thinking_opened: bool = False
    ) -> None:
        self._turn = turn
        self._detectors = tuple(detectors)
        self._topic = topic
        self._splitter = ThinkingSplitter(opened=thinking_opened)
        self._joiners = {"text": Joiner(), "thinking": Joiner()}
        self._failed: dict[str, Failure] = {}
        self._kept: dict[str, list[Finding]] = {}
        self._parts: dict[str, list[str]] = {"reply": [], "thinking": []}
        self._cutters = {"reply": Sentences("reply"), "thinking": Sentences("thinking")}
        self._sentences: list[Sentence] = []
        self._new: list[Sentence] = []
        self._length = 0
        self._next_look = 0.0
        self._due: Seen | None = None  # the last look, while those that speak of the whole have not had it
        self._retracted: str | None = None
        self._verdict = fuse((), Seen(), topic=topic)

    @property
    def reply(self) -> str:
        """The reply so far, without leading white space; spans count from its start."""
        return self._text("reply")

    @property
    def thinking(self) -> str:
        """The thinking so far."""
        return self._text("thinking")

    @property
    def retracted(self) -> str | None:
        """The text that was taken back, where that happened."""
        return self._retracted

    @property
    def verdict(self) -> Verdict:
        """The verdict so far. Worked out when it is looked at: text that comes whole is read once, at its end."""
        self._conclude()
        return self._verdict

    def feed(self, text: str = "", *, thinking: str = "") -> None:
        """Takes more text; `thinking` is for engines that have it in a field of its own."""
        self._open()
        if thinking := self._joiners["thinking"].feed(thinking):
            self._splitter.thought = True
            self._add("thinking", thinking)
        for piece in self._splitter.feed(self._joiners["text"].feed(text)):
            if piece.restart:
                self._restart()
            self._add(piece.where, piece.text)

    def retract(self) -> None:
        """The reply so far was taken back; what is fed from here on replaces it."""
        self._open()
        self._flush()
        self._retracted = (self._retracted or "") + self.reply
        thought = self._splitter.thought
        self._splitter = ThinkingSplitter()  # the replacement is a reply, even where the model was still thinking
        self._splitter.thought = thought
        self._forget_reply()

    def close(self, outcome: Outcome = Outcome.COMPLETE) -> Verdict:
        """The reply has ended, in this way. Returns the final verdict; closing again returns it again.

        Raises `ValueError` for `RUNNING`, which is no end.
        """
        if outcome is Outcome.RUNNING:
            raise ValueError("A reply cannot end as running. Say how it ended.")
        if self._verdict.final:
            return self._verdict
        self._flush()
        for where, cutter in self._cutters.items():
            self._found(where, cutter.close())
        if self._retracted is not None and outcome is not Outcome.FAILED:
            outcome = Outcome.RETRACTED  # whatever became of the replacement
        elif outcome is Outcome.COMPLETE and not self.reply.strip():
            outcome = Outcome.EMPTY
        self._due = self._glance(outcome)
        return self.verdict

    def _open(self) -> None:
        if self._verdict.final:
            raise ValueError("This monitor is closed. Make a new one for another reply.")

    def _flush(self) -> None:
        """Takes what was kept back until it was clear what it is."""
        self._add("thinking", self._joiners["thinking"].close())
        for piece in [*self._splitter.feed(self._joiners["text"].close()), *self._splitter.close()]:
            if piece.restart:
                self._restart()
            self._add(piece.where, piece.text)

    def _add(self, where: str, text: str) -> None:
        if not self._parts[where]:
            text = text.lstrip()
        if not text:
            return
        self._parts[where].append(text)
        # Sentence by sentence, so that every look falls on the same text however the chunks were cut.
        for sentence in self._cutters[where].feed(text):
            self._found(where, [sentence])
            if where == "reply":
                self._length = sentence.span.end
                if self._length >= self._next_look:
                    self._next_look = self._length * LOOK_AGAIN
                    self._due = self._glance(Outcome.RUNNING)

    def _found(self, where: str, sentences: list[Sentence]) -> None:
        self._new += sentences
        if where == "reply":
            self._sentences += sentences

    def _glance(self, outcome: Outcome) -> Seen:
        """Shows what there is to the detectors that keep what they find."""
        reply = self.reply if outcome is not Outcome.RUNNING else self.reply[: self._length]
        sentences = tuple(self._sentences)
        seen = Seen(reply, self.thinking, sentences, tuple(self._new), self._splitter.thought, outcome)
        self._new = []
        for detector in self._detectors:
            if detector.accumulates:
                self._kept[detector.name] = self._kept.get(detector.name, []) + self._ask(detector, seen)
        return seen

    def _ask(self, detector: Detector, seen: Seen) -> list[Finding]:
        if detector.name in self._failed:
            return []
        try:
            return list(detector.inspect(self._turn, seen))
        except Exception as error:  # a broken detector must not take the chat with it
            self._failed[detector.name] = Failure(detector.name, f"{type(error).__name__}: {error}")
            return []

    def _conclude(self) -> None:
        """Shows the last look of several to those that speak of the whole, and draws the verdict from all findings."""
        seen, self._due = self._due, None
        if seen is None:
            return
        for detector in self._detectors:
            if not detector.accumulates and detector.name not in self._failed:
                said = self._ask(detector, seen)
                if detector.name not in self._failed:
                    self._kept[detector.name] = said
        findings = [finding for said in self._kept.values() for finding in said]
        self._verdict = fuse(findings, seen, topic=self._topic, failed=tuple(self._failed.values()))

    def _restart(self) -> None:
        """All that was taken for reply was thinking: its opening tag stood in the prompt."""
        thinking = self._parts["reply"]
        self._forget_reply()
        self._parts["thinking"], self._cutters["thinking"] = [], Sentences("thinking")
        self._add("thinking", "".join(thinking))

    def _forget_reply(self) -> None:
        """Drops the reply and every finding that rests on it."""
        self._parts["reply"], self._cutters["reply"] = [], Sentences("reply")
        self._sentences, self._length, self._next_look, self._due = [], 0, 0.0, None
        self._new = [s for s in self._new if s.span.where == "thinking"]
        for name, said in self._kept.items():
            self._kept[name] = [e for e in said if isinstance(e, Evidence) and e.span and e.span.where == "thinking"]
        findings = [finding for said in self._kept.values() for finding in said]
        self._verdict = fuse(findings, Seen(), topic=self._topic, failed=tuple(self._failed.values()))

    def _text(self, where: str) -> str:
        parts = self._parts[where]
        if len(parts) > 1:
            parts[:] = ["".join(parts)]
        return parts[0] if parts else ""
