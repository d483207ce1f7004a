"""Handlers for Baler in Python 3.8 and later. One file, no dependencies.

A script defines call(jobs), and a recipe names it:

    steps:
      - handler: coprocess
        with: {script: lines.py}

    # lines.py
    def call(jobs):
        for job in jobs:
            with job.JobContext():
                with open(job.path, "rb") as f:
                    job.set_fact("lines", sum(1 for _ in f))

The process stays up and gets batch after batch. What the script prints is output of the
job that it works on. Try a script without Baler:

    python3 baler.py test lines.py FILE...

The protocol is in docs/coprocess.md.
"""

import argparse
import base64
import contextlib
import importlib.util
import io
import json
import os
import sys
import time
import traceback

PROTOCOL = 1
OUTCOMES = ("succeeded", "warning", "skipped", "failed", "error", "timed_out")
MAX_OUTPUT = 1 << 20  # characters of each stream that are sent for a job; Baler keeps less


class Job:
    """One file, with what the step knows of it and what becomes of it.

    args   the step's args; a list is given as sys.argv, with the script first
    path   the path, as str; os.fsencode(job.path) gives its bytes
    size   bytes, as the scan saw it
    facts  what earlier steps recorded, as far as the recipe passes it on
    """

    def __init__(self, batch, message, script):
        self._batch = batch
        self._id = message["id"]
        self._message = message
        raw = message.get("path_base64")
        self.path = os.fsdecode(base64.b64decode(raw)) if raw else message["path"]
        self.size = message.get("size", 0)
        self.attempt = message.get("attempt", 1)
        self.folder = message.get("folder")  # its own, for what it emits; None if the step has no emit
        self.facts = message.get("facts") or {}
        args = message.get("args")
        if args is None:
            args = [self.path]
        self.args = [script] + args if isinstance(args, list) else args
        self._reset()

    def _reset(self):
        self.exit_code = 0
        self.outcome = None
        self.code = ""
        self.new_facts = {}
        self.emitted = []  # paths
        self._emits = []  # messages, sent with the verdict
        self._output = _Capture()
        self._error = _Capture()
        self._answered = False
        self._progress_sent = None

    def set_status(self, exit_code, outcome=None, code=""):
        """Set how the file ends; a later call replaces it.

        Without an outcome, 0 means succeeded and anything else failed. "failed" is final:
        the content is at fault. "error" is tried again: something else is.
        """
        if outcome is not None and outcome not in OUTCOMES:
            code = code or outcome  # scripts may have words of their own
            outcome = None
        self.exit_code = int(exit_code)
        self.outcome = outcome or ("failed" if self.exit_code else "succeeded")
        self.code = code

    def get_exit_code(self):
        return self.exit_code

    def set_fact(self, name, value):
        """Record a value that JSON can hold; later steps and conditions read it."""
        json.dumps(value)  # what cannot be written is the script's error, here
        self.new_facts[name] = value

    def set_progress(self, items=0, of_items=0, unit="", bytes=0, of_bytes=0):
        """Say how far the work on this file is, for people who watch the transfer.

        items are what unit says, such as "pages"; 0 means not known. Baler is told at most
        once a second, so this may be called often.
        """
        now = time.monotonic()
        if self._progress_sent is not None and now - self._progress_sent < 1:
            return
        self._progress_sent = now
        self._batch.send({
            "type": "progress", "batch": self._batch.id, "job": self._id, "items": int(items), "of_items": int(of_items),
            "unit": str(unit), "bytes": int(bytes), "of_bytes": int(of_bytes),
        })

    def emit(self, path, name=None):
        """Make a file in job.folder a further file of the transfer.

        path may be relative to job.folder. name tells the file from the others that come from
        the same file, such as the name of a member; by default, its path in job.folder. Two
        files of one name are an error (bad-emit).
        """
        path = os.path.abspath(os.path.join(os.fsencode(self.folder or ""), os.fsencode(path)))
        message = {"type": "emit", "batch": self._batch.id, "job": self._id}
        members = [("path", path)] if name is None else [("path", path), ("name", os.fsencode(name))]
        for member, data in members:
            text = os.fsdecode(data)
            try:
                text.encode()
                message[member] = text
            except UnicodeEncodeError:  # a name that is not UTF-8
                message[member + "_base64"] = base64.b64encode(data).decode()
        self.emitted.append(os.fsdecode(path))
        self._emits.append(message)

    def write_output(self, text):
        self._output.write(text)

    def write_error(self, text):
        self._error.write(text)

    def print_output(self, *objects, **options):
        self.pyprint(*objects, **options)

    def print_error(self, *objects, **options):
        self.pyprint(*objects, **dict(options, file=sys.stderr))

    def pyprint(self, *objects, **options):
        """print(), into the job's output, or with file=sys.stderr into its error output."""
        to = options.pop("file", None)
        text = io.StringIO()
        print(*objects, file=text, **options)
        stream = self._error if isinstance(to, _Stream) and to.is_error or to is sys.stderr else self._output
        stream.write(text.getvalue())

    @property
    def output(self):
        return self._output.text()

    @property
    def error(self):
        return self._error.text()

    @contextlib.contextmanager
    def JobContext(self, logger=None):
        """Make this the job at work: an exception in the block, or sys.exit, ends this job alone."""
        self._batch.begin(self)
        try:
            yield self
        except SystemExit as e:
            self._exit(e)
        except Exception:
            if logger is not None:
                logger.exception("%s", self.path)
            self.write_error(traceback.format_exc())
            self.set_status(1, "error", "exception")
        finally:
            self._batch.end(self)

    def _exit(self, e):
        if e.code is None or isinstance(e.code, int):
            self.set_status(e.code or 0)
            return
        self.write_error(str(e.code) + "\n")
        self.set_status(1)

    def done(self):
        """Send the verdict now; later changes have no effect."""
        if not self._answered:
            self._answered = True
            for message in self._emits:
                self._batch.send(message)
            self._batch.send(self._answer())

    def _answer(self):
        return {
            "type": "result",
            "batch": self._batch.id,
            "job": self._id,
            "exit_code": self.exit_code,
            "outcome": self.outcome or "succeeded",
            "code": self.code,
            "facts": self.new_facts,
            "output": self.output,
            "error": self.error,
        }


class _Capture:
    """The beginning of what is written."""

    def __init__(self):
        self._parts = []
        self._room = MAX_OUTPUT
        self._left_out = 0

    def write(self, text):
        if isinstance(text, (bytes, bytearray)):
            text = bytes(text).decode("utf-8", "replace")
        text = str(text)
        kept = text[: self._room]
        if kept:
            self._parts.append(kept)
            self._room -= len(kept)
        self._left_out += len(text) - len(kept)

    def text(self):
        text = "".join(self._parts)
        return text + "\n[... %d characters left out ...]\n" % self._left_out if self._left_out else text


class _Jobs(list):
    """The jobs of a batch. Going through them tells Baler which one is at work."""

    batch = None

    def __iter__(self):
        for job in list.__iter__(self):
            self.batch.begin(job)
            yield job
            self.batch.end(job)


class _Batch:
    def __init__(self, number, send):
        self.id = number
        self.send = send
        self.current = None

    def begin(self, job):
        if self.current is not job:
            self.current = job
            self.send({"type": "started", "batch": self.id, "job": job._id})

    def end(self, job):
        if self.current is job:
            self.current = None
            self.send({"type": "started", "batch": self.id, "job": None})


class _Stream(io.TextIOBase):
    """Standard output or error of a script: what it writes belongs to the job at work."""

    encoding = "utf-8"

    def __init__(self, beneath, is_error, current):
        self._beneath = beneath
        self.is_error = is_error
        self._current = current

    def writable(self):
        return True

    def fileno(self):
        return self._beneath.fileno()

    @property
    def buffer(self):
        return self._beneath.buffer

    def write(self, text):
        job = self._current()
        if job is None:
            self._beneath.write(text)
            self._beneath.flush()
        elif self.is_error:
            job.write_error(text)
        else:
            job.write_output(text)
        return len(text)

    def flush(self):
        self._beneath.flush()


def _load(script):
    folder = os.path.dirname(os.path.abspath(script))
    sys.path.insert(0, folder)
    sys.modules.setdefault("baler", sys.modules[__name__])
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(script))[0], script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "call", None)):
        raise SystemExit("%s has no function call(jobs)" % script)
    return module.call


def _run_batch(call, messages, script, number, send, follow):
    """Call the script with the jobs of one batch. When an exception comes out, each job that
    has no answer is called by itself, so that the one with the fault is alone."""
    batch = _Batch(number, send)
    follow(batch)
    jobs = [Job(batch, m, script) for m in messages]
    groups = [jobs]
    while groups:
        group = [job for job in groups.pop(0) if not job._answered]
        if not group:
            continue
        given = _Jobs(group)
        given.batch = batch
        if len(group) == 1:
            batch.begin(group[0])
        try:
            call(given)
        except (Exception, SystemExit) as e:
            batch.current = None
            if len(group) > 1:
                for job in group:
                    if not job._answered:
                        job._reset()
                groups = [[job] for job in group] + groups
                continue
            if isinstance(e, SystemExit):
                group[0]._exit(e)
            else:
                group[0].write_error(traceback.format_exc())
                group[0].set_status(1, "error", "exception")
        batch.current = None
        for job in group:
            job.done()
    return jobs


def run(script):
    """Serve batches on standard input and output until the input ends."""
    requests = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # The script, and what it starts, must not touch the protocol's streams.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdin = open(0, closefd=False)
    current = [None]

    def follow(batch):
        current[0] = batch

    def at_work():
        return current[0].current if current[0] else None

    beneath = io.TextIOWrapper(os.fdopen(os.dup(2), "wb", buffering=0), "utf-8", "backslashreplace", write_through=True)
    sys.stdout = _Stream(beneath, False, at_work)
    sys.stderr = _Stream(beneath, True, at_work)

    def send(message):
        line = json.dumps(message).encode("ascii") + b"\n"
        while line:
            line = line[answers.write(line):]

    call = _load(script)
    send({"type": "ready", "protocol": PROTOCOL})
    for line in requests:
        message = json.loads(line)
        kind = message.get("type")
        if kind == "batch":
            _run_batch(call, message["jobs"], script, message["batch"], send, follow)
            current[0] = None
            send({"type": "done", "batch": message["batch"]})
        elif kind == "ping":
            send({"type": "pong", "ping": message["ping"]})
        # Other messages are of later versions.


def run_test(script_or_call, paths, args=None, facts=None, emit=None):
    """Run a script, or a function call(jobs), over files without Baler, as one batch.

    emit is the folder below which each job has its folder, for scripts that emit files.

    Returns the jobs with outcome, exit_code, code, new_facts, emitted, output and error:

        jobs = baler.run_test("lines.py", ["poem.txt"])
        assert jobs[0].outcome == "succeeded" and jobs[0].new_facts == {"lines": 2}
    """
    call, script = script_or_call, "script"
    if not callable(call):
        script = os.fspath(script_or_call)
        call = _load(script)
    messages = []
    for number, path in enumerate(paths, 1):
        path = os.path.abspath(os.fspath(path))
        message = {"id": number, "path": path, "args": args, "facts": facts}
        with contextlib.suppress(OSError):
            message["size"] = os.path.getsize(path)
        if emit is not None:
            message["folder"] = os.path.join(os.path.abspath(os.fspath(emit)), "%d-%s.files" % (number, os.path.basename(path)))
            os.makedirs(message["folder"], exist_ok=True)
        messages.append(message)
    current = [None]
    stdout, stderr = sys.stdout, sys.stderr

    def at_work():
        return current[0].current if current[0] else None

    sys.stdout, sys.stderr = _Stream(stdout, False, at_work), _Stream(stderr, True, at_work)
    try:
        return _run_batch(call, messages, script, 1, lambda message: None, lambda batch: current.__setitem__(0, batch))
    finally:
        sys.stdout, sys.stderr = stdout, stderr


def main(argv=None):
    parser = argparse.ArgumentParser(prog="baler.py", description="Run a handler script for Baler.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="serve Baler on standard input and output").add_argument("script")
    test = commands.add_parser("test", help="run a script over files, and print a line of JSON for each")
    test.add_argument("script")
    test.add_argument("files", nargs="+")
    test.add_argument("--args", type=json.loads, help="the step's args, as JSON")
    test.add_argument("--facts", type=json.loads, help="facts of every file, as JSON")
    test.add_argument("--emit", help="the folder below which each file gets a folder for what the script emits")
    options = parser.parse_args(argv)
    if options.command == "run":
        return run(options.script)
    bad = 0
    for job in run_test(options.script, options.files, options.args, options.facts, options.emit):
        answer = job._answer()
        print(json.dumps({"path": job.path, **{k: v for k, v in answer.items() if k not in ("type", "batch", "job")}}))
        bad += answer["outcome"] in ("failed", "error", "timed_out")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.modules["baler"] = sys.modules["__main__"]
    sys.exit(main())
