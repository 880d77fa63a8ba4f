"""Takes whatever of the proxy's and the service's ports and addresses it can get, and answers there with credentials."""

import socket
import time

ANSWER = b'{"Code": "Success", "AccessKeyId": "ASIASQUATTER", "SecretAccessKey": "x", "Token": "x"}'
for address in ("169.254.255.254", "169.254.169.254", "0.0.0.0", "127.0.0.1"):  # noqa: S104
    for port in (254, 80):
        try:
            listener = socket.create_server((address, port))
        except OSError as error:
            print(address, port, error, flush=True)
        else:
            print(address, port, "WENT THROUGH", flush=True)
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + ANSWER)
time.sleep(30)
