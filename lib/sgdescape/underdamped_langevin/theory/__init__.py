"""Theory of SGD with momentum in a quadratic bowl: one pure function an equation, NumPy alone.

`oscillator` has one mode, exactly as it is iterated or in continuous time; `autoregression` is the
home of the momentum mode x_(k+1) = (1 + beta - eta h) x_k - beta x_(k-1) - eta n_k, an AR(2)
process: its stationary covariance, powers and mean square step, made of the answer to one kick in
`response`, which later chapters use from here. `phase_space` has all modes and real minibatch
noise, `modified_equation` the order of the differential equation, `stability` the checks of
arguments. Nothing is measured or fitted here.
"""
