mkdir context/sub
python3 -c 'import socket; [socket.socket(socket.AF_UNIX).bind(at) for at in ("context/socket", "context/sub/socket")]'
chmod 640 context/socket
ln context/sub/socket context/sub/again
ln context/socket context/sub/other
