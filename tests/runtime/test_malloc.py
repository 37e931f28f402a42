import platform

import pytest

# Pages that the system has to clear for arrays of 24 MiB, for the third time.
CODE = """
import resource
from lsd_repro.runtime import malloc
{call}
import numpy as np
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    [np.ones(3 << 20) for _ in range(4)]
    after = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(after - before)
"""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")


def faults(python, call="malloc.keep_freed()", **environment):
    return int(python(CODE.format(call=call), **environment).stdout)


def test_freed_memory_is_used_again(python):
    assert faults(python) < 6 < faults(python, call="")


def test_what_the_user_set_stays(python):
    assert faults(python, MALLOC_TRIM_THRESHOLD_="131072") > 6


def test_theano_comes_with_it(python):
    assert faults(python, call="from lsd_repro.runtime.load import theano; theano.config") < 6
