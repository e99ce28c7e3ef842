"""The gateway: HTTP in front of the kernel. It names no service.

server       accepts connections; the first bytes tell TLS, HTTP/2 and HTTP/1.1 apart
http1, http2 the two protocols; each makes an Exchange of every request
exchange     one request and its response, whatever the HTTP version
body         a request's body as it comes, and its aws-chunked decoding
sending      a response's body on its way out, with back-pressure
routing      which service, operation and protocol a request means
identity     which account, region and principal it comes from
signatures   SigV4, checked where asked for
dispatch     the life of a request, from headers to answer
cors         browsers' permission to ask
tls          the certificate made at first start
"""
