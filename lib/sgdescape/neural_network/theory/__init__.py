"""Theory of chapter `neural_network`: formulas alone, nothing measured or simulated.

`spectrum` counts directions and gives slopes and noise of a linear model, one function an equation.
"""
