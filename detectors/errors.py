"""Errors of the detectors package.

DetectorError
├── ConfigError    a file in configs/ is missing, not TOML, or says something unknown
└── RecordError    a file of recorded replies cannot be read
"""


class DetectorError(Exception):
    """Root of every error that this package raises on purpose."""


class ConfigError(DetectorError):
    """A configuration file cannot be used; the message says where and what to change."""


class RecordError(DetectorError):
    """A file of recorded replies cannot be read."""
