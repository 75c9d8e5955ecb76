"""One step of SGD on linear regression as vector instructions: the inner loop of `linear_numba`.

A compiler that meets the plain loops finds no good vectors in rows of eleven numbers, so they are
spelled out for LLVM, in its own portable vector types: no processor is named here.
"""

import numba as nb
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

_LOOSE = ("contract", "reassoc", "nsz")  # sums in any order; NaN and infinity are kept
_UNROLL = 4  # samples whose products are summed together


@intrinsic
def vector_step(typingctx, rows, index, at, stride, size, z, scale, curvature, width):
    """Update z in place by one batch; return sum_i curvature_i z_i^2 of the new z.

    Twin of one `step` in `linear_torch._updates`. rows (n, W) holds (x, r, 0...); z (W,) has -1 in
    r's place, where scale and curvature are 0; the batch is index[at + stride b], b < size; the
    type of ``width``, a tuple of W entries, carries W.
    """
    real = rows.dtype
    signature = real(rows, index, at, stride, size, z, scale, curvature, width)

    def codegen(context, builder, sig, args):
        ll_real = context.get_value_type(real)
        vector = ir.VectorType(ll_real, sig.args[8].count)
        itemsize = context.get_abi_sizeof(ll_real)
        data = [
            context.make_array(sig.args[i])(context, builder, args[i]).data for i in (0, 1, 5, 6, 7)
        ]
        base, batch, state, scales, weights = data
        total = _sum_function(builder, vector, ll_real)

        def load(pointer):
            value = builder.load(builder.bitcast(pointer, vector.as_pointer()))
            value.align = itemsize
            return value

        def sample(b):
            place = builder.add(args[2], builder.mul(args[3], b))
            chosen = builder.sext(builder.load(builder.gep(batch, [place])), ir.IntType(64))
            lanes = ir.Constant(ir.IntType(64), vector.count)
            return load(builder.gep(base, [builder.mul(chosen, lanes)]))

        def accumulate(rows_):
            for k, x in enumerate(rows_):
                product = builder.fmul(old, x, flags=_LOOSE)
                residual = builder.call(total, [zero, product], fastmath=_LOOSE)
                spread = _broadcast(builder, residual, vector)
                part = gradients[k % len(gradients)]
                gained = builder.fmul(spread, x, flags=_LOOSE)
                builder.store(builder.fadd(builder.load(part), gained, flags=_LOOSE), part)

        zero = ir.Constant(ll_real, 0.0)
        old = load(state)
        gradients = [cgutils.alloca_once(builder, vector) for _ in range(2)]
        for part in gradients:
            builder.store(ir.Constant(vector, [0.0] * vector.count), part)
        four = ir.Constant(ir.IntType(64), _UNROLL)
        with cgutils.for_range(builder, builder.udiv(args[4], four)) as loop:
            first = builder.mul(loop.index, four)
            numbers = [builder.add(first, ir.Constant(ir.IntType(64), k)) for k in range(_UNROLL)]
            accumulate([sample(b) for b in numbers])
        with cgutils.for_range(builder, builder.urem(args[4], four)) as loop:
            done = builder.sub(args[4], builder.urem(args[4], four))
            accumulate([sample(builder.add(done, loop.index))])
        gradient = builder.fadd(*(builder.load(part) for part in gradients), flags=_LOOSE)
        change = builder.fmul(load(scales), gradient, flags=_LOOSE)
        new = builder.fsub(old, change, flags=_LOOSE)
        stored = builder.store(new, builder.bitcast(state, vector.as_pointer()))
        stored.align = itemsize
        squares = builder.fmul(builder.fmul(new, new, flags=_LOOSE), load(weights), flags=_LOOSE)
        return builder.call(total, [zero, squares], fastmath=_LOOSE)

    return signature, codegen


@nb.njit(error_model="numpy", nogil=True)
def plain_step(rows, index, at, stride, size, z, scale, curvature, gradient):
    """Do the same by plain loops, for rows too long for registers."""
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
        z[i] -= scale[i] * gradient[i]
        excess += curvature[i] * z[i] * z[i]
    return excess


def _sum_function(builder, vector, ll_real):
    letter = "f32" if isinstance(ll_real, ir.FloatType) else "f64"
    kind = ir.FunctionType(ll_real, [ll_real, vector])
    name = f"llvm.vector.reduce.fadd.v{vector.count}{letter}"
    return cgutils.get_or_insert_function(builder.module, kind, name)


def _broadcast(builder, value, vector):
    undefined = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, undefined, mask)
