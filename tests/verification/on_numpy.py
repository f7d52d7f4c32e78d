"""The judges of models and modules, for what is generated for NumPy."""

from functools import partial

from symbackprop.targets.numpy.target import NUMPY
from symbackprop.verification import check, verified_module

check_model = partial(check.check_model, NUMPY)
verification_of = partial(verified_module.verification_of, NUMPY)
