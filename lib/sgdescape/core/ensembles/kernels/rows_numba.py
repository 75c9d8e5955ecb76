"""One step of SGD on linear regression as vector instructions: the inner loop of the CPU's kernels.

A compiler that meets the plain loops finds no good vectors in rows of eleven numbers, so they are
spelled out for LLVM, in its own portable vector types: no processor is named here.

The state (3, W) holds z (with -1 in r's place), delta and delta of the step before; the constants
(4, W) hold learning_rate / B, learning_rate weight_decay, that times basis^T theta*, and the
curvatures: 0 in r's place and beyond. beta is None for plain SGD, which leaves delta alone.

The order of every sum is spelled out, and a product is fused with a sum only where one way of doing
so exists: wherever the step is inlined it gives the same bits.
"""

import numba as nb
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_FUSED = ("contract",)  # a product may go into the sum that uses it
_UNROLL = 4  # samples whose products are summed together


@intrinsic
def vector_step(typingctx, rows, index, at, stride, size, state, constants, beta, width):
    """Update the state in place by one batch; return sum_i h_i z_i^2 of the new z.

    Twin of `linear_torch.updates`. rows (n, W) holds (x, r, 0...); the batch is
    index[at + stride b], b < size; the type of ``width``, a tuple of W entries, carries W.
    """
    real = rows.dtype
    plain = isinstance(beta, types.NoneType)
    factor = beta if plain else real
    signature = real(rows, index, at, stride, size, state, constants, factor, width)

    def codegen(context, builder, sig, args):
        vector = ir.VectorType(context.get_value_type(real), sig.args[8].count)
        data = [_pointer(context, builder, sig.args[i], args[i]) for i in (0, 1, 5, 6)]
        z_at, delta_at, before_at = (_row(builder, data[2], i, vector) for i in range(3))

        def constant(i):
            return _load(builder, _row(builder, data[3], i, vector), vector)

        z = _load(builder, z_at, vector)
        gradient = _batch_gradient(builder, data[0], data[1], *args[2:5], z)
        change = builder.fmul(constant(0), gradient, flags=_FUSED)
        if plain:
            new = builder.fsub(z, change, flags=_FUSED)
        else:
            delta = _load(builder, delta_at, vector)
            kept = builder.fmul(_broadcast(builder, args[7], vector), delta, flags=_FUSED)
            decay = builder.fmul(constant(1), z, flags=_FUSED)
            pull = builder.fadd(decay, constant(2), flags=_FUSED)
            force = builder.fadd(change, pull, flags=_FUSED)
            new_delta = builder.fsub(kept, force, flags=_FUSED)
            new = builder.fadd(z, new_delta, flags=_FUSED)
            _store(builder, delta, before_at)
            _store(builder, new_delta, delta_at)
        _store(builder, new, z_at)
        return _weighted_square(builder, new, constant(3))

    return signature, codegen


@nb.njit(error_model="numpy", nogil=True)
def plain_step(rows, index, at, stride, size, state, constants, beta, gradient):
    """Do the same by plain loops, for rows too long for registers."""
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
        if beta is None:
            z[i] -= constants[0, i] * gradient[i]
        else:
            delta = state[1, i]
            force = constants[0, i] * gradient[i] + constants[1, i] * z[i] + constants[2, i]
            state[2, i] = delta
            state[1, i] = beta * delta - force
            z[i] += state[1, i]
        excess += constants[3, i] * z[i] * z[i]
    return excess


@intrinsic
def vector_sums(typingctx, state, sums, width):
    """Add a record to sums (5, W), float64, in the order of `linear_plan.SUMS`."""
    signature = types.void(state, sums, width)

    def codegen(context, builder, sig, args):
        count = sig.args[2].count
        vector = ir.VectorType(context.get_value_type(state.dtype), count)
        wide = ir.VectorType(ir.DoubleType(), count)
        source, target = (_pointer(context, builder, sig.args[i], args[i]) for i in (0, 1))
        x, delta, before = (
            _load(builder, _row(builder, source, i, vector), vector) for i in range(3)
        )
        if state.dtype == types.float32:
            x, delta, before = (builder.fpext(v, wide) for v in (x, delta, before))
        products = ((x, x), (delta, delta), (x, delta), (x, before))
        records = [x, *(builder.fmul(a, b, flags=_FUSED) for a, b in products)]
        for i, record in enumerate(records):
            place = _row(builder, target, i, wide)
            _store(builder, builder.fadd(_load(builder, place, wide), record, flags=_FUSED), place)
        return context.get_dummy_value()

    return signature, codegen


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


def _pointer(context, builder, kind, array):
    """Return the address of an array's first entry."""
    return context.make_array(kind)(context, builder, array).data


def _load(builder, address, vector):
    """Return the numbers from this address on as one vector."""
    value = builder.load(builder.bitcast(address, vector.as_pointer()))
    value.align = _itemsize(vector)
    return value


def _store(builder, value, address):
    """Write a vector to this address."""
    stored = builder.store(value, builder.bitcast(address, value.type.as_pointer()))
    stored.align = _itemsize(value.type)


def _batch_gradient(builder, rows, index, at, stride, size, z):
    """Return sum_b x_b (x_b.z - r_b) over the batch index[at + stride b], b < size, as a vector."""
    vector = z.type

    def sample(b):
        place = builder.add(at, builder.mul(stride, b))
        chosen = builder.sext(builder.load(builder.gep(index, [place])), ir.IntType(64))
        lanes = ir.Constant(ir.IntType(64), vector.count)
        return _load(builder, builder.gep(rows, [builder.mul(chosen, lanes)]), vector)

    def accumulate(rows_):
        for k, x in enumerate(rows_):
            residual = _total(builder, builder.fmul(z, x))
            part = gradients[k % len(gradients)]
            gained = builder.fmul(_broadcast(builder, residual, vector), x, flags=_FUSED)
            builder.store(builder.fadd(builder.load(part), gained, flags=_FUSED), part)

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
    return builder.fadd(*(builder.load(part) for part in gradients), flags=_FUSED)


def _weighted_square(builder, z, weights):
    """Return sum_i weights_i z_i^2."""
    return _total(builder, builder.fmul(builder.fmul(z, z), weights))


def _broadcast(builder, value, vector):
    """Return a vector of equal numbers."""
    undefined = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, undefined, mask)


def _itemsize(vector):
    return 4 if isinstance(vector.element, ir.FloatType) else 8


def _total(builder, vector):
    """Return the sum of all entries: the upper half is added to the lower one until one is left.

    Of an odd number of entries the last one waits until the end: 48 end with three.
    """
    count, waiting = vector.type.count, []
    while count > 1:
        undefined = ir.Constant(vector.type, ir.Undefined)
        if count % 2:
            last = ir.Constant(ir.IntType(32), count - 1)
            waiting.append(builder.extract_element(vector, last))
        count //= 2
        places = ir.VectorType(ir.IntType(32), count)
        halves = (
            builder.shuffle_vector(vector, undefined, ir.Constant(places, [*range(k, k + count)]))
            for k in (0, count)
        )
        vector = builder.fadd(*halves)
    total = builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))
    for entry in waiting:
        total = builder.fadd(total, entry)
    return total


def _row(builder, base, i, vector):
    return builder.gep(base, [ir.Constant(ir.IntType(64), i * vector.count)])
