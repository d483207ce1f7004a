#!/usr/bin/env python3
"""Measures a file a job in several systems: wall time and processor time a file.

    python3 measure.py --baler bin/baler --files 20000 --rounds 3 baler asynq river bullmq celery sidekiq

Each system registers the same empty files, stats each of them, and records one row a file in
the same MariaDB, with full durability (innodb_flush_log_at_trx_commit=1), Redis on loopback,
eight files at once. Processor time is that of the producer, the worker and the servers
together. Time begins with the producer and ends with the last row. The systems take turns.

Needs redis-server, mariadbd, and for the systems: peers (`go build -o peers .` in go/) and
PostgreSQL for river; node with bullmq and mysql2 in node_modules; celery, python3-mysqldb;
sidekiq, ruby-mysql2. PEERS and POSTGRES_BIN name the folders of the programs, PYTHON the interpreter that has celery.
"""

import argparse
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
REDIS_PORT, POSTGRES_PORT = 16479, 15479
TABLE = """CREATE TABLE results (id BIGINT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(1024) NOT NULL, outcome VARCHAR(16) NOT NULL,
size BIGINT NOT NULL, at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))"""


def processor_time(pids):
    """Seconds that the processes and the children that they have waited for have used."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += sum(int(f) for f in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def tree(pid):
    """The process and all below it."""
    found = [pid]
    for p in found:
        for task in pathlib.Path(f"/proc/{p}/task").iterdir():
            found += [int(c) for c in (task / "children").read_text().split()]
    return found


class Servers:
    def __init__(self, folder, postgres):
        self.folder, self.processes = folder, []
        self.socket = f"{folder}/mysql.sock"
        self.spawn(["redis-server", "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--save", "", "--dir", folder])
        data = f"{folder}/mysql"
        subprocess.run(["mysql_install_db", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"],
                       check=True, capture_output=True)
        if os.getuid() == 0:
            shutil.chown(folder, "mysql")
            subprocess.run(["chown", "-R", "mysql", data], check=True)
        self.spawn(["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self.socket}", "--skip-networking", "--user=mysql",
                    "--innodb-buffer-pool-size=1G", "--innodb-flush-log-at-trx-commit=1", f"--pid-file={folder}/mysql.pid"])
        if postgres:
            self.start_postgres()
        for _ in range(600):
            if subprocess.run(["mariadb", "-uroot", f"-S{self.socket}", "-e", "SELECT 1"], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        sys.exit("MariaDB did not start")

    def start_postgres(self):
        binaries, data = os.environ.get("POSTGRES_BIN", "/usr/lib/postgresql/15/bin"), f"{self.folder}/postgres"
        account = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        os.mkdir(data)
        if account:
            os.chmod(self.folder, 0o755)
            shutil.chown(data, "postgres")
        subprocess.run([*account, f"{binaries}/initdb", "-D", data, "-U", "postgres", "-A", "trust"], check=True, capture_output=True)
        self.spawn([*account, f"{binaries}/postgres", "-D", data, "-p", str(POSTGRES_PORT), "-k", "", "-h", "127.0.0.1"])

    def spawn(self, command):
        with open(f"{self.folder}/{len(self.processes)}.log", "w") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def sql(self, text, database="cmp"):
        out = subprocess.run(["mariadb", "-uroot", f"-S{self.socket}", "-N", "-e", text, *([database] if database else [])],
                             check=True, capture_output=True, text=True).stdout
        return out.strip()

    def pids(self):
        return [p for process in self.processes for p in tree(process.pid)]

    def stop(self):
        for p in self.processes:
            for pid in reversed(tree(p.pid)):
                os.kill(pid, signal.SIGTERM)
            p.wait()


def commands(system, files, options):
    """The commands that prepare, work and submit."""
    peers = os.environ.get("PEERS", str(HERE / "go")) + "/peers"
    ruby, celery, python = str(HERE / "sidekiq_worker.rb"), str(HERE / "celery_app.py"), os.environ.get("PYTHON", "python3")
    return {
        "baler": ([options.baler, "migrate"], [options.baler, "worker"], [options.baler, "submit", "--recipe", "noop", files]),
        "asynq": (None, [peers, "asynq", "worker"], [peers, "asynq", files]),
        "river": ([peers, "river", "migrate"], [peers, "river", "worker"], [peers, "river", files]),
        "bullmq": (None, ["node", str(HERE / "bullmq.mjs"), "worker"], ["node", str(HERE / "bullmq.mjs"), files]),
        "celery": (None, [python, "-m", "celery", "-A", "celery_app", "worker", "-c", "8", "-l", "WARNING"], [python, celery, files]),
        "sidekiq": (None, ["sidekiq", "-r", ruby, "-c", "8"], ["ruby", ruby, files]),
    }[system]


def measure(system, files, count, servers, options, folder):
    subprocess.run(["redis-cli", "-p", str(REDIS_PORT), "FLUSHALL"], check=True, capture_output=True)
    servers.sql("DROP DATABASE IF EXISTS cmp; CREATE DATABASE cmp", None)
    if system != "baler":
        servers.sql(TABLE)
    env = dict(os.environ, CMP_REDIS=f"redis://127.0.0.1:{REDIS_PORT}", CMP_MYSQL_SOCKET=servers.socket,
               CMP_POSTGRES=f"postgres://postgres@127.0.0.1:{POSTGRES_PORT}/postgres", HOME=folder, PYTHONPATH=str(HERE),
               BALER_REDIS_URL=f"redis://127.0.0.1:{REDIS_PORT}", BALER_ROOTS=files,
               BALER_DATABASE_URL=f"mysql://root@/cmp?socket={servers.socket}")
    prepare, work, submit = commands(system, files, options)
    with open(f"{folder}/{system}.log", "a") as log:
        if prepare:
            subprocess.run(prepare, env=env, stdout=log, stderr=log, check=True)
        worker = subprocess.Popen(work, env=env, stdout=log, stderr=log)
        try:
            return submit_and_wait(submit, worker, count, servers, env, log)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()


def submit_and_wait(submit, worker, count, servers, env, log):
    """Seconds that pass and seconds of processor time until every file has its row."""
    time.sleep(3)  # the worker starts; that is not measured
    before = processor_time(servers.pids() + tree(worker.pid)) + own_children()
    began = time.monotonic()
    subprocess.run(submit, env=env, stdout=log, stderr=log, check=True)
    polls = 0.0
    while True:
        used = own_children()
        if servers.sql("SELECT COUNT(*) FROM results") == str(count):
            break
        time.sleep(0.05 + (time.monotonic() - began) / 20)  # seldom enough to cost the server little
        polls += own_children() - used
        if time.monotonic() - began > 300:
            sys.exit(f"not done after 5 minutes, see {log.name}")
    took = time.monotonic() - began
    return took, processor_time(servers.pids() + tree(worker.pid)) + own_children() - polls - before


def own_children():
    """Seconds of processor time of the commands that this program has waited for."""
    return os.times().children_user + os.times().children_system


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--baler", default="bin/baler")
    parser.add_argument("--files", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("systems", nargs="+", choices=["baler", "asynq", "river", "bullmq", "celery", "sidekiq"])
    options = parser.parse_args()
    options.baler = os.path.abspath(options.baler)
    folder = tempfile.mkdtemp(prefix="comparison-")
    files = f"{folder}/files"
    os.mkdir(files)
    for i in range(options.files):
        open(f"{files}/{i:07}", "w").close()
    servers = Servers(folder, "river" in options.systems)
    figures = {s: [] for s in options.systems}
    try:
        for _ in range(options.rounds):
            for s in options.systems:
                figures[s].append(measure(s, files, options.files, servers, options, folder))
    finally:
        servers.stop()
    print(f"{options.files} files, medians of {options.rounds}")
    print(f"{'':10}{'files/s':>10}{'µs a file':>12}")
    for s, rounds in figures.items():
        took, used = (statistics.median(r[i] for r in rounds) for i in (0, 1))
        print(f"{s:10}{options.files / took:>10.0f}{used / options.files * 1e6:>12.0f}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
