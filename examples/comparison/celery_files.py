"""Celery beside Baler: one task and one INSERT a file. docs/comparison.md has its figures.

    export REDIS=redis://127.0.0.1:6379/5 MYSQL=mysql://baler:secret@127.0.0.1:3306/baler
    celery -A celery_files worker -c 2 -l warning &
    python3 celery_files.py FOLDER

It needs celery, redis and PyMySQL, and makes a table celery_results.
"""

import os
import sys
import time
from urllib.parse import urlparse

import pymysql
from celery import Celery

app = Celery("celery_files", broker=os.environ["REDIS"])
app.conf.task_ignore_result = True  # the result is a row, so a result backend is not needed
app.conf.imports = ["celery_files"]
connection = None  # one for each process of the worker


def connect():
    u = urlparse(os.environ["MYSQL"])
    return pymysql.connect(
        host=u.hostname, port=u.port, user=u.username, password=u.password, database=u.path[1:], autocommit=True
    )


@app.task(name="store")
def store(path):
    global connection
    connection = connection or connect()
    with connection.cursor() as c:
        c.execute("INSERT INTO celery_results (path, outcome) VALUES (%s, 'succeeded')", (path,))


def main(folder):
    c = connect().cursor()
    c.execute(
        "CREATE TABLE IF NOT EXISTS celery_results (id BIGINT AUTO_INCREMENT PRIMARY KEY, path VARCHAR(1024), outcome VARCHAR(20))"
    )
    c.execute("TRUNCATE celery_results")
    files, start = 0, time.time()
    for root, _, names in os.walk(folder):
        for name in names:
            store.delay(os.path.join(root, name))
            files += 1
    rows = 0
    while rows < files:
        time.sleep(0.02)
        c.execute("SELECT COUNT(*) FROM celery_results")
        rows = c.fetchone()[0]
    seconds = time.time() - start
    print("%d files in %.1f s: %.0f files/s" % (files, seconds, files / seconds))


if __name__ == "__main__":
    main(sys.argv[1])
