"""Programs that open a gallery for the first time at the same moment wait for one another."""

import sqlite3
import threading

from speakerid.gallery.sqlite import FILE, SqliteDatabase


def test_whoever_comes_while_the_file_is_being_made_waits(tmp_path):
    first = sqlite3.connect(tmp_path / FILE, isolation_level=None, check_same_thread=False)
    first.execute("BEGIN IMMEDIATE")
    first.execute("CREATE TABLE begun (x)")
    threading.Timer(0.5, lambda: first.execute("COMMIT")).start()
    database = SqliteDatabase(tmp_path)
    with database.writing(10) as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    database.close()
    assert mode == "wal"
