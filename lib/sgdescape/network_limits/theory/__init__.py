"""What the limiting dynamics predict for a network whose Hessian and noise are known.

All of it follows from one linear recursion a mode, x_{k+1} = (1 + beta - eta h) x_k - beta x_{k-1}
- eta n_k with h = rho + lambda, so nothing is fitted: the noise covariance of the n_k, with or
without replacement, does the rest (`filtered`); `balance` has what holds between averages. Times
are in steps. What a stationary mode does is not here: it is taken from the earlier chapters.
"""
