"""Amazon SQS, whole: standard and FIFO queues, dead letters, move tasks, in the JSON and the query protocol.

Where things lie is told at the head of each layer: `layer` (queues, and what both kinds of queue share), `standard` and `fifo`
(messages), `tasks` (message move tasks). `protocol` holds the names and codes of the query protocol.
"""

from __future__ import annotations

from cloudlet.kernel.registry import Service
from cloudlet.services.sqs import batches, messages, moves, pages, permissions, queues, sinks, tags, tasks
from cloudlet.services.sqs.protocol import WIRE

SERVICE = Service(
    "sqs",
    modules=(queues, messages, batches, moves, permissions, tags),
    wire=WIRE,
    sink=sinks.deliver,
    jobs={tasks.JOB: tasks.move},
    pages={"/_aws/sqs/messages": pages.messages},
)
