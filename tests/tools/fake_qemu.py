"""Stands in for QEMU: opens the two serial ports that it is told and does what FAKE_QEMU says."""

import os
import socket
import sys
import time

from tessera_run.records import encode


def main():
    paths = {}
    for word in sys.argv:
        if word.startswith("socket,id=com3,fd="):
            console = socket.socket(fileno=int(word.rpartition("=")[2]))
        if word.startswith("file,id="):
            name, path = word.removeprefix("file,id=").split(",path=")
            paths[name] = path
    play = os.environ["FAKE_QEMU"]
    with open(paths["com1"], "wb", 0) as com1, open(paths["com2"], "wb", 0) as com2:
        com1.write(b"\x1b[2JWelcome to GRUB!\r\n[tessera] boot\n")
        com2.write(b"firmware" + encode(1, 0, b'{"abi":1}') + encode(2, 1, b'{"name":"hello","env":1}'))
        com1.write(b"[hello] \x1b]0;title\x07half ")
        com1.write(b"a line\nno newline at the end")
        com2.write(encode(4, 1, b'{"said":1}'))
        if play == "console":
            console.sendall(b"\x1b[1mWho are you? ")
            name = console.recv(100).decode()
            console.sendall(f"\r\nHow old is {name.strip()}? ".encode())
            console.sendall(console.recv(100).replace(b"\r", b" years\r\n"))
            console.close()
        if play == "hang":
            time.sleep(600)
        if play == "flood":
            while True:
                com1.write(b"x" * 65536 + b"\n")
        com2.write(encode(3, 1, b'{"name":"hello","env":1,"reason":"exit","code":0}'))
        if play != "no final":
            com2.write(encode(6, 0, b'{"conserved":true}'))
    return 0 if play == "triple fault" else 33


if __name__ == "__main__":
    sys.exit(main())
