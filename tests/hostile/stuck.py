"""Readers that do not read: opens connections with small receive buffers, sends each the request that is
read from standard input up to its end mark, and keeps them until standard input ends.

    stuck.py PORT CONNECTIONS REQUEST_BYTES
"""
import socket
import sys

port, connections, size = map(int, sys.argv[1:])
request = sys.stdin.buffer.read(size)
sockets = []
for _ in range(connections):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", port))
    s.sendall(request)
    sockets.append(s)
print("sent", flush=True)
sys.stdin.buffer.read()
