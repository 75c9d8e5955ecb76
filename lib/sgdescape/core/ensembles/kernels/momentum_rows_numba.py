"""One step of SGD with momentum as vector instructions: the inner loop of `momentum_numba`.

The batch's gradient is that of `rows_numba`. The state (3, W) holds z (with -1 in r's place), delta
and delta of the step before; the constants (4, W) hold learning_rate / B, learning_rate
weight_decay, that times basis^T theta*, and the curvatures: 0 in r's place and beyond.
"""

import numba as nb
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sgdescape.core.ensembles.kernels.rows_numba import (
    LOOSE,
    batch_gradient,
    broadcast,
    load,
    pointer,
    store,
    weighted_square,
)


@intrinsic
def vector_update(typingctx, rows, index, at, stride, size, state, constants, beta, width):
    """Update the state in place by one batch; return sum_i h_i z_i^2 of the new z.

    Twin of one `step` in `momentum_torch._updates`. The batch is index[at + stride b], b < size;
    the type of ``width``, a tuple of W entries, carries W.
    """
    real = rows.dtype
    signature = real(rows, index, at, stride, size, state, constants, real, width)

    def codegen(context, builder, sig, args):
        vector = ir.VectorType(context.get_value_type(real), sig.args[8].count)
        data = [pointer(context, builder, sig.args[i], args[i]) for i in (0, 1, 5, 6)]
        z_at, delta_at, before_at = (_row(builder, data[2], i, vector) for i in range(3))
        scale, decay, offset, curvature = (
            load(builder, _row(builder, data[3], i, vector), vector) for i in range(4)
        )
        z, delta = load(builder, z_at, vector), load(builder, delta_at, vector)
        gradient = batch_gradient(builder, data[0], data[1], *args[2:5], z)
        kept = builder.fmul(broadcast(builder, args[7], vector), delta, flags=LOOSE)
        pull = builder.fadd(builder.fmul(decay, z, flags=LOOSE), offset, flags=LOOSE)
        force = builder.fadd(builder.fmul(scale, gradient, flags=LOOSE), pull, flags=LOOSE)
        new_delta = builder.fsub(kept, force, flags=LOOSE)
        new = builder.fadd(z, new_delta, flags=LOOSE)
        store(builder, delta, before_at)
        store(builder, new_delta, delta_at)
        store(builder, new, z_at)
        return weighted_square(builder, new, curvature)

    return signature, codegen


@intrinsic
def vector_sums(typingctx, state, sums, width):
    """Add a record to sums (5, W), float64, in the order of `momentum_plan.SUMS`."""
    signature = types.void(state, sums, width)

    def codegen(context, builder, sig, args):
        count = sig.args[2].count
        vector = ir.VectorType(context.get_value_type(state.dtype), count)
        wide = ir.VectorType(ir.DoubleType(), count)
        source, target = (pointer(context, builder, sig.args[i], args[i]) for i in (0, 1))
        x, delta, before = (
            load(builder, _row(builder, source, i, vector), vector) for i in range(3)
        )
        if state.dtype == types.float32:
            x, delta, before = (builder.fpext(v, wide) for v in (x, delta, before))
        products = ((x, x), (delta, delta), (x, delta), (x, before))
        records = [x, *(builder.fmul(a, b, flags=LOOSE) for a, b in products)]
        for i, record in enumerate(records):
            place = _row(builder, target, i, wide)
            store(builder, builder.fadd(load(builder, place, wide), record, flags=LOOSE), place)
        return context.get_dummy_value()

    return signature, codegen


def _row(builder, base, i, vector):
    return builder.gep(base, [ir.Constant(ir.IntType(64), i * vector.count)])


@nb.njit(error_model="numpy", nogil=True)
def plain_update(rows, index, at, stride, size, state, constants, beta, gradient):
    """Do the same as `vector_update` by plain loops, for rows too long for registers."""
    z = state[0]
    gradient[:] = 0
    for b in range(size):
        x = rows[index[at + stride * b]]
        residual = rows.dtype.type(0)
        for i in range(len(z)):
            residual += x[i] * z[i]
        for i in range(len(z)):
            gradient[i] += residual * x[i]
    excess = rows.dtype.type(0)
    for i in range(len(z)):
        delta = state[1, i]
        force = constants[0, i] * gradient[i] + constants[1, i] * z[i] + constants[2, i]
        state[2, i] = delta
        state[1, i] = beta * delta - force
        z[i] += state[1, i]
        excess += constants[3, i] * z[i] * z[i]
    return excess


@nb.njit(nogil=True)
def plain_sums(state, sums):
    """Do the same as `vector_sums` by plain loops."""
    for i in range(state.shape[1]):
        x, delta, before = state[0, i], state[1, i], state[2, i]
        wide, now = nb.float64(x), nb.float64(delta)
        sums[0, i] += wide
        sums[1, i] += wide * wide
        sums[2, i] += now * now
        sums[3, i] += wide * now
        sums[4, i] += wide * nb.float64(before)
