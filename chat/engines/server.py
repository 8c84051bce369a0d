"""What is to be known of a server before and after it is asked: its address, its models, and what its errors mean."""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from chat.engines.wire import Complaint, complaint_of
from chat.errors import LoadError
from detectors.characters import whole

ANSWER_SECONDS = 5.0  # for the list of models, in all
LARGEST = 2**22  # bytes of the list of models; OpenRouter's has half a million
NAMED = 8  # models that an error names
NOT_LISTED = (404, 405, 501)  # statuses of a server that has models and no list of them
BACK_OFF = 0.5  # seconds before the first repetition; twice as long before each further one
LONGEST_PAUSE = 10.0  # seconds that a server may ask to wait
PASSING = (408, 429, 502, 503, 504)  # statuses of a server that may answer when asked again
FILTERING = (400, 403)  # statuses with which a content filter refuses a question
PROVIDERS = "Hugging Face's Inference Providers"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def address(url: str) -> str:
    """The base of the API: without what comes after it, and with the usual `/v1` where no path is given.

    Raises `LoadError` for what is no URL.
    """
    try:
        parts = urlsplit(url.strip())
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_right = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise LoadError(f"{shown(url)!r} is no address of a server. It looks like http://127.0.0.1:8000/v1.")
    path = re.sub(r"(/chat/completions|/models)?/*$", "", parts.path)
    return parts._replace(path=path or "/v1").geturl()


def under(base: str, path: str) -> str:
    """The address of this path of the API, before what the base has after a `?`."""
    parts = urlsplit(base)
    return parts._replace(path=f"{parts.path}/{path}").geturl()


def shown(text: str) -> str:
    """The address, or a text with addresses, without what may be secret: a name and password, and all after a `?`."""
    return re.sub(r"(^|//)[^/?#\s]*@", r"\1", re.sub(r"(//[^?#\s]+)\?[^#\s]*", r"\1", text))


def list_models(base_url: str, *, api_key: str | None = None, seconds: float = ANSWER_SECONDS) -> tuple[str, ...]:
    """The ids of the server's models. Raises `LoadError`, after these seconds in all at the latest."""
    import httpx2

    base = address(base_url)
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        with ThreadPoolExecutor(1) as pool:  # a thread of its own: this one may have an event loop already
            body = pool.submit(_run, _get(under(base, "models"), headers, seconds)).result()
        return _ids(json.loads(body))
    except httpx2.HTTPStatusError as error:
        raise LoadError(_unlisted(error, where=shown(base))) from error
    except httpx2.InvalidURL as error:
        raise LoadError(f"{shown(base)!r:.200} is no address of a server ({error}). Check it.") from error
    except TimeoutError as error:
        raise LoadError(f"{shown(base)} did not list its models within {seconds:g} seconds. Look at it.") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise LoadError(
            f"What answers at {shown(base)} is no OpenAI-compatible server: it does not list its models. "
            "Check the address; it usually ends with /v1."
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise LoadError(explained(error, where=base, model="")) from error


def choose_model(base_url: str, wanted: str = "", *, api_key: str | None = None) -> str:
    """The model to ask of this server: `wanted`, or the only one there is. Raises `LoadError`."""
    if wanted:
        return wanted
    models, where = list_models(base_url, api_key=api_key), shown(base_url)
    if len(models) == 1:
        return models[0]
    if not models:
        raise LoadError(f"The server at {where} has no model loaded. Load one there, or add #name to the address.")
    more = ", ..." if len(models) > NAMED else ""
    raise LoadError(
        f"The server at {where} has {len(models)} models: {', '.join(models[:NAMED])}{more}. "
        f"Say which, after a #: {where}#{models[0]}"
    )


def passing(error: BaseException) -> bool:
    """Whether it may go well when tried again: no connection, or a server that is busy or starting."""
    import httpx2

    if (status := _status(error)) is not None:
        return status in PASSING
    cause = _cause(error)
    if isinstance(cause, httpx2.ReadTimeout) or _tls(cause):
        return False
    return isinstance(cause, httpx2.TransportError)


def pause(error: BaseException, attempt: int) -> float:
    """Seconds to wait before the next attempt: what the server asks for within reason, else a little more each time."""
    asked = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")
    wanted = float(asked) if re.fullmatch(r"\d{1,4}(\.\d+)?", asked) else BACK_OFF * 2 ** (attempt - 1)
    return min(wanted, LONGEST_PAUSE)


def filtered(error: BaseException) -> bool:
    """Whether it is a content filter's refusal, by status or in mid-stream, and so an end of the reply."""
    return _status(error) in (None, *FILTERING) and _complaint(error).filtered


def explained(error: BaseException, *, where: str, model: str, begun: bool = False) -> str:
    """What failed, and what to do, for the reader. `where` is an address, or `PROVIDERS`."""
    where = shown(where)
    if (status := _status(error)) is not None:
        said = _complaint(error).message[:200]
        return shown(_refused(status, f"{status}: {said}" if said else str(status), where=where, model=model))
    return shown(_broken(_cause(error), where=where, when="in mid-reply" if begun else "before it said a word"))


def offline() -> str:
    """The variable that forbids to ask the Hub; empty where none does."""
    from huggingface_hub import is_offline_mode

    if not is_offline_mode():
        return ""
    return next((name for name in OFFLINE if os.environ.get(name)), OFFLINE[0])


def _run(asking: Coroutine[Any, Any, bytes]) -> bytes:
    """As `asyncio.run`, which would wait for a name that is still being looked up."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(asking)
    finally:
        loop.close()


async def _get(url: str, headers: dict[str, str], seconds: float) -> bytes:
    """The body. Raises `TimeoutError` also for a server that sends it ever so slowly."""
    import httpx2

    body = b""
    patience = httpx2.Timeout(None, connect=0.8 * seconds)  # less than all, to know that nothing answers
    async with (
        asyncio.timeout(seconds),
        httpx2.AsyncClient(follow_redirects=True, timeout=patience) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > LARGEST:
                raise ValueError(f"more than {LARGEST} bytes")
    if response.is_error:
        refused = httpx2.Response(response.status_code, content=body, request=response.request)
        raise httpx2.HTTPStatusError(str(response.status_code), request=response.request, response=refused)
    return body


def _ids(body: object) -> tuple[str, ...]:
    """The ids in a list of models: OpenAI's, Together's bare one, Ollama's and llama.cpp's of their own."""
    if isinstance(body, dict):
        body = body["data"] if "data" in body else body["models"]
    if body is not None and not (isinstance(body, list) and all(isinstance(model, dict) for model in body)):
        raise TypeError("no list of models")
    return tuple(whole(str(model.get("id") or model["name"])) for model in body or ())


def _unlisted(error: BaseException, *, where: str) -> str:
    """Why there is no list of models."""
    status = _status(error)
    if status in NOT_LISTED:
        return (
            f"{where} does not list its models, or is not the right address ({status}). "
            f"Name the one to ask after a #: {where}#NAME"
        )
    return explained(error, where=where, model="")


def _broken(cause: BaseException, *, where: str, when: str) -> str:
    """What an error without a status means."""
    import httpx2

    from chat.engines.events import NoReplyError, WebPageError

    words = str(cause) or type(cause).__name__
    if _tls(cause):
        return f"{where} cannot be trusted: {words}. Check the address and its certificate; or is it http://?"
    nobody = f"Nothing answers at {where} ({words}). Is the server running, and the address right?"
    if where == PROVIDERS:
        nobody = f"{where} cannot be reached ({words}). Check your network."
    silent = "has sent nothing for too long. The server may be overloaded or stuck: look at it, or ask again."
    kinds: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
        ((httpx2.ConnectTimeout, httpx2.ConnectError), nobody),
        ((httpx2.TimeoutException,), f"{where} {silent}"),
        (
            (httpx2.TransportError,),
            f"{where} broke the connection {when} ({words}). Ask again, or look at the server.",
        ),
        (
            (WebPageError,),
            f"{where} is no OpenAI-compatible server: it sent a web page. Check the address; it usually ends with /v1.",
        ),
        (
            (NoReplyError, TypeError, KeyError, AttributeError),
            f"{where} sent something that is no reply ({words}). Is it an OpenAI-compatible server?",
        ),
    )
    other = (
        f"{where} broke off: {(_complaint(cause).message or words).rstrip('.')}. Ask again, or choose another model."
    )
    return next((sentence for kind, sentence in kinds if isinstance(cause, kind)), other)


def _refused(status: int, said: str, *, where: str, model: str) -> str:
    """What a status means."""
    key = "Set UNSAID_API_KEY to the server's key, or HF_TOKEN for Hugging Face, and start again."
    listed = f"`unsaid models --engine {where}` lists the models there."
    if where == PROVIDERS:
        key = "Sign in again, or set HF_TOKEN to a token that may call Inference Providers."
        listed = f"https://huggingface.co/{model} says which providers serve it."
    remedies = {
        401: f"wants a key, or does not accept this one ({said}). {key}",
        402: f"wants to be paid ({said}). Check the account's credit.",
        404: f"has no model called {model!r}, or is not the right address ({said}). {listed}",
        429: f"has too many requests now ({said}). Wait a little, then ask again.",
    }
    remedies[403] = remedies[401]
    broken = f"failed ({said}). Look at the server's log, or ask again."
    refused = f"did not take the request ({said}). Shorten the question, or use other settings."
    return f"{where} {remedies.get(status, broken if status >= 500 else refused)}"


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


def _complaint(error: BaseException) -> Complaint:
    """What the server itself said: in the body of a status, or in an event that became this error."""
    if (response := getattr(error, "response", None)) is None:
        return complaint_of(error.args[0] if error.args else None)
    try:
        return complaint_of(json.loads(response.content))
    except (ValueError, RecursionError):
        return Complaint()


def _cause(error: BaseException) -> BaseException:
    """The network's own error, which the client may have put into one of its own."""
    import httpx2

    return error.__cause__ if isinstance(error.__cause__, httpx2.TransportError) else error


def _tls(error: BaseException) -> bool:
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
