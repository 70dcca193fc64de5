"""A server that speaks MongoDB's protocol, a replica set by itself: `python3 mongodb.py PORT FOLDER [USER PASSWORD]`.

With a user, nobody else is let in. Tests may make it fail (`configureFailPoint`).
"""

import signal
import sys

from pymongo import MongoClient
from secantus import SecantusDBServer

port, folder, *login = sys.argv[1:]
# Before there is any thread: the signal is for the line that waits for it. The package's own program deadlocks when it
# comes as the server has just started.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])

if login:
    user, password = login
    with SecantusDBServer(storage_path=folder) as server, MongoClient(server.uri) as client:
        if not client.admin.command("usersInfo", user)["users"]:
            client.admin.command("createUser", user, pwd=password, roles=["root"])

server = SecantusDBServer(
    port=int(port),
    storage_path=folder,
    require_auth=bool(login),
    # What it acknowledges is in its log on disk, as with MongoDB's own write concern.
    sync_on_commit=True,
    cache_size="64M",
)
with server:
    signal.sigwait([signal.SIGTERM])
