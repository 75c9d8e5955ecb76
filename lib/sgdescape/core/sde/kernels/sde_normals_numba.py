"""Box-Muller by polynomials, for loops that the compiler turns into vectors: `philox.normals`.

The C library's log, sin and cos are calls, and a loop with a call in it stays scalar: 9 times
slower. Here the logarithm is the series of 2 artanh((m - 1) / (m + 1)) for m in [sqrt(1/2),
sqrt(2)), sine and cosine are Taylor series within an eighth of a turn, all to the last bit or two;
the angle is reduced on the word itself, exactly.
"""

import math

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

# inlined by LLVM before it looks for vectors: numba's own inlining costs 3 times the compilation
VECTOR = {"forceinline": True, "fastmath": {"contract"}, "error_model": "numpy"}
_F, _D = np.float32, np.float64
_BITS = {types.float32: types.int32, types.float64: types.uint64}
_REALS = {bits: real for real, bits in _BITS.items()}
_LLVM = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: ir.IntType(32),
    types.uint64: ir.IntType(64),
}


def _series(real, sine, cosine, logarithm):
    turn = 2 * math.pi
    s = [(-1) ** k * turn ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(sine)]
    c = [(-1) ** k * turn ** (2 * k) / math.factorial(2 * k) for k in range(cosine)]
    g = [2 / (2 * k + 1) for k in range(logarithm)]
    return [tuple(real(x) for x in row) for row in (s, c, g)]


# first terms left out, relative: float32 2e-9, 2e-9, 1e-8; float64 5e-17, 2e-18, 1e-18
_S32, _C32, _G32 = _series(_F, 5, 6, 5)
_S64, _C64, _G64 = _series(_D, 8, 9, 11)
_LN2_32, _LN2_64 = _F(math.log(2)), math.log(2)
_I, _U, _L = np.int32, np.uint32, np.uint64
_ROOT_HALF_32 = _I(0x3F3504F3)  # bits of sqrt(1/2)
_SHIFT_64 = _L(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)  # 1 minus sqrt(1/2), as bits
_ONE_64, _MAGIC_64 = _L(0x3FF0000000000000), _L(0x4330000000000000)  # bits of 1 and of 2^52


@intrinsic
def _bits(context, x):
    target = _BITS[x]
    return target(x), lambda _, builder, __, args: builder.bitcast(args[0], _LLVM[target])


@intrinsic
def _real(context, x):
    target = _REALS[x]
    return target(x), lambda _, builder, __, args: builder.bitcast(args[0], _LLVM[target])


def normal_pair(word0, word1, like):
    """Return two standard normal numbers of two uint32 words, in the precision of ``like``."""
    raise NotImplementedError("compiled code only")


@overload(normal_pair, jit_options={"forceinline": True})
def _normal_pair(word0, word1, like):
    if like == types.float32:
        return lambda word0, word1, like: _pair32(word0, word1)
    return lambda word0, word1, like: _pair64(word0, word1)


@nb.njit(forceinline=True)
def _either(condition, yes, no):
    return yes if condition else no


@nb.njit(**VECTOR)
def _pair32(word0, word1):
    half, one, unit = _F(0.5), _F(1), _F(2.0**-24)
    u = (_F(_I(_U(word0 >> _U(8)))) + half) * unit
    bits = _bits(u)
    exponent = _I(_I(bits - _ROOT_HALF_32) >> _I(23))
    mantissa = _real(_I(bits - _I(exponent << _I(23))))
    s = (mantissa - one) / (mantissa + one)
    t = s * s
    g0, g1, g2, g3, g4 = _G32
    log = _F(exponent) * _LN2_32 + s * (g0 + t * (g1 + t * (g2 + t * (g3 + t * g4))))
    radius = _F(math.sqrt(_F(-2) * log))
    k = _I(_U(word1 >> _U(8)))
    quarter = _I(_I(k + _I(1 << 21)) >> _I(22))
    x = (_F(_I(k - _I(quarter << _I(22)))) + half) * unit
    t = x * x
    s0, s1, s2, s3, s4 = _S32
    c0, c1, c2, c3, c4, c5 = _C32
    sine = radius * (x * (s0 + t * (s1 + t * (s2 + t * (s3 + t * s4)))))
    cosine = radius * (c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * c5)))))
    odd = _I(quarter & _I(1)) != 0
    first = _either(odd, sine, cosine)
    second = _either(odd, cosine, sine)
    flip1 = _I(_I(_I(quarter + _I(1)) & _I(2)) << _I(30))
    flip2 = _I(_I(quarter & _I(2)) << _I(30))
    return _real(_I(_bits(first) ^ flip1)), _real(_I(_bits(second) ^ flip2))


@nb.njit(**VECTOR)
def _pair64(word0, word1):
    u = (_D(word0) + 0.5) * 2.0**-32
    bits = _bits(u)
    exponent = (bits + _SHIFT_64) >> _L(52)  # biased by 1023; there is no vector int64 to float64
    mantissa = _real(bits - (exponent << _L(52)) + _ONE_64)
    e = _real(exponent | _MAGIC_64) - (2.0**52 + 1023.0)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    t = s * s
    g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, g10 = _G64
    tail = g5 + t * (g6 + t * (g7 + t * (g8 + t * (g9 + t * g10))))
    log = e * _LN2_64 + s * (g0 + t * (g1 + t * (g2 + t * (g3 + t * (g4 + t * tail)))))
    radius = math.sqrt(-2.0 * log)
    quarter = _U(_U(word1 + _U(1 << 29)) >> _U(30))
    x = (_D(_I(_U(word1 - _U(quarter << _U(30))))) + 0.5) * 2.0**-32
    t = x * x
    s0, s1, s2, s3, s4, s5, s6, s7 = _S64
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = _C64
    sine = s0 + t * (s1 + t * (s2 + t * (s3 + t * (s4 + t * (s5 + t * (s6 + t * s7))))))
    cosine = c4 + t * (c5 + t * (c6 + t * (c7 + t * c8)))
    cosine = radius * (c0 + t * (c1 + t * (c2 + t * (c3 + t * cosine))))
    sine = radius * (x * sine)
    odd = _U(quarter & _U(1)) != 0
    first = _either(odd, sine, cosine)
    second = _either(odd, cosine, sine)
    flip1 = _L(_U(quarter + _U(1)) & _U(2)) << _L(62)
    flip2 = _L(quarter & _U(2)) << _L(62)
    return _real(_bits(first) ^ flip1), _real(_bits(second) ^ flip2)
