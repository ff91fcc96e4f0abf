# SOEM beside `npm run bench -- --only exchange`: exchanges of the process image, back to back, as ecat-bench makes
# them. Prints the distribution in its form.
#
#   python pysoem_exchange.py INTERFACE BYTES COUNT CPU PRIORITY
import gc
import json
import os
import sys
import time

import pysoem

# SOEM gives a frame 2 ms, which is a matter of how busy the machine is.
FRAME_TIMEOUT_US = 1_000_000
pysoem.settings.timeouts.ret = FRAME_TIMEOUT_US
pysoem.settings.timeouts.safe = 1_000_000
pysoem.settings.timeouts.eeprom = 1_000_000

interface, (size, count, cpu, priority) = sys.argv[1], map(int, sys.argv[2:])


def in_op():
    """A MainDevice with everybody in OP, its image of the size asked for."""
    main_device = pysoem.Master()
    main_device.open(interface)
    main_device.config_init()
    image = main_device.config_map()
    if image != size:
        sys.exit(f"SOEM's image has {image} bytes, not {size}")
    for device in main_device.slaves:
        # A machine that stalls is to show in the figures, and not to end the run.
        device.set_watchdog("processdata", 6_000)
    main_device.state_check(pysoem.SAFEOP_STATE, 5_000_000)
    main_device.state = pysoem.OP_STATE
    main_device.write_state()
    for _ in range(100):
        main_device.send_processdata()
        main_device.receive_processdata(FRAME_TIMEOUT_US)
        if main_device.state_check(pysoem.OP_STATE, 10_000) == pysoem.OP_STATE:
            return main_device
    sys.exit("the segment did not come to OP")


def measure(main_device):
    """Nanoseconds of each exchange, with everybody taking part."""
    send, receive = main_device.send_processdata, main_device.receive_processdata
    now = time.monotonic_ns
    # SOEM's own expectation leaves out that a device whose data lie in two datagrams counts in both.
    send()
    expected = receive(FRAME_TIMEOUT_US)
    if expected < main_device.expected_wkc:
        sys.exit(f"working counter {expected}, not {main_device.expected_wkc}")
    samples = [0] * count
    gc.disable()
    for n in range(count):
        begun = now()
        send()
        working_counter = receive(FRAME_TIMEOUT_US)
        samples[n] = now() - begun
        if working_counter != expected:
            sys.exit(f"working counter {working_counter}, not {expected}")
    return sorted(samples)


main_device = in_op()
try:
    os.sched_setaffinity(0, {cpu})
    if priority > 0:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
except OSError as error:
    sys.stderr.write(f"not granted: {error}\n")
samples = measure(main_device)


def at(share):
    return samples[max(1, -int(-count * share // 1)) - 1]


figures = {"p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": samples[-1], "count": count}
print(json.dumps({"variant": "pysoem", "what": "exchange", "ns": figures}))
main_device.state = pysoem.INIT_STATE
main_device.write_state()
main_device.close()
