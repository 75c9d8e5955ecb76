"""Theory of SGD with momentum in a quadratic bowl: one pure function an equation, NumPy alone.

`oscillator` has one mode, exactly as it is iterated or in continuous time, `damping` its rates;
`autoregression` is the home of the momentum mode x_(k+1) = (1 + beta - eta h) x_k - beta x_(k-1)
- eta n_k, an AR(2) process: its edges, mean square step and answer to one kick (`response`), which
later chapters use from here. `phase_space` has all modes and real minibatch noise,
`modified_equation` the order of the differential equation. Nothing is measured or fitted here.
"""
