"""The judges of models and modules, for what is generated for NumPy."""

from functools import partial

from symbackprop.targets.numpy.target import NUMPY
from symbackprop.verification import check, emitted

check_model = partial(check.check_model, NUMPY)
verification_of = partial(emitted.verification_of, NUMPY)
