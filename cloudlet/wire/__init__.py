"""AWS's wire protocols, compiled from botocore's models: messages <-> plain dicts with AWS's own member names.

    model        a service's model: shapes, operations, errors; read from botocore's data files, without importing botocore
    message      Request and Response, all that the wire knows of HTTP
    scalars      timestamps, numbers, blobs as text
    jsonbody, xmlbody, querybody, cborbody, eventstream      one body format each: readers and writers per shape
    rest         members that travel in headers, query and path
    uris         which operation a REST request means
    validation   the model's constraints
    errors       faults as each protocol shows them
    codec        the protocols put together: one Codec per operation and protocol

In plain dicts a timestamp is an int of milliseconds, a blob is bytes, and a streaming body is whatever the gateway made of it.
Everything is compiled to closures once, on an operation's first use.
"""
