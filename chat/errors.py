"""Errors of the chat package. Each message says what failed and what to do.

ChatError
├── QuestionError      the question cannot be asked as it is
├── UnknownModelError  no such model in the list, folder or id
├── LoadError          a model was found and cannot be used
├── EngineError        a model broke while it was replying
├── ScanError          the verdicts cannot be written where they were asked for
└── PortError          the page cannot listen where it was asked to
"""


class ChatError(Exception):
    """Root of every error that this package raises on purpose."""


class QuestionError(ChatError):
    """The question is empty or longer than the model can read."""


class UnknownModelError(ChatError):
    """No model of that name."""


class LoadError(ChatError):
    """The model's files are missing, damaged, or not those of a chat model."""


class EngineError(ChatError):
    """The model failed in mid-reply."""


class ScanError(ChatError):
    """The output file is no file of verdicts, or cannot be written."""


class PortError(ChatError):
    """The port is in use, or may not be used."""
