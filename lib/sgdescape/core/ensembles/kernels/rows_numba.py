"""One step of SGD on linear regression as vector instructions: the inner loop of `linear_numba`.

A compiler that meets the plain loops finds no good vectors in rows of eleven numbers, so they are
spelled out for LLVM, in its own portable vector types: no processor is named here.
"""

import numba as nb
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

LOOSE = ("contract", "reassoc", "nsz")  # sums in any order; NaN and infinity are kept
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
        vector = ir.VectorType(context.get_value_type(real), sig.args[8].count)
        data = [pointer(context, builder, sig.args[i], args[i]) for i in (0, 1, 5, 6, 7)]
        old = load(builder, data[2], vector)
        gradient = batch_gradient(builder, data[0], data[1], *args[2:5], old)
        change = builder.fmul(load(builder, data[3], vector), gradient, flags=LOOSE)
        new = builder.fsub(old, change, flags=LOOSE)
        store(builder, new, data[2])
        return weighted_square(builder, new, load(builder, data[4], vector))

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


def pointer(context, builder, kind, array):
    """Return the address of an array's first entry."""
    return context.make_array(kind)(context, builder, array).data


def load(builder, address, vector):
    """Return the numbers from this address on as one vector."""
    value = builder.load(builder.bitcast(address, vector.as_pointer()))
    value.align = _itemsize(vector)
    return value


def store(builder, value, address):
    """Write a vector to this address."""
    stored = builder.store(value, builder.bitcast(address, value.type.as_pointer()))
    stored.align = _itemsize(value.type)


def batch_gradient(builder, rows, index, at, stride, size, z):
    """Return sum_b x_b (x_b.z - r_b) over the batch index[at + stride b], b < size, as a vector."""
    vector, zero = z.type, ir.Constant(z.type.element, 0.0)
    total = _sum_function(builder, vector)

    def sample(b):
        place = builder.add(at, builder.mul(stride, b))
        chosen = builder.sext(builder.load(builder.gep(index, [place])), ir.IntType(64))
        lanes = ir.Constant(ir.IntType(64), vector.count)
        return load(builder, builder.gep(rows, [builder.mul(chosen, lanes)]), vector)

    def accumulate(rows_):
        for k, x in enumerate(rows_):
            product = builder.fmul(z, x, flags=LOOSE)
            residual = builder.call(total, [zero, product], fastmath=LOOSE)
            part = gradients[k % len(gradients)]
            gained = builder.fmul(broadcast(builder, residual, vector), x, flags=LOOSE)
            builder.store(builder.fadd(builder.load(part), gained, flags=LOOSE), part)

    gradients = [cgutils.alloca_once(builder, vector) for _ in range(2)]
    for part in gradients:
        builder.store(ir.Constant(vector, [0.0] * vector.count), part)
    four = ir.Constant(ir.IntType(64), _UNROLL)
    with cgutils.for_range(builder, builder.udiv(size, four)) as loop:
        first = builder.mul(loop.index, four)
        numbers = [builder.add(first, ir.Constant(ir.IntType(64), k)) for k in range(_UNROLL)]
        accumulate([sample(b) for b in numbers])
    with cgutils.for_range(builder, builder.urem(size, four)) as loop:
        done = builder.sub(size, builder.urem(size, four))
        accumulate([sample(builder.add(done, loop.index))])
    return builder.fadd(*(builder.load(part) for part in gradients), flags=LOOSE)


def weighted_square(builder, z, weights):
    """Return sum_i weights_i z_i^2."""
    squares = builder.fmul(builder.fmul(z, z, flags=LOOSE), weights, flags=LOOSE)
    zero = ir.Constant(z.type.element, 0.0)
    return builder.call(_sum_function(builder, z.type), [zero, squares], fastmath=LOOSE)


def broadcast(builder, value, vector):
    """Return a vector of equal numbers."""
    undefined = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, undefined, mask)


def _itemsize(vector):
    return 4 if isinstance(vector.element, ir.FloatType) else 8


def _sum_function(builder, vector):
    letter = "f32" if isinstance(vector.element, ir.FloatType) else "f64"
    kind = ir.FunctionType(vector.element, [vector.element, vector])
    name = f"llvm.vector.reduce.fadd.v{vector.count}{letter}"
    return cgutils.get_or_insert_function(builder.module, kind, name)
