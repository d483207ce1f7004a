"""One Celery task and one INSERT a file. CMP_REDIS, CMP_MYSQL_SOCKET and CMP_FILES say where."""

import os
import sys

import MySQLdb
from celery import Celery

app = Celery("cmp", broker=os.environ["CMP_REDIS"])
app.conf.task_ignore_result = True

connection = None


@app.task(name="record")
def record(path):
    global connection
    if connection is None:
        connection = MySQLdb.connect(unix_socket=os.environ["CMP_MYSQL_SOCKET"], user="root", db="cmp", autocommit=True)
    size = os.stat(path).st_size
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO results (path, outcome, size) VALUES (%s, 'succeeded', %s)", (path, size))


if __name__ == "__main__":
    with app.producer_pool.acquire() as producer:
        for entry in os.scandir(sys.argv[1]):
            record.apply_async((entry.path,), producer=producer)
