#!/usr/bin/env python3
"""A network between two TCP ports of this machine, with the faults that a network has.

  tcp_fault.py PORT TARGET_PORT

Passes on what comes to PORT. Reads orders from its standard input, a line each, until that closes:

  pass        passes bytes on again, those that were held back too
  delay MS    passes them on so many milliseconds later, each way
  blackhole   takes connections and bytes, and passes nothing on
  reset       ends all connections that there are by a reset (RST)
"""

import asyncio
import contextlib
import socket
import struct
import sys


class Network:
    def __init__(self, target: int):
        self.target = target
        self.delay = 0.0
        self.passing = asyncio.Event()
        self.passing.set()
        self.writers: set[asyncio.StreamWriter] = set()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay)
                await self.passing.wait()
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):  # also after a reset: the other end has to hear of it
            writer.write_eof()

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        there = None
        try:
            await self.passing.wait()
            far, there = await asyncio.open_connection("127.0.0.1", self.target)
            self.writers.add(there)
            await asyncio.gather(self.pump(reader, there), self.pump(far, writer))
        except OSError:
            pass  # nobody listens there: the near end is closed
        finally:
            for end in filter(None, (writer, there)):
                self.writers.discard(end)
                end.close()

    def reset(self) -> None:
        for writer in self.writers:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def obey(self, order: list[str]) -> None:
        if order[0] == "pass":
            self.delay = 0.0
            self.passing.set()
        elif order[0] == "delay":
            self.delay = int(order[1]) / 1000
        elif order[0] == "blackhole":
            self.passing.clear()
        elif order[0] == "reset":
            self.reset()
        else:
            raise ValueError(f"no such order: {order}")
        print(*order, flush=True)


async def main() -> None:
    network = Network(int(sys.argv[2]))
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with await asyncio.start_server(network.connection, "127.0.0.1", int(sys.argv[1])):
        while line := await orders.readline():
            network.obey(line.decode().split())
    network.reset()


asyncio.run(main())
