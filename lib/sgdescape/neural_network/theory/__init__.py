"""Theory of chapter `neural_network`: formulas and the quadratic valley, nothing measured.

`spectrum` counts directions and gives slopes and noise of a linear model, one function an equation;
`bowl` is SGD with Gaussian noise, or its SDE, in a quadratic valley of any spectrum, simulated.
"""
