"""What `spaces` does on ZeroGPU, for tests: the decorated generator runs in a forked process that lives on.

Arguments and yields go through pipes, pickled. Closing the generator ends the task at its next yield, and only then is
the worker free again. `CALLS` keeps the duration of every call, `WORKERS` the processes.
"""

import os
import pickle
import threading
import warnings
from multiprocessing import get_context

FORK = get_context("fork")
CALLS = []
WORKERS = []
refusal = None  # an exception that the next call raises, as where a quota is used up
_inside = False


def GPU(task=None, *, duration=None):
    """Decorates a generator function."""

    def handler(*args, **kwargs):
        global refusal
        if _inside:
            yield from task(*args, **kwargs)
            return
        CALLS.append(duration(*args, **kwargs) if callable(duration) else duration)
        if refusal is not None:
            error, refusal = refusal, None
            raise error
        worker = next((w for w in WORKERS if w.task is task and w.idle and w.process.is_alive()), None)
        if worker is None:
            worker = Worker(task)
            WORKERS.append(worker)
        yield from worker.run(args, kwargs)

    return handler


class Worker:
    """A forked process that runs one task after the other."""

    def __init__(self, task):
        self.task, self.idle = task, True
        self.pipe, theirs = FORK.Pipe()
        self.stop = FORK.Event()
        self.process = FORK.Process(target=self.serve, args=(theirs,), daemon=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12's, of forks beside threads
            self.process.start()
        theirs.close()

    def run(self, args, kwargs):
        self.idle = False
        self.stop.clear()
        self.pipe.send_bytes(pickle.dumps((args, kwargs)))
        try:
            while True:
                kind, value = pickle.loads(self.pipe.recv_bytes())
                if kind == "yield":
                    try:
                        yield value
                    except GeneratorExit:
                        self.stop.set()
                        while pickle.loads(self.pipe.recv_bytes())[0] == "yield":
                            pass
                        raise
                elif kind == "error":
                    raise RuntimeError(value)
                else:
                    return
        except EOFError:
            raise RuntimeError("GPU task aborted") from None
        finally:
            self.idle = True

    def serve(self, pipe):
        global _inside  # noqa: PLW0603
        _inside = True
        while True:
            args, kwargs = pickle.loads(pipe.recv_bytes())
            thread = threading.Thread(target=self.iterate, args=(pipe, args, kwargs))
            thread.start()
            thread.join()

    def iterate(self, pipe, args, kwargs):
        try:
            generator = self.task(*args, **kwargs)
            for value in generator:
                if self.stop.is_set():
                    generator.close()
                    break
                pipe.send_bytes(pickle.dumps(("yield", value)))
        except Exception as error:
            pipe.send_bytes(pickle.dumps(("error", f"{type(error).__name__}: {error}")))
        else:
            pipe.send_bytes(pickle.dumps(("end", os.getpid())))
