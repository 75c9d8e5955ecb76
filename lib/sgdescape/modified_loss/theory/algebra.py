"""Symbolic proofs: each function returns what must be zero."""

import sympy as sp


def single_mode_identities() -> dict[str, sp.Matrix]:
    r"""Check Eq. (modified-loss) for one mode with symbols: Lyapunov, Q, current, divergence.

    Returns:
        Name -> residual, simplified; all zero.
    """
    eta, rho, decay, sigma = sp.symbols("eta rho lambda sigma", positive=True)
    beta, x, v, kappa = sp.symbols("beta x v kappa", real=True)
    a = 2 / (eta * (1 + beta))
    drift = sp.Matrix([[0, -1], [a * (rho + decay), a * (1 - beta)]])
    noise = sp.diag(0, a * (1 - beta) * sigma**2 * rho)
    shape = sigma**2 * sp.diag(eta * (1 + beta) * rho / (2 * (rho + decay)), rho)
    q = sigma**2 * sp.Matrix([[0, -rho], [rho, 0]])
    z = sp.Matrix([x, v])
    velocity = -q * shape.inv() * z
    psi = (z.T * shape.inv() * z)[0] / 2
    psi_text = ((1 + decay / rho) * x**2 / (eta * (1 + beta)) + v**2 / (2 * rho)) / sigma**2
    density = sp.exp(-kappa * psi)
    current = velocity * density
    return {
        "A B + B A^T - 2 D": sp.simplify(drift * shape + shape * drift.T - 2 * noise),
        "A B - D - Q": sp.simplify(drift * shape - noise - q),
        "Psi": sp.simplify(psi - psi_text),
        "J/p - (v, -omega^2 x)": sp.simplify(velocity - sp.Matrix([v, -a * (rho + decay) * x])),
        "div J": sp.simplify(sp.diff(current[0], x) + sp.diff(current[1], v)),
    }


def pair_identities() -> dict[str, sp.Expr]:
    r"""Check Eqs. (modified-pair) and (modified-pair-discrete) against their moment equations.

    Returns:
        Name -> residual, simplified; all zero.
    """
    eta, size, g, h, s = sp.symbols("eta S h_i h_j Sigma_ij", positive=True)
    beta = sp.symbols("beta", real=True)
    a = 2 / (eta * (1 + beta))
    friction, strength = a * (1 - beta), a**2 * eta * s / size
    x = eta * s / (size * (1 - beta))
    x /= g + h + eta * (1 + beta) * (g - h) ** 2 / (4 * (1 - beta) ** 2)
    y = (g - h) / (2 * (1 - beta)) * x
    w = (g + h) / (eta * (1 + beta)) * x
    found = {
        "d/dt E[x_i v_j]": w - a * h * x - friction * y,
        "d/dt E[v_i v_j]": -a * g * y + a * h * y - 2 * friction * w + strength,
    }
    p, q = 1 + beta - eta * g, 1 + beta - eta * h
    below = g + h - eta * g * h / (1 + beta)
    below += beta * eta * (g - h) ** 2 / ((1 - beta) ** 2 * (1 + beta))
    now = eta * s / (size * (1 - beta)) / below
    later, earlier = (p - beta * q) / (1 - beta**2) * now, (q - beta * p) / (1 - beta**2) * now
    found["lag one"] = later - p * now + beta * earlier
    next_ = p * q * now + beta**2 * now - beta * (p * later + q * earlier) + eta**2 * s / size
    found["one step"] = next_ - now
    return {name: sp.simplify(residual) for name, residual in found.items()}
