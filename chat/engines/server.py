"""What is to be known of a server before and after it is asked: its address, its models, and what its errors mean."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from chat.errors import LoadError

ANSWER_SECONDS = 5.0  # for the list of models
BACK_OFF = 0.5  # seconds before the first repetition; twice as long before each further one
LONGEST_PAUSE = 10.0  # seconds that a server may ask to wait
PASSING = (408, 429, 502, 503, 504)  # statuses of a server that may answer when asked again
NAMED = 8  # models that an error names


def address(url: str) -> str:
    """The base of the API: without what comes after it, and with the usual `/v1` where no path is given.

    Raises `LoadError` for what is no URL.
    """
    url = re.sub(r"(/chat/completions|/models)?/*$", "", url.strip())
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_right = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise LoadError(f"{url!r} is no address of a server. It looks like http://127.0.0.1:8000/v1.")
    return url if parts.path else f"{url}/v1"


def list_models(base_url: str, *, api_key: str | None = None, seconds: float = ANSWER_SECONDS) -> tuple[str, ...]:
    """The ids of the server's models. Raises `LoadError`."""
    import httpx2

    base = address(base_url)
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        response = httpx2.get(f"{base}/models", headers=headers, timeout=seconds, follow_redirects=True)
        response.raise_for_status()
        return tuple(str(model["id"]) for model in response.json()["data"])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise LoadError(
            f"What answers at {base} is no OpenAI-compatible server: it does not list its models. "
            "Check the address; it usually ends with /v1."
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise LoadError(explained(error, where=base, model="")) from error


def choose_model(base_url: str, wanted: str = "", *, api_key: str | None = None) -> str:
    """The model to ask of this server: `wanted`, or the only one there is. Raises `LoadError`."""
    if wanted:
        return wanted
    models = list_models(base_url, api_key=api_key)
    if len(models) == 1:
        return models[0]
    if not models:
        raise LoadError(f"The server at {base_url} has no model loaded. Load one there, or add #name to the address.")
    more = ", ..." if len(models) > NAMED else ""
    raise LoadError(
        f"The server at {base_url} has {len(models)} models: {', '.join(models[:NAMED])}{more}. "
        f"Say which, after a #: {base_url}#{models[0]}"
    )


def passing(error: BaseException) -> bool:
    """Whether it may go well when tried again: no connection, or a server that is busy or starting."""
    import httpx2

    if (status := _status(error)) is not None:
        return status in PASSING
    error = error.__cause__ if isinstance(error.__cause__, httpx2.TransportError) else error
    if isinstance(error, httpx2.ReadTimeout) or _tls(error):
        return False
    return isinstance(error, httpx2.TransportError)


def pause(error: BaseException, attempt: int) -> float:
    """Seconds to wait before the next attempt: what the server asks for within reason, else a little more each time."""
    asked = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")
    wanted = float(asked) if re.fullmatch(r"\d{1,4}(\.\d+)?", asked) else BACK_OFF * 2 ** (attempt - 1)
    return min(wanted, LONGEST_PAUSE)


def explained(error: BaseException, *, where: str, model: str, begun: bool = False) -> str:
    """What failed, and what to do, for the reader."""
    import httpx2

    if (status := _status(error)) is not None:
        return _refused(status, f"{status}{_words(error)}", where=where, model=model)
    cause = error.__cause__ if isinstance(error.__cause__, httpx2.TransportError) else error
    if _tls(cause):
        remedy = f"cannot be trusted: {cause}. Check the address and the server's certificate; or is it http://?"
    elif isinstance(cause, httpx2.ConnectTimeout | httpx2.ConnectError):
        return f"Nothing answers at {where} ({cause or 'timed out'}). Is the server running, and the address right?"
    elif isinstance(cause, httpx2.TimeoutException):
        remedy = "has sent nothing for too long. The server may be overloaded or stuck: look at it, or ask again."
    elif isinstance(cause, httpx2.TransportError):
        when = "in mid-reply" if begun else "before it said a word"
        remedy = f"broke the connection {when} ({cause or type(cause).__name__}). Ask again, or look at the server."
    elif isinstance(cause, json.JSONDecodeError | UnicodeError | TypeError | KeyError | AttributeError):
        remedy = f"sent something that is no reply ({type(cause).__name__}). Is it an OpenAI-compatible server?"
    else:
        remedy = f"broke off: {cause} Ask again, or choose another model."
    return f"{where} {remedy}"


def _refused(status: int, said: str, *, where: str, model: str) -> str:
    """What a status means."""
    remedies = {
        401: f"wants a key, or does not accept this one ({said}). Set UNSAID_API_KEY to the server's key, "
        "or HF_TOKEN for Hugging Face, and start again.",
        402: f"wants to be paid ({said}). Check the account's credit.",
        404: f"has no model called {model!r}, or is not the right address ({said}). "
        f"`unsaid models --engine {where}` lists the models there.",
        429: f"has too many requests now ({said}). Wait a little, then ask again.",
    }
    remedies[403] = remedies[401]
    broken = f"failed ({said}). Look at the server's log, or ask again."
    refused = f"did not take the request ({said}). Shorten the question, or use other settings."
    return f"{where} {remedies.get(status, broken if status >= 500 else refused)}"


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


def _words(error: BaseException) -> str:
    """What the server itself said of it, in short."""
    response: Any = getattr(error, "response", None)
    try:
        said = response.json()
        said = said.get("error", said.get("detail", said.get("message", "")))
        said = said.get("message", "") if isinstance(said, dict) else said
    except Exception:  # noqa: BLE001  # whatever a server puts there, it is only an addition
        return ""
    return f": {str(said)[:200]}" if said else ""


def _tls(error: BaseException | None) -> bool:
    return any(word in str(error) for word in ("SSL", "CERTIFICATE", "certificate"))
