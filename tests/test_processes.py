import sys

from tests.processes import run_within


def test_processor_time_is_limited_and_a_clock_is_not():
    busy = run_within(1, [sys.executable, "-c", "while True: pass"])
    waiting = run_within(1, [sys.executable, "-c", "import time; time.sleep(1.5)"])
    assert busy.returncode < 0 and waiting.returncode == 0


def test_what_a_program_writes_and_reads_is_its_own():
    script = "import sys; print(sys.argv[1:], sys.stdin.read())"
    done = run_within(
        60, [sys.executable, "-c", script, "a b", "$0"], capture_output=True, text=True, input="x"
    )
    assert done.stdout == "['a b', '$0'] x\n"
