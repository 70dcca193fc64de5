"""Amazon's S3 and DynamoDB, as moto has them: `python amazon.py PORT BUCKET KEY_ID SECRET`, on 127.0.0.1.

The bucket is there from the start, and one user, by whom every request has to be signed. Requests are carried out one at a
time, because each is atomic at Amazon.
"""

import sys
import threading

from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.s3.models import s3_backends
from werkzeug.serving import BaseWSGIServer, run_simple

PARTITION = "aws"
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'

port, bucket, key_id, secret = sys.argv[1:]
s3_backends[ACCOUNT][PARTITION].create_bucket(bucket, "us-east-1")
users = iam_backends[ACCOUNT][PARTITION]
users.create_user("us-east-1", "somebody", tags=[])
users.put_user_policy("somebody", "everything", POLICY)
key = users.create_access_key("somebody")
key.access_key_id, key.secret_access_key = key_id, secret
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

application = DomainDispatcherApplication(create_backend_app)
lock = threading.Lock()


def one_at_a_time(environ, start_response):
    with lock:
        return list(application(environ, start_response))


class Quiet(MotoRequestHandler):
    def log_request(self, *args):
        pass


# Many clients may come at once.
BaseWSGIServer.request_queue_size = 1024
run_simple("127.0.0.1", int(port), one_at_a_time, threaded=True, request_handler=Quiet)
