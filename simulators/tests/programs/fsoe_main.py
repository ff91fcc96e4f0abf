"""A MainInstance of FSoE that nobody here wrote, at the other end of two pipes.

Each line that it prints is one request: `hex of the frame, state, value of the safe data that it received`. Each line that it reads is the answer: `hex of the frame`, or `hex VALUE` with safe data to
send from now on as process data, or `hex fail-safe`.
"""

import os
import sys

from fsoe_master import fsoe_master as fsoe

SENT, RECEIVED = 1, 2
address, parameter, bits = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
width = fsoe.DataType.UINT8 if bits == 8 else fsoe.DataType.UINT16
outputs = fsoe.DictionaryItemOutput(key=SENT, name="sent", data_type=width)
inputs = fsoe.DictionaryItemInput(key=RECEIVED, name="received", data_type=width, fail_safe_value=0)
dictionary = fsoe.Dictionary([outputs, inputs])
states = ["StateReset"]
handler = fsoe.MasterHandler(
    dictionary,
    address,
    0x0777,
    60.0,
    application_parameters=[fsoe.ApplicationParameter("parameter", parameter, n_bytes=2)] if parameter else [],
    report_error_callback=lambda transition, error: states.append(f"{transition}:{error}".replace(" ", "_")),
    state_change_callback=lambda state: states.append(state.__name__),
)
handler.master.dictionary_map.add_by_key(SENT, bits=bits)
handler.slave.dictionary_map.add_by_key(RECEIVED, bits=bits)
handler.start()
while True:
    print(bytes(handler.get_request()).hex(), ",".join(states), dictionary.get("received"), flush=True)
    line = sys.stdin.readline().split()
    if not line:
        # Its threads would go on.
        os._exit(0)
    handler.set_reply(bytes.fromhex(line[0]))
    if line[1:] == ["fail-safe"]:
        handler.set_fail_safe(True)
    elif line[1:]:
        dictionary.set("sent", int(line[1]))
        handler.set_fail_safe(False)
